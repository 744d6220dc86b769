"""The file of a backup: a ZIP file of the database's dump and `manifest.json`, which says what it is.

{"format": "brainstem-backup-1", "database": "sqlite", "revision": "0014", "made": "2026-11-25T02:15:00Z",
 "program": "…", "rows": {"session": 39, …}, "dump": "database.sqlite3", "bytes": 123, "sha256": "…"}
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO

from brainstem.errors import ProgramError

FORMAT = "brainstem-backup-1"
MANIFEST = "manifest.json"
CHUNK = 1024 * 1024

#: What the dump of a database is called in it. It says so too, but is not asked: anybody may have made it.
DUMPS = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}


class Unusable(ProgramError):
    """A file that can't be written or read, or is not what it should be; the message says which and why."""


@dataclass
class Manifest:
    """What a backup is; `rows` counts those of each table."""

    database: str
    revision: str
    made: str
    program: str
    rows: dict[str, int]
    dump: str
    bytes: int = 0
    sha256: str = ""
    format: str = FORMAT


def private(path: str, flags: int) -> int:
    """The `opener` of a new file that its owner alone can read."""
    return os.open(path, flags, 0o600)


@contextmanager
def new_file(path: Path, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is whole and on the disk; only its owner can read it."""
    if path.exists() and not overwrite:
        raise Unusable(f"{path} exists already. Choose another name, or say --overwrite.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with told(path):
        file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            with os.fdopen(file, "w+b") as opened:
                yield opened
                opened.flush()
                os.fsync(opened.fileno())
            draft.replace(path)
            sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the disk remember the folder's names too."""
    file = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems know no such thing.
        with suppress(OSError):
            os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say of a file in plain words what the system has against it."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise Unusable(f"{path} can't be used: {error.strerror or error} ({where}).") from error


class Hashing:
    """A file that is written to, counting and hashing what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.bytes = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    @property
    def sha256(self) -> str:
        """What it is until now."""
        return self._hash.hexdigest()


@contextmanager
def writing(file: IO[bytes], manifest: Manifest, *, packed: bool) -> Iterator[Hashing]:
    """Write a dump into a new archive, and after it the manifest; `packed` it is compressed already."""
    method = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w", method, compresslevel=None if packed else 6) as archive:
        with archive.open(manifest.dump, "w", force_zip64=True) as entry:
            hashing = Hashing(entry)
            yield hashing
        manifest.bytes, manifest.sha256 = hashing.bytes, hashing.sha256
        archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2))


@contextmanager
def reading(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup; `Unusable` for what is none, or has been cut short."""
    with told(path):
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise Unusable(f"{path} is no backup, or it is not whole.") from None
        with archive:
            yield archive, _manifest(path, archive)


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        found = json.loads(archive.read(MANIFEST))
        if found["format"] != FORMAT:
            raise Unusable(
                f"{path} is a backup in a form that this program does not know ({found['format']}). "
                "The version of the program that made it can read it."
            )
        manifest = Manifest(**{field.name: found[field.name] for field in fields(Manifest)})
        if manifest.dump != DUMPS[manifest.database]:
            raise ValueError(manifest.dump)
        return manifest
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, NotImplementedError):
        raise Unusable(f"{path} is no backup, or it is damaged.") from None


def copy_out(path: Path, archive: zipfile.ZipFile, manifest: Manifest, target: IO[bytes]) -> None:
    """Write the dump into a file; `Unusable` where it is not to the letter what was backed up."""
    hashing = Hashing(target)
    try:
        with archive.open(manifest.dump) as entry:
            while chunk := entry.read(CHUNK):
                hashing.write(chunk)
    except (KeyError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
        raise Unusable(f"{path} is damaged: {error}. Nothing was changed.") from None
    if (hashing.bytes, hashing.sha256) != (manifest.bytes, manifest.sha256):
        raise Unusable(f"{path} is damaged: its checksum is wrong. Nothing was changed.")
    target.flush()
