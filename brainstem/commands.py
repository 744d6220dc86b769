"""What all commands have in common: what goes wrong ends them with exit code 1 and says so in plain lines."""

from __future__ import annotations

from typing import Any

import click
import psycopg
from flask.cli import AppGroup
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from brainstem import health, outages
from brainstem.core.schemas import texts_in
from brainstem.errors import ProgramError


class Command(click.Command):
    """A command that tells a person what went wrong; only a defect of the program ends it in a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(context)
        except ValidationError as error:
            lines = [
                f"{name}: {' '.join(texts_in(message))}"
                for name, message in error.normalized_messages().items()
            ]
            raise click.ClickException("\n".join(lines)) from None
        except ProgramError as error:
            raise click.ClickException(str(error)) from None
        except (SQLAlchemyError, psycopg.Error) as error:
            if said := refusal(error):
                raise click.ClickException(said) from None
            raise


class CommandGroup(AppGroup):
    """A group of such commands."""

    command_class = Command


def refusal(error: Exception) -> str | None:
    """Why the database can't be worked with, and what to do, in a line; None for a defect of the program."""
    reason = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    if outage := outages.of(error):
        to_do = outage.text
        if outage is outages.AWAY:
            to_do = "Look at DATABASE_URL, and whether the database runs."
        return f"{outage.title}: {reason}. {to_do}"
    migrations = health.ready()["migrations"]
    if migrations == health.UNKNOWN:
        return f"The database does not answer as it should: {reason}. Look at DATABASE_URL."
    if migrations != health.OK:
        return (
            f"The database is not ready: {reason}. Bring it up to date first: make run, or "
            "flask upgrade."
        )
    return None
