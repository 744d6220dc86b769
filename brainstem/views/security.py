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
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        if response.mimetype == "application/json":
            headers.setdefault("Cache-Control", "no-store")
        elif response.mimetype == "text/html":
            # Not for a proxy. Not "no-store": going back to a form shall find what was typed.
            headers.setdefault("Cache-Control", "private, no-cache")
        return response
