"""The county's own fields in the lists: conditions on them, order by them, their values in the rows.

LIKE would lose its index under row-level security; equality and ranges keep it, so every condition but ``has`` is one
of these. Each typed column of ``custom_value`` has an index of its own over the rows that use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.paging import decode_as, encode_cursor, unreadable
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.bulk_stage import typed_value
from xiangyue.features.households.custom import parse_value
from xiangyue.features.households.listing import LAST, Conditions
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.decimals import of_hundredths

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: What parameters, columns and orders of own fields begin with.
PREFIX = "custom."
#: Type of a field -> its column of custom_value, what a cursor holds of it, and the least there is.
_COLUMNS: Mapping[str, tuple[str, type, Any]] = {
    "text": ("text_value", str, ""),
    "choice": ("text_value", str, ""),
    "integer": ("int_value", int, 0),
    "decimal": ("int_value", int, 0),
    "boolean": ("int_value", int, 0),
    "date": ("date_value", date, date.min),
}
#: Records that fit a condition, from which on they are common: with 200,000 in the county both ways take equally long.
COMMON = 3000
#: What may stand behind the key of a condition, by the type of its field. "": the value itself, of text its beginning.
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("", "is", "has", "filled"),
    "choice": ("", "filled"),
    "boolean": ("", "filled"),
    "integer": ("", "from", "to", "filled"),
    "decimal": ("", "from", "to", "filled"),
    "date": ("", "from", "to", "filled"),
}


def condition_label(operator: str, field: str, day: bool = False) -> Any:
    """What a condition on an own field is called; ``day``: on a day."""
    return {
        "": field,
        "is": _l("%(field)s is", field=field),
        "has": _l("%(field)s contains", field=field),
        "from": _l("%(field)s since", field=field) if day else _l("%(field)s from", field=field),
        "to": _l("%(field)s until", field=field) if day else _l("%(field)s up to", field=field),
        "filled": _l("%(field)s recorded", field=field),
    }.get(operator, field)


#: Parameters in a condition; letters that come in two sizes.
_NAMES = re.compile(r":((?:field|value|end|plain)\d+)")
_LETTERS = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class OwnField:
    """A field as lists need it; retired ones too, because addresses and saved views may name them."""

    id: int
    key: str
    type: str
    options: Sequence[Mapping[str, str]]

    @property
    def column(self) -> str:
        return _COLUMNS[self.type][0]


def own_fields(uow: Uow, entity: str) -> dict[str, OwnField]:
    """The county's own fields on households or persons by key, in order."""
    rows = scoped_rows(
        uow.session,
        "SELECT f.id, f.key, f.type, f.options FROM custom_field f WHERE {tenant:f} AND f.entity = :entity"
        " ORDER BY f.position, f.id",
        {"entity": entity},
    )
    return {row[1]: OwnField(*row) for row in rows}


def add_custom(
    uow: Uow,
    conditions: Conditions,
    entity: str,
    owner: str,
    custom: Sequence[tuple[str, str]],
    *,
    walked: bool = False,
) -> None:
    """Conditions ``<key>`` or ``<key>.<operator>`` with what was typed. ``walked``: a page is read along an index in
    the order of the list. Raises Invalid on ``custom.<…>`` for each that cannot be used."""
    if not custom:
        return
    known = own_fields(uow, entity)
    tests: dict[str, list[str]] = {}
    errors: dict[str, list[Any]] = {}
    empty: list[tuple[int, OwnField]] = []
    for i, (name, given) in enumerate(custom):
        key, _dot, operator = name.partition(".")
        field = known.get(key)
        try:
            if field is None:
                raise ValueError(_l("There is no field “%(field)s”.", field=key))
            if operator not in OPERATORS[field.type]:
                raise ValueError(_l("A field of this kind has no such condition."))
            if operator == "filled":
                if given == "yes":
                    tests.setdefault(key, []).append("true")
                elif given == "no":
                    empty.append((i, field))
                else:
                    raise ValueError(_l("Choose yes or no."))
                continue
            value = parse_value(field.type, field.options, given)
        except ValueError as error:
            errors[f"{PREFIX}{name}"] = [str(error)]
            continue
        if value is None:
            continue
        conditions.params[f"value{i}"] = next(p for p in typed_value(field.type, value) if p is not None)
        if field.type == "text" and not operator:
            conditions.params[f"end{i}"] = f"{value}{LAST}"
        test = _contains(conditions, f"{value}", i) if operator == "has" else _test(field, operator, i)
        tests.setdefault(key, []).append(test)
    if errors:
        raise Invalid(errors)
    for n, (key, parts) in enumerate(tests.items()):
        conditions.params[f"field{n}"] = known[key].id
        found = f"FROM custom_value v WHERE {{tenant:v}} AND v.field_id = :field{n} AND {' AND '.join(parts)}"
        searched = "strpos" in found
        fitting = _fitting(uow, found, conditions.params, searched) if walked or searched else None
        if searched and fitting is not None:
            # Looked for once: the planner takes a third of all values to hold any word, and would ask each record.
            conditions.add(f"{owner} = ANY(:fitting{n})", **{f"fitting{n}": fitting})
        elif walked and fitting is None:
            # Not EXISTS: that would be made a join again.
            conditions.add(f"(SELECT true {found} AND v.owner_id = {owner})")
        else:
            conditions.add(f"{owner} IN (SELECT v.owner_id {found})")
    for i, field in empty:
        _empty(uow, conditions, entity, owner, field, i, walked)


