"""`flask backup`, `flask restore`, `flask export`, `flask upgrade` (contract §14)."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from brainstem import outages
from brainstem.backups import backup, export, reading, restore, upgrade
from brainstem.commands import Command
from brainstem.core.permissions import Actor
from brainstem.records import audit

#: Whoever may type commands on the server.
COMMAND = Actor(None, way="command")

AFTERWARDS = "Everybody has to sign in again. Start all servers of this database again."

PATH = click.Path(path_type=Path)


def init_app(app: Flask) -> None:
    """Register the commands with `flask`."""
    for command in (backup_command, restore_command, export_command, upgrade_command):
        app.cli.add_command(command)


@click.command("backup", cls=Command)
@click.argument("file", type=PATH)
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
@click.option(
    "--keep", type=click.IntRange(min=1), help="Of the backups in the folder, keep so many."
)
@click.option(
    "--check", is_flag=True, help="Make none: read one to its end, and say if it is whole."
)
def backup_command(file: Path, overwrite: bool, keep: int | None, check: bool) -> None:
    """Back up the database into FILE, while the server runs.

    FILE may be a folder: then the backup is named after its time, and --keep 14 removes all but the
    newest 14. The file holds what the database holds, so keep it as safe.
    """
    if check:
        click.echo(f"{file} is whole. {backup.told(backup.check(file))}.")
        return
    path, manifest = backup.make(file, overwrite=overwrite, keep=keep)
    click.echo(f"{path}: {backup.told(manifest)}.")
    try:
        audit.note(audit.Event.BACKUP, COMMAND, file=str(path.resolve()))
    except SQLAlchemyError as error:
        # It is made all the same, and the better for it: the disk may be full, or this a copy.
        if (outage := outages.of(error)) is None:
            raise
        click.echo(f"It could not be noted in the audit log. {outage.title}.", err=True)


@click.command("restore", cls=Command)
@click.argument("file", type=PATH)
@click.option("--overwrite", is_flag=True, help="Replace all the records that the database has.")
def restore_command(file: Path, overwrite: bool) -> None:
    """Make the database what FILE says, or change nothing.

    FILE is a backup, or the folder of an export. Stop all servers first, and start them afterwards: what is
    entered meanwhile would be lost, and those that run on would let nobody in.
    """
    if file.is_dir():
        made = reading.read(file, overwrite=overwrite)
        rows = sum(each.rows for each in made.tables.values())
        done = f"Read {file}, made {made.made}: {rows:,} rows."
        if not made.secrets:
            done += (
                "\nIt has no passwords and no tokens. Make an administrator (flask user add EMAIL "
                "--admin), who gives people new passwords on the page People."
            )
    else:
        made = restore.restore(file, overwrite=overwrite)
        done = f"Restored {file}: {backup.told(made)}."
    audit.note(audit.Event.RESTORE, COMMAND, file=str(file.resolve()), made=made.made)
    click.echo(f"{done}\n{AFTERWARDS}")


@click.command("export", cls=Command)
@click.argument("folder", type=PATH)
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Password hashes, tokens and the audit log too: to move to another database.",
)
def export_command(folder: Path, with_secrets: bool) -> None:
    """Write everything as JSON lines and CSV into a new FOLDER, while the server runs.

    Its README.txt says what is what. `flask restore FOLDER` reads it back, on SQLite and PostgreSQL alike.
    """
    made = export.export(folder, with_secrets=with_secrets)
    audit.note(audit.Event.EXPORT, COMMAND, folder=str(folder.resolve()), secrets=with_secrets)
    rows = sum(each.rows for each in made.tables.values())
    click.echo(
        f"{folder}: {rows:,} rows of {len(made.tables)} tables; see {folder / 'README.txt'}."
    )


@click.command("upgrade", cls=Command)
@click.option("--without-backup", is_flag=True, help="Make no backup before.")
def upgrade_command(without_backup: bool) -> None:
    """Bring the database up to this version of the program, after a backup of it.

    The server does this when it starts. It says nothing where there is nothing to do.
    """
    upgrade.bring_up_to_date(click.echo, without_backup=without_backup)
