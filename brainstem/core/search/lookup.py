"""The entries that hold words, of all kinds at once, as far as one may read what they stand for.

Rights come before the limits: what is found, and whether there is more, does not depend on what one may
not see; but for which ones come of more than enough (`_first`), and which of several words is the `rarest`.
A statement is made once for so many words, and asked again with others.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    CTE,
    ColumnElement,
    Engine,
    Executable,
    FromClause,
    Integer,
    Select,
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
from brainstem.core.search.words import ESCAPE, INDEX, TRIGRAM, Word, matches, spelled
from brainstem.core.sql import AT_MOST, constant, is_of_few, position_of, unindexed
from brainstem.core.transactions import execute
from brainstem.extensions import db

#: So many entries are looked at that hold words.
LOOKED_AT = 100
#: So many of each kind, whose names begin with them: more than are shown.
CALLED = 10
#: Words that have no trigrams are looked for in so many entries, the newest.
NEWEST = 200
#: PostgreSQL looks for a word in so many entries, the newest, before it asks its index: in the larger number
#: where so many of the smaller one hold it.
FIRST, LIKELY = (500, 2000), 20
#: But only where there may be more entries than this; which is remembered for so many seconds.
LARGE, REMEMBERED = 50_000, 60

#: Behind every text that begins with another one stands that one with this.
LAST = "\U0010ffff"

#: By whom each kind is searched: administrators look after some of them.
Actors = Mapping[Resource, Actor]
#: The same for a statement that is asked by everybody.
Kinds = tuple[tuple[Resource, Actor], ...]
#: What records are called, folded, by their kinds' names and their ids.
Entries = dict[str, dict[uuid.UUID, str]]
#: How entries are looked at: a function of the kinds, the database, and how many words there are, of which so
#: many in the index.
How = Callable[[Kinds, str, int, int], list[Select]]

_NEWEST = bindparam("newest", type_=Integer())

#: What is asked of an entry.
SAID = (Entry.kind, Entry.record_id, Entry.title)

#: In the place of a kind: there is more of those that are looked for together.
MORE = ""


class Lookup:
    """Looks up entries, each kind for its actor."""

    def __init__(self, actors: Actors) -> None:
        self.user_id = next(iter(actors.values())).user_id
        self.kinds = tuple((kind, anybody(with_few(actor, kind))) for kind, actor in actors.items())
        #: Those of which one may read but few, as far as it is known; the others.
        self.few = tuple(each for each in self.kinds if _few(*each))
        self.many = tuple(each for each in self.kinds if not _few(*each))

    def held(self, words: list[str]) -> tuple[Entries, set[str]]:
        """What holds all of these words in one entry, and the kinds of which there is more."""
        # Those that have trigrams come first.
        words = sorted(words, key=lambda each: len(each) < TRIGRAM)
        indexed = sum(len(each) >= TRIGRAM for each in words)
        database = db.engine.dialect.name

        def look(how: How, few: Kinds = (), first: int = 0) -> Entries:
            values = {"most": LOOKED_AT, "newest": NEWEST, "first": first} | spelled(words)
            asked = _holding(few, self.many, how, database, indexed, len(words))
            return self._found(asked, values)

        # PostgreSQL's index finds all that hold a word before it tells of one: of half of 100,000, 12 ms. Of
        # several words, few of the newest hold all.
        if indexed == len(words) == 1 and database == "postgresql" and _last_id() > LARGE:
            found = look(_first, self.few, FIRST[0])
            if MORE not in found and self._number(found) >= LIKELY:
                found |= look(_first, first=FIRST[1])
            if MORE not in found:
                found |= look(_indexed)
        else:
            found = look(_indexed if indexed else _newest, self.few)
        cut = {kind.name for kind, _ in self.many} if found.pop(MORE, None) else set()
        return found, cut | {kind for kind, titles in found.items() if len(titles) > LOOKED_AT}

    def _number(self, found: Entries) -> int:
        """How many there are of kinds of which one may read many."""
        return sum(len(found.get(kind.name, ())) for kind, _ in self.many)

    def called(self, text: str) -> Entries:
        """What has a name that begins so: of each kind the first ones."""
        values = {"least": text, "last": text + LAST, "most": CALLED}
        return self._found(_called(self.kinds), values)

    def _found(self, statement: Executable, values: dict[str, Any]) -> Entries:
        found: Entries = {}
        for kind, record_id, title in execute(statement, values | {WHO.key: self.user_id}).all():
            found.setdefault(kind, {})[record_id] = title
        return found


_last_ids: WeakKeyDictionary[Engine, tuple[int, float]] = WeakKeyDictionary()


def _last_id() -> int:
    """The newest entry's number, of now or a minute ago: there are no more entries than that."""
    last, until = _last_ids.get(db.engine, (0, 0))
    if until < monotonic():
        last = execute(select(func.max(Entry.id))).scalar() or 0
        _last_ids[db.engine] = last, monotonic() + REMEMBERED
    return last


def rarest(words: list[str]) -> str:
    """The word that the fewest entries hold; of those that have trigrams, where there are any."""
    known = [each for each in words if len(each) >= TRIGRAM]
    if len(known) < 2:
        return known[0] if known else max(words, key=len)
    statement = _numbers(db.engine.dialect.name, len(known))
    numbers = execute(statement, {"most": LOOKED_AT} | spelled(known)).one()
    number = dict(zip(known, numbers, strict=True))
    return min(known, key=lambda each: (number[each], -len(each)))


