"""Generated requests in their short form: see `tests/soak/generated.py`, and `make soak` for the long one."""

from __future__ import annotations

from tests.soak.generated import one_round


def test_every_answer_is_as_the_document_says(app, person):
    ada = person("ada@lab.org", admin=True)
    # Each database gets requests of its own.
    kind = app.config["SQLALCHEMY_DATABASE_URI"].split(":")[0]
    found = one_round(app, ada, kind, 2, (0 if kind == "sqlite" else 1, 2))
    assert not found.problems, "\n\n".join(found.problems)
