"""Styles, scripts and icons: compressed on the way, and fetched once until they change.

Their addresses carry a hash of all of them, as a folder and not as a query: so the addresses that scripts
name to import each other carry it as well. A browser may keep what it got there for good.

Pages are compressed too. An attack that guesses a secret from the length of compressed pages (BREACH) needs
somebody else's site to have the browser send many requests with its cookies, which `SameSite` forbids, and
a secret that stays the same; the signature in a CSRF token differs from one second to the next. The
answers of the API are left alone: their `ETag` is a record's version (contract §11).
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Flask, Response, current_app, request
from markupsafe import Markup

from brainstem.extensions import bootstrap, compress

STATIC = Path(__file__).resolve().parent.parent / "static"
SPRITE = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/icons/bootstrap-icons.svg"
SYMBOL = re.compile(r'<symbol[^>]* viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)

#: In seconds; browsers take it for "for good".
YEAR = 365 * 24 * 60 * 60

#: What is worth compressing.
TEXTS = ["text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"]


def address() -> str:
    """Where styles and scripts are served: another address as soon as one of them differs."""
    seen = hashlib.sha256(f"{bootstrap.bootstrap_version} {bootstrap.icons_version}".encode())
    for file in sorted(STATIC.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            seen.update(f"{file.relative_to(STATIC)} ".encode() + file.read_bytes())
    return f"/static/{seen.hexdigest()[:12]}"


def init_app(app: Flask) -> None:
    """Serve them, and say how long they may be kept."""
    app.config["COMPRESS_MIMETYPES"] = TEXTS
    app.config["COMPRESS_ALGORITHM"] = ["br", "gzip"]
    # Of a list of 40 KB 7.3 KB are left, in 0.06 ms; level 4 would leave 6.2, in 0.2.
    app.config["COMPRESS_BR_LEVEL"] = 1
    app.config["COMPRESS_STREAMS"] = False  # a file to download is no page
    compress.init_app(app)
    app.add_template_global(icon_svg)
    app.add_template_global(static)
    # For whoever knows no hash: a browser that looks for the icon by itself, a bookmark.
    app.add_url_rule("/favicon.ico", "favicon", lambda: app.send_static_file("favicon.ico"))
    app.add_url_rule("/static/<path:filename>", "plain_static", app.send_static_file)

    @app.after_request
    def keep(response: Response) -> Response:
        """Not while somebody is working on them (`flask run --debug`)."""
        if request.endpoint not in ("static", "bootstrap.static"):
            return response
        if response.status_code in (200, 304) and not app.debug:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
            for name in ("ETag", "Last-Modified", "Content-Disposition"):
                response.headers.pop(name, None)  # nobody asks again
        if response.status_code == 200 and response.mimetype in TEXTS:
            response.direct_passthrough = False
            response.make_sequence()  # read here, since only what is not streamed is compressed
        return response


def static(filename: str) -> str:
    """The address of a style or a script. Not by `url_for`: a page has twenty of them, and nothing in them
    has to be found out."""
    return f"{request.script_root}{current_app.static_url_path}/{filename}"


@cache
def icons() -> dict[str, Markup]:
    """Bootstrap's icons by name, each to stand in a page: together they are a megabyte."""
    return {
        name: Markup(  # noqa: S704 — from the library's own file
            f'<svg class="bi" viewBox="{box}" width="1em" height="1em" fill="currentColor">'
            f"{drawing.strip()}</svg>"
        )
        for box, name, drawing in SYMBOL.findall(SPRITE.read_text(encoding="utf-8"))
    }


def icon_svg(name: str) -> Markup:
    """An icon of Bootstrap's; `KeyError` for a name that there is not."""
    return icons()[name]
