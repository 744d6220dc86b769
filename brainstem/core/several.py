"""Many records in one go: all of them are stored, or none."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError
from sqlalchemy import UniqueConstraint, select

from brainstem.core import operations, reading
from brainstem.core.judging import known_free
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.core.schemas import Text, unstorable
from brainstem.core.transactions import in_bulk, operation
from brainstem.errors import Forbidden
from brainstem.extensions import db

#: More than this are sent in several requests: whoever else wants to store something waits meanwhile.
MOST_AT_ONCE = 1000


@operation
def create(actor: Actor, resource: Resource, payloads: list[Any]) -> list[reading.Sent]:
    """Store new records, in their order; each is judged as if it came alone, after those before it.

    `ValidationError` has everything that is wrong, by position and field. What is wrong is said before
    what is forbidden, as for one record.
    """
    if not 1 <= len(payloads) <= MOST_AT_ONCE:
        raise ValidationError(f"Send a list of 1 to {MOST_AT_ONCE} records.")
    records, wrong, refused = [], {}, None
    with in_bulk():
        _ask_for_free(resource, payloads)
        for place, payload in enumerate(payloads):
            try:
                if not isinstance(payload, dict):
                    wrong[str(place)] = [resource.schema.error_messages["type"]]
                    continue
                records.append(operations.add(actor, resource, payload))
            except ValidationError as error:
                wrong[str(place)] = error.normalized_messages()
            except Forbidden as error:
                refused = refused or error
    if wrong:
        raise ValidationError(wrong)
    if refused:
        raise refused
    return reading.sent(actor, resource, [record.id for record in records])


def _ask_for_free(resource: Resource, payloads: list[Any]) -> None:
    """Find out at once which of the texts that must be unique stand nowhere yet."""
    declared, columns = resource.schema._declared_fields, resource.model.__table__.c
    for constraint in resource.model.__table__.constraints:
        names = [column.name for column in constraint.columns]
        if not isinstance(constraint, UniqueConstraint) or len(names) > 1:
            continue
        (name,) = names
        if isinstance(declared.get(name), Text):
            sent = (each.get(name) for each in payloads if isinstance(each, dict))
            texts = {
                each.strip() for each in sent if isinstance(each, str) and not unstorable(each)
            }
            taken = db.session.scalars(select(columns[name]).where(columns[name].in_(texts)))
            known_free(resource, names).update((each,) for each in texts - set(taken))
