"""Behind a web server that speaks HTTPS: who asks, by which scheme and name, and cookies that stay on it.

A proxy says on whose behalf it asks in `X-Forwarded-For` and `X-Forwarded-Proto`. Anybody could send these,
so they count only where the setting `TRUSTED_PROXIES` says how many proxies stand in front. The host name
is not taken from such a header: the proxy passes `Host` on as it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted


def init_app(app: Flask) -> None:
    """See requests as the one who asked sent them."""
    app.wsgi_app = SecureCookies(app.wsgi_app)
    if number := app.config["TRUSTED_PROXIES"]:
        # Proxies add to the list of addresses, but say one scheme.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=1)

    @app.before_request
    def known_by_this_name() -> None:
        """A made-up name must not get into the addresses that answers give.

        A balancer asks for the server's health by whatever name or number it knows.
        """
        names = app.config["HOST_NAMES"]
        if names and request.blueprint != "health" and not host_is_trusted(request.host, names):
            raise BadRequest("This server does not go by that name (its setting TRUSTED_HOSTS).")


class SecureCookies:
    """Where a request came by HTTPS, its cookies are for HTTPS alone.

    By itself, for every cookie: a setting could be forgotten, and Flask's own ones hold for all requests,
    also for those on the lab's network that come by HTTP.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] != "https":
            return self.application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            secured = [
                (name, f"{value}; Secure" if name.lower() == "set-cookie" else value)
                for name, value in headers
            ]
            return start_response(status, secured, *more)

        return self.application(environ, start)
