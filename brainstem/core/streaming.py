"""All records that a query finds, some at a time: however many there are, they take the same memory.

Which ones they are, and in which order, is settled at once, in one statement. The records are read later,
while they are sent: what was deleted or hidden meanwhile is left out. No transaction stays open while
something is sent, for a reader may be slow.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile

from sqlalchemy import Select, select

from brainstem.core import query
from brainstem.core.permissions import Actor, allowed
from brainstem.core.resource import Resource
from brainstem.core.transactions import execute
from brainstem.extensions import db

#: How many records are read at once.
CHUNK = 500
#: The bytes of an id, and how many bytes of ids are kept in memory; the others wait in a file.
ID, IN_MEMORY = 16, 1024 * 1024


def ids_of(actor: Actor, resource: Resource, asked: query.Query) -> Select:
    """The ids of all records that a query finds, in its order."""
    model = resource.model
    order = asked.order or query.usual_order(actor, resource)
    found = select(model.id).where(allowed(actor, resource)).order_by(*order)
    return query.narrowed(found, asked, query.rules(actor, resource, asked))


def texts(
    actor: Actor,
    resource: Resource,
    asked: query.Query,
    write: Callable[[list[uuid.UUID]], str],
) -> Iterator[str]:
    """What `write` makes of all records that a query finds, `CHUNK` of them at a time, in its order.

    It is given their ids, and looks again which of them are there and may be read.
    """
    found = _texts(ids_of(actor, resource, asked), write)
    next(found)
    return found


def _texts(found: Select, write: Callable[[list[uuid.UUID]], str]) -> Iterator[str]:
    """First nothing, when it is settled which records they are; then what is made of them."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        for ids in execute(found.execution_options(yield_per=CHUNK)).scalars().partitions():
            kept.write(b"".join(each.bytes for each in ids))
        kept.seek(0)
        yield ""
        while part := kept.read(CHUNK * ID):
            text = write([uuid.UUID(bytes=part[at : at + ID]) for at in range(0, len(part), ID)])
            # Before it is sent.
            db.session.rollback()
            yield text
