"""HTTP alone: read the request, call an operation, render what it returns."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    from brainstem.views import (
        account,
        api,
        device,
        home,
        pages,
        people,
        public,
        publish,
        reference,
        security,
    )

    for module in (account, api, device, home, pages, people, public, publish, reference):
        app.register_blueprint(module.bp)
    security.init_app(app)