def _fitting(uow: Uow, found: str, params: Mapping[str, Any], searched: bool) -> list[int] | None:
    """Records that fit; None for so many that a page is found sooner by asking record after record in the list's order
    than by fetching them all. The planner cannot know: it takes field and value for independent of each other.

    ``searched``: all values of the field are read for it, so once for a page, its count and all pages of an export.
    """
    known: dict[Any, list[int] | None] = uow.session.info.setdefault("own_fields_searched", {})
    named = tuple((name, params[name]) for name in _NAMES.findall(found)) if searched else ()
    if searched and (found, named) in known:
        return known[found, named]
    rows = scoped_rows(uow.session, f"SELECT v.owner_id {found} LIMIT {COMMON + 1}", params)
    fitting = None if len(rows) > COMMON else [id for (id,) in rows]
    if searched:
        known[found, named] = fitting
    return fitting


def _test(field: OwnField, operator: str, i: int) -> str:
    column = f"v.{field.column}"
    if field.type == "text" and not operator:
        return f"{column} >= :value{i} AND {column} < :end{i}"
    return f"{column} { ({'from': '>=', 'to': '<='}.get(operator, '=')) } :value{i}"


def _contains(conditions: Conditions, word: str, i: int) -> str:
    """No range of the index helps here: the county's values of this one field are read in it, up to `COMMON` that fit,
    and the time that any statement may take ends it. What has no capital and small letters is compared as it stands,
    which takes half the time and, where there is more to the word, leaves little to the rest."""
    plain = max(_LETTERS.split(word), key=len)
    conditions.params[f"plain{i}"] = plain
    test = f"strpos(v.text_value, :plain{i}) > 0" if plain else "true"
    return test if plain == word else f"{test} AND strpos(lower(v.text_value), lower(:value{i})) > 0"


def _empty(uow: Uow, conditions: Conditions, entity: str, owner: str, field: OwnField, i: int, walked: bool) -> None:
    test = (
        f"NOT EXISTS (SELECT 1 FROM custom_value v WHERE {{tenant:v}} AND v.field_id = :filled{i}"
        f" AND v.owner_id = {owner})"
    )
    conditions.params[f"filled{i}"] = field.id
    if walked:
        # Walked along, a list of which nearly all have a value would be asked row by row.
        alias = owner.partition(".")[0]
        statement = f"SELECT {owner} FROM {entity} {alias} WHERE {{scope:{alias}}}{conditions.sql()} AND {test}"
        rows = scoped_rows(uow.session, f"{statement} LIMIT {COMMON + 1}", conditions.params)
        if len(rows) <= COMMON:
            conditions.add(f"{owner} = ANY(:empty{i})", **{f"empty{i}": [id for (id,) in rows]})
            return
    conditions.add(test)


def split_fields(fields: Iterable[str]) -> tuple[list[str], list[str]]:
    """(fields of the list itself, keys of own fields) of what is asked for."""
    asked = list(fields)
    own = [name.removeprefix(PREFIX) for name in asked if name.startswith(PREFIX)]
    return [name for name in asked if not name.startswith(PREFIX)], own


def fill_own(uow: Uow, entity: str, items: Sequence[dict[str, Any]], ids: Sequence[int], keys: Sequence[str]) -> None:
    """Put the values of own fields into the rows as ``custom.<key>``: text, choice key, int, bool, date or None.

    ``ids``: of the rows' owners. One statement for all. Raises Invalid on ``fields`` for a key there is not.
    """
    if not keys:
        return
    known = own_fields(uow, entity)
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise Invalid({"fields": [_l("There is no field “%(field)s”.", field=unknown[0])]})
    wanted = {known[key].id: known[key] for key in keys}
    rows = scoped_rows(
        uow.session,
        "SELECT v.owner_id, v.field_id, v.text_value, v.int_value, v.date_value FROM custom_value v"
        " WHERE {tenant:v} AND v.field_id = ANY(:fields) AND v.owner_id = ANY(:ids)",
        {"fields": list(wanted), "ids": list(ids)},
    ) if items else []  # fmt: skip
    values = {(owner, field): typed for owner, field, *typed in rows}
    for item, id in zip(items, ids, strict=True):
        for field in wanted.values():
            item[f"{PREFIX}{field.key}"] = _value(field, values.get((id, field.id)))


