"""The database as a whole: kept, brought back, carried elsewhere, brought up to date.

archive.py      the file of a backup: what is in it, written whole or not at all
stores/         what SQLite and PostgreSQL need for it, each in its own way
revisions.py    which revision a database is at, and the transaction that changes it
backup.py       a backup, made while the server runs, and looked at
restore.py      a backup or an export put into a database, or nothing changed
export.py       everything as JSON lines and CSV; reading.py reads it back
upgrade.py      to the program's revision, with a backup before
command.py      the commands
"""
