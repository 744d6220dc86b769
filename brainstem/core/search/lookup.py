"""The entries that hold words, of all kinds at once, as far as one may read what they stand for.

Rights come before the limits, so that nobody's finds depend on what she may not see. A statement is made
once for so many words, and asked again with others.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import lru_cache, reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)

from brainstem.core.few import with_few
from brainstem.core.permissions import WHO, Actor, allowed, allowed_ids, anybody
from brainstem.core.resource import Resource
from brainstem.core.search.entries import ENTRIES, Entry
from brainstem.core.search.words import ESCAPE, INDEX, TRIGRAM, phrase
from brainstem.core.sql import AT_MOST, is_of_few, position_of, unindexed
from brainstem.core.transactions import execute
from brainstem.extensions import db

#: So many entries are looked at that hold words, and so many whose names begin with them.
LOOKED_AT = 200
#: Words that have no trigrams are looked for in so many entries, the newest.
NEWEST = 500

#: Behind every text that begins with another one stands that one with this.
LAST = "\U0010ffff"

#: By whom each kind is searched: administrators look after some of them.
Actors = Mapping[Resource, Actor]
#: The same for a statement that is asked by everybody.
Kinds = tuple[tuple[Resource, Actor], ...]
#: The ids of records, by their kinds' names.
Entries = dict[str, set[uuid.UUID]]

_NEWEST = bindparam("newest", type_=Integer())

#: In the place of a kind: there is more of those that are looked for together.
MORE = ""


def held(actors: Actors, words: list[str]) -> tuple[Entries, set[str]]:
    """What holds all of these words in one entry, and the kinds of which there is more."""
    # Those that have trigrams come first.
    words = sorted(words, key=lambda each: len(each) < TRIGRAM)
    indexed = sum(len(each) >= TRIGRAM for each in words)
    statement = _holding(_kinds(actors), db.engine.dialect.name, indexed, len(words))
    values = {"most": LOOKED_AT} if indexed else {"most": LOOKED_AT, "newest": NEWEST}
    found = _found(actors, statement, values | _spelled(words, indexed))
    cut = {kind for kind, ids in found.items() if len(ids) > LOOKED_AT}
    if found.pop(MORE, None):
        cut.update(kind.name for kind in actors if kind.roles is None)
    return found, cut


def called(actors: Actors, text: str) -> Entries:
    """What has a name that begins so."""
    values = {"least": text, "last": text + LAST, "most": LOOKED_AT}
    return _found(actors, _called(_kinds(actors)), values)


def rarest(words: list[str]) -> str:
    """The word that the fewest entries hold; of those that have trigrams, where there are any."""
    known = [each for each in words if len(each) >= TRIGRAM]
    if len(known) < 2:
        return known[0] if known else max(words, key=len)
    statement = _numbers(db.engine.dialect.name, len(known))
    numbers = execute(statement, {"most": LOOKED_AT} | _spelled(known, len(known))).one()
    number = dict(zip(known, numbers, strict=True))
    return min(known, key=lambda each: (number[each], -len(each)))


def _spelled(words: list[str], indexed: int) -> dict[str, str]:
    """Words as they stand in a statement: as they are, and as the index takes them."""
    values = {f"word{n}": each for n, each in enumerate(words)}
    return values | {f"phrase{n}": phrase(each) for n, each in enumerate(words[:indexed])}


def _kinds(actors: Actors) -> Kinds:
    return tuple((kind, anybody(with_few(actor, kind))) for kind, actor in actors.items())


def _found(actors: Actors, statement: Executable, values: dict[str, Any]) -> Entries:
    found: Entries = {}
    who = {WHO.key: next(iter(actors.values())).user_id}
    for kind, record_id in execute(statement, values | who):
        found.setdefault(kind, set()).add(record_id)
    return found


@lru_cache(200)
def _holding(kinds: Kinds, dialect: str, indexed: int, number: int) -> Executable:
    """(kind, id of a record) of so many words, of which the first ones are looked up in the index.

    Of kinds with roles of their own, or where it is known, one may read but few: they are looked at one by
    one. Of all others together there is a row more, of the kind `MORE`, where not all was looked at.
    """
    texts = [position_of(Entry.text, bindparam(f"word{n}")) > 0 for n in range(number)]
    others = tuple(each for each in kinds if not _few(*each))
    if indexed:
        some = _indexed(dialect, range(indexed)).add_columns(Entry.kind, Entry.record_id)
        some = some.where(*texts, _readable(others)).limit(AT_MOST + 1).cte()
        those, most = select(some.c.kind, some.c.record_id), AT_MOST
    else:
        some = select(Entry.kind, Entry.record_id, and_(*texts).label("held"))
        some = some.where(_readable(others)).order_by(Entry.id.desc()).limit(_NEWEST + 1).cte()
        those, most = select(some.c.kind, some.c.record_id).where(some.c.held), _NEWEST
    number = select(func.count()).select_from(some).scalar_subquery()
    parts = [those, select(literal(MORE), null()).where(number > most)]
    for kind, actor in kinds:
        if _few(kind, actor):
            mine = is_of_few(Entry.record_id, select(allowed_ids(actor, kind).subquery()))
            its = select(Entry.kind, Entry.record_id).where(
                unindexed(Entry.kind) == kind.name, mine, *texts
            )
            parts.append(select(its.limit(AT_MOST + 1).subquery()))
    return union_all(*parts)


def _few(kind: Resource, actor: Actor) -> bool:
    return kind.roles is not None or actor.reads_few


def _indexed(dialect: str, words: range) -> Select:
    """A select of the entries that may hold words, as the index finds them: one can stop after some."""
    phrases = [bindparam(f"phrase{n}", type_=String()) for n in words]
    if dialect != "sqlite":
        return select().where(*(Entry.text.like(each, escape=ESCAPE) for each in phrases))
    joined = reduce(lambda some, each: some.concat(literal(" AND ")).concat(each), phrases)
    matched = INDEX.c.search_index.op("MATCH", is_comparison=True)(joined)
    return select().select_from(Entry).join(INDEX, INDEX.c.rowid == Entry.id).where(matched)


@lru_cache(20)
def _called(kinds: Kinds) -> Select:
    title = Entry.title
    begins = (title >= bindparam("least"), title < bindparam("last"))
    names = [kind.name for kind, _ in kinds]
    found = select(Entry.kind, Entry.record_id).where(Entry.kind.in_(names), *begins)
    return found.where(_readable(kinds)).limit(AT_MOST)


@lru_cache(20)
def _numbers(dialect: str, number: int) -> Select:
    """How many entries hold each of so many words, as far as that matters."""
    some = (_indexed(dialect, range(n, n + 1)).add_columns(literal(1)) for n in range(number))
    some = (each.limit(AT_MOST + 1).subquery() for each in some)
    return select(*(select(func.count()).select_from(each).scalar_subquery() for each in some))


def _readable(kinds: Kinds) -> ColumnElement[bool]:
    """Whether one may read what an entry stands for: asked of one entry after the other."""
    return case(*((Entry.kind == each[0].name, _reads(*each)) for each in kinds), else_=false())


def _reads(kind: Resource, actor: Actor) -> ColumnElement[bool]:
    # The offset keeps PostgreSQL from reading all records of the kind beforehand.
    its = select(literal(1)).where(kind.model.id == Entry.record_id, allowed(actor, kind)).offset(0)
    return its.correlate(ENTRIES).exists()