def _value(field: OwnField, typed: Sequence[Any] | None) -> Any:
    if typed is None:
        return None
    text, number, day = typed
    if field.type == "boolean":
        return None if number is None else bool(number)
    if field.type == "decimal":
        return None if number is None else of_hundredths(number)
    return {"integer": number, "date": day}.get(field.type, text)


def sort_field(uow: Uow, entity: str, sort: str) -> OwnField | None:
    """The own field that a list is ordered by; None for the list's own orders. Raises Invalid on ``sort``."""
    name = sort.removeprefix("-")
    if not name.startswith(PREFIX):
        return None
    found = own_fields(uow, entity).get(name.removeprefix(PREFIX))
    if found is None:
        raise Invalid({"sort": [_l("There is no field “%(field)s”.", field=name.removeprefix(PREFIX))]})
    return found


def fetch_by_field(
    uow: Uow,
    select: Callable[[str, str], str],
    conditions: Conditions,
    *,
    alias: str,
    area: int,
    field: OwnField,
    sort: str,
    limit: int,
    after: str | None,
    before: str | None,
) -> tuple[list[tuple[Any, ...]], str | None, str | None]:
    """Like ``listing.fetch_page``, in the order of an own field; those without a value come last either way.

    ``select``: makes the statement up to and with its WHERE {scope:…} of a further join and of what is ordered by.
    Read in two parts, so that the first walks along the field's index: with a value, then without.
    """
    name, kind, least = _COLUMNS[field.type]
    descending, backwards = sort.startswith("-"), before is not None
    start, keyset = (1 if backwards else 0), None
    mark = after if after is not None else before
    if mark is not None:
        made_for, start, value, last_id = decode_as(mark, str, int, kind, int)
        if made_for != sort or start not in (0, 1):
            raise unreadable()
        keyset = (value, last_id)
    if backwards and mark is None:  # pragma: no cover - a page backwards always has its mark
        raise unreadable()
    ascending = descending == backwards
    direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    scope = uow.scope.narrowed(area) if area else uow.scope
    found: list[tuple[int, tuple[Any, ...]]] = []
    for part in (1, 0) if backwards else (0, 1):
        if len(found) > limit or (part < start and not backwards) or (part > start and backwards):
            continue
        own = Conditions(list(conditions.parts), {**conditions.params, "sort_field": field.id})
        join, value_column, order = _part(part, name, alias)
        if part:
            own.add(
                "NOT EXISTS (SELECT 1 FROM custom_value x WHERE {tenant:x} AND x.field_id = :sort_field"
                f" AND x.owner_id = {alias}.id)"
            )
        else:
            own.add(f"{{tenant:s}} AND s.field_id = :sort_field AND s.{name} IS NOT NULL")
        if keyset is not None and part == start:
            key, last_id = keyset
            if part:
                own.add(f"{alias}.id {beyond} :last_id", last_id=last_id)
            else:
                own.add(f"(s.{name}, s.owner_id) {beyond} (:key, :last_id)", key=key, last_id=last_id)
        ordered = ", ".join(f"{column} {direction}" for column in order)
        statement = f"{select(join, value_column)}{own.sql()} ORDER BY {ordered} LIMIT {limit + 1 - len(found)}"
        found += [(part, row) for row in scoped_rows(uow.session, statement, own.params, scope=scope)]
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return [], None, None

    def cursor(part: int, row: tuple[Any, ...]) -> str:
        return encode_cursor(sort, part, least if part else row[-2], row[-1])

    has_next = more or backwards
    has_back = more if backwards else after is not None
    return (
        [row for _part, row in found],
        cursor(*found[-1]) if has_next else None,
        cursor(*found[0]) if has_back else None,
    )


def _part(part: int, column: str, alias: str) -> tuple[str, str, tuple[str, ...]]:
    """(join, what is ordered by, columns of the order) of the rows with a value (0) or without (1)."""
    if part:
        return "", "NULL", (f"{alias}.id",)
    join = f" JOIN custom_value s ON s.tenant_id = {alias}.tenant_id AND s.owner_id = {alias}.id"
    return join, f"s.{column}", (f"s.{column}", "s.owner_id")
