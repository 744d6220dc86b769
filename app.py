"""The application that gunicorn and the `flask` command load."""

import sys

from brainstem import create_app, logs
from brainstem.config import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))
logs.configure(app.config["LOG_FORMAT"], app.config["LOG_LEVEL"])
