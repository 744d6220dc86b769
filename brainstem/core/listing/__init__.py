"""What the address of a list page asks for: a search, filters, an order, columns.

Its words are made for people: `?q=wheel&tags=good&date=month&missing=datastorage&sort=-date_time`. The
list, its downloads, its calendar and whatever is done to all records that match understand them here,
and so alike. What does not fit them is an error that names it, as in the API; a word that lists don't
know says nothing, for addresses get about and gather things on the way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from marshmallow import ValidationError
from sqlalchemy import Select, func, select
from werkzeug.datastructures import MultiDict

from brainstem.core import query, search, streaming
from brainstem.core.listing.columns import (
    chosen_columns,
    extra_key,
    extra_keys,
    heading,
    order_by,
    possible_columns,
    sortable,
)
from brainstem.core.listing.filters import (
    CHANGED_BY,
    DATE,
    DATES,
    FROM,
    MISSING,
    SEARCH,
    TO,
    choices,
    condition,
    days_of,
    filterable,
    on_days,
    today,
)
from brainstem.core.permissions import PUBLIC, Actor, allowed
from brainstem.core.resource import Resource
from brainstem.core.schemas import LabDateTime, unstorable
from brainstem.core.times import lab_time
from brainstem.core.transactions import execute

SORT, COLUMNS = "sort", "columns"

#: What an address says.
Words = MultiDict[str, str]


def narrowing(actor: Actor, resource: Resource) -> list[str]:
    """The words that leave records out, in the order that addresses have them."""
    names = [SEARCH, *filterable(resource)]
    names += [DATE, FROM, TO] if resource.when else []
    names += [MISSING] if resource.wanted else []
    # Who works here is nothing for the public.
    return names + ([CHANGED_BY] if actor != PUBLIC else [])


def words(actor: Actor, resource: Resource, args: Words) -> Words:
    """What an address says of a list, each thing once: two that show the same are the same."""
    found: Words = MultiDict()
    for name in [*narrowing(actor, resource), SORT, COLUMNS]:
        values = [value.strip() if name == SEARCH else value for value in args.getlist(name)]
        if any(map(unstorable, values)):
            raise ValidationError({name: ["Contains a character that can't be stored."]})
        for value in dict.fromkeys(filter(None, values)):
            found.add(name, value)
    return found


def asked(actor: Actor, resource: Resource, args: Words) -> query.Query:
    """The query that an address spells; `ValidationError` names what does not fit."""
    given, errors = words(actor, resource, args), {}
    found = query.parse(actor, resource, MultiDict({"page": args.get("page", "1")}))
    for name in given:
        try:
            values = given.getlist(name)
            if name == SORT:
                order = [each for text in values for each in order_by(actor, resource, text)]
                found = replace(found, order=[*order, resource.model.id], sort=values)
            elif name == COLUMNS:
                chosen_columns(actor, resource, values)
            elif name == SEARCH:
                found.words = search.words_of(values)
            else:
                found.where.append(condition(actor, resource, name, values))
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    # Words such as `month` mean something else tomorrow.
    narrowed = [each for each in given.items(multi=True) if each[0] not in (SORT, COLUMNS)]
    found.key = query.short(repr((today(), narrowed)))
    return found


def matching(actor: Actor, resource: Resource, args: Words) -> Select:
    """The ids of all records that an address asks for, in its order, as a select."""
    return streaming.ids_of(actor, resource, asked(actor, resource, args))


def per_day(actor: Actor, resource: Resource, args: Words, year: int) -> Counter[date]:
    """How many records there are of each day of a year in the lab, of those that match but for the date."""
    column = getattr(resource.model, resource.when)
    within = on_days(actor, resource, date(year, 1, 1), date(year, 12, 31))
    found = _undated(actor, resource, args, select(column).where(within))
    return Counter(map(_day_of(resource), execute(found).scalars()))


def latest_year(actor: Actor, resource: Resource, args: Words) -> int:
    """The year of the last of the records that match but for the date; this one where there is none."""
    last = func.max(getattr(resource.model, resource.when))
    found = execute(_undated(actor, resource, args, select(last))).scalar()
    return (_day_of(resource)(found) if found else today()).year


def _day_of(resource: Resource):
    is_moment = isinstance(resource.schema._declared_fields[resource.when], LabDateTime)
    return lambda value: lab_time(value).date() if is_moment else value


def _undated(actor: Actor, resource: Resource, args: Words, columns: Select) -> Select:
    """Columns of the records that match but for the date."""
    given = words(actor, resource, args)
    for name in (DATE, FROM, TO, SORT, COLUMNS):
        given.poplist(name)
    wanted = asked(actor, resource, given)
    rules = query.rules(actor, resource, wanted)
    return query.narrowed(columns.where(allowed(actor, resource)), wanted, rules)


__all__ = [
    "CHANGED_BY",
    "COLUMNS",
    "DATE",
    "DATES",
    "FROM",
    "MISSING",
    "SEARCH",
    "SORT",
    "TO",
    "Words",
    "asked",
    "choices",
    "chosen_columns",
    "days_of",
    "extra_key",
    "extra_keys",
    "filterable",
    "heading",
    "latest_year",
    "matching",
    "narrowing",
    "per_day",
    "possible_columns",
    "sortable",
    "today",
    "words",
]
