"""Running the commands on a database of one's own."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from brainstem.backups import upgrade
from tests.filled import running


@pytest.fixture(scope="session")
def flask():
    """Runs a command on the database at an address: `flask(url, "backup", path)`."""

    def run(url, *words, **settings):
        with running(url, **settings) as app:
            return app.test_cli_runner().invoke(
                args=[str(word) for word in words], catch_exceptions=False
            )

    return run


@pytest.fixture(autouse=True)
def for_now(request):
    """A test's own databases go with it."""
    with ExitStack() as stack:
        for name in {"filled", "target"} & set(request.fixturenames):
            stack.enter_context(request.getfixturevalue(name).for_now())
        yield


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    """Where the backups go that are made before an upgrade."""
    monkeypatch.setattr(upgrade, "folder", lambda: tmp_path / "kept")
    return tmp_path / "kept"
