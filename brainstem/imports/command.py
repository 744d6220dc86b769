"""`flask import`: tables from the command line, as by the pages (contract §14)."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from sqlalchemy import select

from brainstem.commands import Command
from brainstem.core.permissions import Actor
from brainstem.extensions import db
from brainstem.imports import carrying, matching, runs, tables
from brainstem.imports.kinds import KINDS, ImportKind
from brainstem.imports.plan import Plan, usable_default
from brainstem.records.users import User


@click.command("import", cls=Command)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", help="The project of rows that name none of yours: its name, or its id.")
@click.option("--user", "email", required=True, help="Who imports: what she may do decides.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it; store nothing.")
@click.option(
    "--skip-refused", is_flag=True, help="Import the rows that can be, without the others."
)
def import_command(
    kind: str, file: Path, project: str | None, email: str, dry_run: bool, skip_refused: bool
) -> None:
    """Import a CSV file of sessions, subjects or epochs: all of it, or nothing.

    What is wrong is said a line each on standard output, with its row and column; then the exit code
    is 1 and nothing was stored, but for --skip-refused.
    """
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise click.ClickException(f"There is no user {email}.")
    plan = _plan(Actor(user.id, way="command"), KINDS[kind], file, project)
    progress = _progress(len(plan.table.rows))
    try:
        if dry_run:
            outcomes = carrying.rehearse(plan, progress)
        else:
            outcomes, _ = carrying.store(
                plan, runs.summary_of(file.name), skip=skip_refused, progress=progress
            )
    except carrying.Refused as refused:
        _end_progress()
        _tell(refused.outcomes, "Nothing was imported")
        sys.exit(1)
    _end_progress()
    refusals = _tell(outcomes, "Nothing was stored: this was a dry run" if dry_run else "")
    sys.exit(1 if refusals and not skip_refused else 0)


def _plan(actor: Actor, kind: ImportKind, file: Path, project: str | None) -> Plan:
    """What the file asks for; in a line what stands against it."""
    try:
        with file.open("rb") as opened:
            table = tables.read(opened.read(tables.MOST_BYTES + 1))
    except (tables.UnreadableTable, OSError) as error:
        raise click.ClickException(str(error)) from None
    matched = matching.guess(kind, table.header)
    if missing := matching.problems(kind, table.header, matched)["missing"]:
        raise click.ClickException(
            f"No column of the first row ({', '.join(table.header[:8])}"
            f"{' …' if len(table.header) > 8 else ''}) is known as: {', '.join(missing)}."
        )
    default = ""
    if project is not None:
        if not kind.default:
            raise click.UsageError(
                f"--project does not go with {kind.plural}: their session has it."
            )
        try:
            default = usable_default(actor, kind, project)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    left_out = [
        name for name, target in zip(table.header, matched, strict=True) if name and not target
    ]
    if left_out:
        click.echo(f"Left out: column {', column '.join(left_out)}.", err=True)
    plan = Plan(actor, kind, table, matched, default)
    return _apart(plan) if default else plan


def _apart(plan: Plan) -> Plan:
    """The plan, less the projects of somebody else's lab: they are kept as what they are, texts."""
    matched = list(plan.matched)
    for index in plan.of_others():
        name = plan.table.header[index]
        key = matching.extra_key(plan.kind, name)
        matched[index] = matching.NOWHERE if key in matched else key
        click.echo(
            f"Column {name} names no {plan.kind.default} of yours: kept as a text.", err=True
        )
    return Plan(plan.actor, plan.kind, plan.table, matched, plan.default)


def _progress(total: int) -> carrying.Progress:
    """A line that counts, where somebody watches."""
    if not sys.stderr.isatty():
        return lambda done: None
    return lambda done: click.echo(f"\r{done:,} of {total:,} rows", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo(err=True)


def _tell(outcomes: list[carrying.Outcome], ending: str) -> int:
    """Say what came of the rows; how many were refused."""
    for outcome in outcomes:
        for line in outcome.lines:
            click.echo(line)
    counts = carrying.count(outcomes)
    click.echo(", ".join(f"{count:,} {deed}" for deed, count in counts.items()) + ".")
    if ending:
        click.echo(f"{ending}.")
    return counts[carrying.REFUSED]
