"""Headers that tell browsers what a page may do."""

import io

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

# No inline and no foreign scripts or styles: what users write can't run, wherever it is shown.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

#: What no page of this program uses, so that no script that got into one could, either.
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)

#: On every answer, in this order.
HEADERS = {
    # A file is what it says it is.
    "X-Content-Type-Options": "nosniff",
    # Other sites don't learn the address that somebody comes from: searches and names stand in it.
    "Referrer-Policy": "same-origin",
    # A page of another site can neither hold on to a window of ours nor embed an answer of ours.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}


def init_app(app: Flask) -> None:
    """Put the headers on every answer; refuse what is too large."""

    @app.before_request
    def measure() -> None:
        """A body that comes in chunks says no length beforehand, and would be cut at the limit."""
        if request.content_length is None and "chunked" in request.headers.get(
            "Transfer-Encoding", ""
        ):
            most = app.config["MAX_CONTENT_LENGTH"]
            body = request.environ["wsgi.input"].read(most + 1)
            if len(body) > most:
                raise RequestEntityTooLarge()
            request.environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        # Nobody else sets these: `update` would look for each of them first.
        headers.extend(HEADERS)
        if response.mimetype in ("application/json", "text/csv"):
            headers.setdefault("Cache-Control", "no-store")
        elif response.mimetype == "text/html":
            # Not for a proxy. Not "no-store": going back to a form shall find what was typed.
            headers.setdefault("Cache-Control", "private, no-cache")
        return response
