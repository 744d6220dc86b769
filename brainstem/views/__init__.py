"""HTTP alone: read the request, call an operation, render what it returns."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    from brainstem.views import (
        account,
        api,
        audit,
        bulk,
        choices,
        device,
        duplicate,
        forms,
        health,
        history,
        home,
        imports,
        pages,
        people,
        public,
        publish,
        reference,
        search,
        security,
        sessions,
        sign_in_again,
        status,
        users,
    )
    from brainstem.views.lists import routes as lists

    for module in (account, api, device, history, home, pages, people, public, publish, reference):
        app.register_blueprint(module.bp)
    for module in (bulk, duplicate, forms, imports, lists, sessions, users):
        app.register_blueprint(module.bp)
    app.register_blueprint(choices.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(status.bp)
    app.register_blueprint(audit.bp)
    app.register_blueprint(search.bp)
    app.register_blueprint(sign_in_again.bp)
    sign_in_again.init_app(app)
    security.init_app(app)
