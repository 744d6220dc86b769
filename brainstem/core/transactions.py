"""One transaction an operation: all of it is stored, or nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from brainstem.extensions import db

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 4


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction of its own; inside another operation, as a part of that one.

    Where another transaction got in between (a name taken since it was checked, a deadlock), the
    database refuses, and the operation runs again from its beginning: then its own checks see what
    happened and say it in words, by field.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if "operation" in db.session.info:
            return function(*args, **kwargs)
        for last in [False] * (TRIES - 1) + [True]:
            # What was read so far (who is signed in) ends here: a transaction that writes begins as
            # one, and sees all that was stored before it began.
            db.session.commit()
            db.session.connection(execution_options={"write": True})
            db.session.info["operation"] = {}
            try:
                result = function(*args, **kwargs)
                db.session.commit()
                return result
            except DBAPIError as error:
                db.session.rollback()
                if last or not got_in_between(error):
                    raise
            except BaseException:
                db.session.rollback()
                raise
            finally:
                db.session.info.pop("operation", None)
        raise AssertionError("unreachable")

    return run


def got_in_between(error: DBAPIError) -> bool:
    """Whether another transaction is to blame: a constraint, a deadlock, a serialisation failure."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return isinstance(error, IntegrityError) or state.startswith("40")
