"""HTTP alone: read the request, call an operation, render what it returns."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    from brainstem.views import account, api, home, pages, security

    for module in (account, api, home, pages):
        app.register_blueprint(module.bp)
    security.init_app(app)
