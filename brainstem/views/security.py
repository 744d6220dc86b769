"""Headers that tell browsers what a page may do."""

from flask import Flask, Response

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
    """Put the headers on every answer."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        if response.mimetype in ("text/html", "application/json"):
            # Records of the signed-in user: not for a shared computer's back button or a proxy.
            headers.setdefault("Cache-Control", "no-store")
        return response