def _texts(number: int) -> list[ColumnElement[bool]]:
    return [position_of(Entry.text, Word.any(n).text) > constant(0) for n in range(number)]


@lru_cache(200)
def _holding(
    few: Kinds,
    many: Kinds,
    how: How,
    database: str,
    indexed: int,
    number: int,
) -> Executable:
    """What is asked of entries that hold so many words: of kinds of which one may read `few`, and of the
    others, `how` is said by one of the functions below. The first ones of the words are in the index.

    Of those others together there is a row more, of the kind `MORE`, where not all was looked at.
    """
    parts = [_of_few(few, number)] if few else []
    return union_all(*parts, *how(many, database, indexed, number))


def _of_few(kinds: Kinds, number: int) -> Select:
    """They are looked at one by one, and of each kind one more is told than is wanted."""
    each = (select(allowed_ids(actor, kind).subquery()) for kind, actor in kinds)
    mine = is_of_few(Entry.record_id, union_all(*each))
    place = func.row_number().over(partition_by=Entry.kind, order_by=Entry.id).label("place")
    some = select(*SAID, place).where(mine, *_texts(number)).subquery()
    return select(*_said(some)).where(some.c.place <= AT_MOST + 1)


def _indexed(kinds: Kinds, database: str, indexed: int, number: int) -> list[Select]:
    """As the index finds them: one can stop after some."""
    found = select().where(_matched(database, range(indexed)))
    if database == "sqlite":
        found = found.select_from(Entry).join(INDEX, INDEX.c.rowid == Entry.id)
    return _some(kinds, found, number)


def _first(kinds: Kinds, database: str, indexed: int, number: int) -> list[Select]:
    """Those among the newest entries, without the index."""
    newest = select(func.max(Entry.id)).scalar_subquery() - bindparam("first", type_=Integer())
    return _some(kinds, select().where(Entry.id > newest).order_by(Entry.id.desc()), number)


def _some(kinds: Kinds, found: Select, number: int) -> list[Select]:
    """Those of the entries that hold the words, as far as one may read what they stand for."""
    rules = *_texts(number), _readable(kinds)
    some = found.add_columns(*SAID).where(*rules).limit(AT_MOST + 1).cte()
    return [select(*_said(some)), _more(some, AT_MOST)]


def _newest(kinds: Kinds, database: str, indexed: int, number: int) -> list[Select]:
    """Where no word is in the index: those among the newest entries that one may read."""
    some = select(*SAID, and_(*_texts(number)).label("held")).where(_readable(kinds))
    some = some.order_by(Entry.id.desc()).limit(_NEWEST + 1).cte()
    return [select(*_said(some)).where(some.c.held), _more(some, _NEWEST)]


def _said(some: FromClause) -> list[ColumnElement]:
    return [some.c[each.key] for each in SAID]


def _more(some: CTE, most: ColumnElement[int]) -> Select:
    """A row of the kind `MORE`, where there are more than these."""
    number = select(func.count()).select_from(some).scalar_subquery()
    return select(literal(MORE), null(), null()).where(number > most)


def _few(kind: Resource, actor: Actor) -> bool:
    return kind.roles is not None or actor.reads_few


def _matched(database: str, words: range) -> ColumnElement[bool]:
    """Whether the index finds all of the words."""
    phrases = [Word.any(n).phrase for n in words]
    if database != "sqlite":
        return and_(*(Entry.text.like(each, escape=ESCAPE) for each in phrases))
    joined = reduce(lambda some, each: some.concat(literal(" AND ")).concat(each), phrases)
    return matches(joined)


@lru_cache(20)
def _called(kinds: Kinds) -> Executable:
    begins = (Entry.title >= bindparam("least"), Entry.title < bindparam("last"))
    parts = []
    for kind, actor in kinds:
        if _few(kind, actor):
            mine = is_of_few(Entry.record_id, allowed_ids(actor, kind))
            found = select(*SAID).where(unindexed(Entry.kind) == constant(kind.name), mine, *begins)
        else:
            found = select(*SAID).where(
                Entry.kind == constant(kind.name), *begins, _reads(kind, actor)
            )
        parts.append(select(found.order_by(Entry.title).limit(AT_MOST).subquery()))
    return union_all(*parts)


@lru_cache(20)
def _numbers(database: str, number: int) -> Select:
    """How many entries hold each of so many words, as far as that matters."""
    some = (select(literal(1)).where(_matched(database, range(n, n + 1))) for n in range(number))
    some = (each.limit(AT_MOST + 1).subquery() for each in some)
    return select(*(select(func.count()).select_from(each).scalar_subquery() for each in some))


def _readable(kinds: Kinds) -> ColumnElement[bool]:
    """Whether one may read what an entry stands for: asked of one entry after the other."""
    return case(
        *((Entry.kind == constant(each[0].name), _reads(*each)) for each in kinds), else_=false()
    )


def _reads(kind: Resource, actor: Actor) -> ColumnElement[bool]:
    # The offset keeps PostgreSQL from reading all records of the kind beforehand.
    its = select(constant(1)).where(kind.model.id == Entry.record_id, allowed(actor, kind))
    return its.offset(constant(0)).correlate(ENTRIES).exists()
