"""Commands for the lab's administrator (contract §14)."""

from __future__ import annotations

import json
import sys

import click
from flask import Flask
from sqlalchemy import select

from brainstem import demo, health, status
from brainstem.backups import command as backups
from brainstem.commands import Command, CommandGroup
from brainstem.core import search
from brainstem.core.permissions import Actor
from brainstem.extensions import db
from brainstem.imports.command import import_command
from brainstem.records import audit, limits
from brainstem.records.audit import AuditEvent
from brainstem.records.tokens import add_token
from brainstem.records.users import User, add_user

user_commands = CommandGroup("user", help="Users: add one, give one a new password.")
token_commands = CommandGroup("token", help="Access tokens for scripts: add one.")


def init_app(app: Flask) -> None:
    """Register the commands with `flask`."""
    app.cli.add_command(user_commands)
    app.cli.add_command(token_commands)
    app.cli.add_command(print_audit)
    app.cli.add_command(load_demo)
    app.cli.add_command(import_command)
    app.cli.add_command(reindex)
    app.cli.add_command(status_command)
    backups.init_app(app)


PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@user_commands.command("add")
@click.argument("email")
@click.option("--first-name", default="", help="Given name.")
@click.option("--last-name", default="", help="Family name.")
@click.option("--admin", is_flag=True, help="Make the user an administrator.")
@PASSWORD_STDIN
def add_user_command(
    email: str, first_name: str, last_name: str, admin: bool, password_stdin: bool
) -> None:
    """Add a user; asks for the password, twice."""
    payload = {
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "password": _password(password_stdin),
    }
    user = add_user(payload, is_admin=admin)
    click.echo(f"Added {user.email}" + (" (administrator)." if admin else "."))


@user_commands.command("password")
@click.argument("email")
@PASSWORD_STDIN
def give_password_command(email: str, password_stdin: bool) -> None:
    """Give a user a new password; ends sign-ins with the old one, and the block after wrong ones."""
    payload = {"password": _password(password_stdin)}
    user = limits.give_password(email, payload)
    click.echo(f"{user.email} has a new password.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)


@click.command("audit", cls=Command)
@click.option("--last", default=20, type=click.IntRange(1, 100_000), help="How many events.")
def print_audit(last: int) -> None:
    """Print the last events of the audit log, one a line as JSON, the last one last."""
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(last))
    for event in reversed(events.all()):
        click.echo(json.dumps(audit.told(event), ensure_ascii=False))


@token_commands.command("add")
@click.argument("email")
@click.argument("name")
def add_token_command(email: str, name: str) -> None:
    """Add a token for a user, and print it: nothing else, and never again."""
    user = _user(email)
    _, secret = add_token(Actor(user.id, way="command"), {"name": name})
    click.echo(secret)


@click.command("demo", cls=Command)
@click.option("--user", "email", help="Whose data it shall be; else the first administrator's.")
def load_demo(email: str | None = None) -> None:
    """Load 39 real sessions to try the program with; a second time changes nothing."""
    user = _user(email) if email else _first_administrator()
    made = demo.load(Actor(user.id, way="command"))
    click.echo(f"{made} sessions added; {user.email} owns them.")


@click.command("reindex", cls=Command)
@click.option("--check", is_flag=True, help="Only say whether the index is true to the records.")
def reindex(check: bool) -> None:
    """Write the search index anew. It is kept true by itself: this is for when something went wrong."""
    if not check:
        click.echo(f"The search index has {search.rebuild()} entries.")
    elif wrong := sum(1 for _ in search.untrue()):
        raise click.ClickException(
            f"The search index is wrong about {wrong} records; flask reindex writes it anew."
        )
    else:
        click.echo("The search index is true to the records.")


@click.command("status", cls=Command)
def status_command() -> None:
    """How the server is: what the page Status says. The exit code is 1 where something is not well."""
    for part, state in health.ready().items():
        if state not in (health.OK, health.UNKNOWN):
            raise click.ClickException(f"{part.capitalize()}: {state}.")
    found = status.parts()
    for part in found:
        click.echo(f"{part.title}")
        for fact in part.facts:
            click.echo(f"  {fact.name}: {fact.value}")
    wrong = status.problems(found)
    for fact in wrong:
        click.echo(f"{fact.name}: {fact.value}. {fact.problem}", err=True)
    sys.exit(1 if wrong else 0)


def _user(email: str) -> User:
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise click.ClickException(f"There is no user {email}.")
    return user


def _first_administrator() -> User:
    statement = select(User).where(User.is_admin).order_by(User.created_date, User.id).limit(1)
    user = db.session.scalar(statement)
    if user is None:
        raise click.ClickException(
            "There is no administrator yet, who would own the data. Start the server (make run) and "
            "open /setup, or: .venv/bin/flask user add EMAIL --admin"
        )
    return user
