"""All records that a query finds, some at a time: however many there are, they take the same memory.

Which ones they are, and in which order, is settled at once, in one statement. The records are read later,
while they are sent: what was deleted or hidden meanwhile is left out. No transaction stays open for a
reader who is slow.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from sqlalchemy import Select, select

from brainstem.core import query, references
from brainstem.core.permissions import Actor, allowed
from brainstem.core.resource import Resource
from brainstem.extensions import db

#: How many records are read at once.
CHUNK = 500
#: The bytes of an id, and how many bytes of ids are kept in memory; the others wait in a file.
ID, IN_MEMORY = 16, 1024 * 1024


def ids_of(actor: Actor, resource: Resource, asked: query.Query) -> Select:
    """The ids of all records that a query finds, in its order."""
    model = resource.model
    return select(model.id).where(allowed(actor, resource), *asked.where).order_by(*asked.order)


def everything(
    actor: Actor, resource: Resource, asked: query.Query
) -> Iterator[list[references.View]]:
    """All records that a query finds, in its order, `CHUNK` at a time."""
    chunks = _chunks(actor, resource, asked)
    next(chunks)
    return chunks


def _chunks(
    actor: Actor, resource: Resource, asked: query.Query
) -> Iterator[list[references.View]]:
    """First an empty chunk, when it is settled which records they are; then all of them."""
    model, found = resource.model, ids_of(actor, resource, asked)
    with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        for ids in db.session.scalars(found.execution_options(yield_per=CHUNK)).partitions():
            kept.write(b"".join(each.bytes for each in ids))
        kept.seek(0)
        yield []
        while part := kept.read(CHUNK * ID):
            ids = [uuid.UUID(bytes=part[at : at + ID]) for at in range(0, len(part), ID)]
            statement = select(model).where(model.id.in_(ids), allowed(actor, resource))
            records = {each.id: each for each in db.session.scalars(statement)}
            there = [records[each] for each in ids if each in records]
            yield references.view(actor, resource, there, asked.include)
            db.session.rollback()
