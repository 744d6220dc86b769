"""The application that gunicorn and the `flask` command load."""

from brainstem import create_app

app = create_app()
