"""BrainSTEM for the lab: sessions of experiments, recorded in a browser or by scripts."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from brainstem import assets, cli, config, database, errors, logs, proxies, records, signing, views
from brainstem.extensions import bootstrap, csrf, db, login_manager, migrate
from brainstem.templating import Templates
from brainstem.version import VERSION as __version__

__all__ = ["__version__", "create_app"]


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The application; `settings` take precedence over the environment (tests use them)."""
    app = Flask(
        __name__,
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
        static_url_path=assets.address(),
        instance_path=str(config.INSTANCE),
    )
    app.config.from_object(config.Fixed)
    app.config.from_mapping(config.read())
    app.config.from_mapping(settings or {})
    app.json.sort_keys = False
    app.jinja_environment = Templates
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    # Addresses answer with and without the closing slash, for every method (contract §1).
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    logs.init_app(app)
    proxies.init_app(app)
    database.init_app(app)
    signing.init_app(app)
    migrate.init_app(app, db, directory=str(config.ROOT / "migrations"), render_as_batch=True)
    login_manager.init_app(app)
    csrf.init_app(app)
    bootstrap.init_app(app)
    assets.init_app(app)

    records.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    cli.init_app(app)
    return app
