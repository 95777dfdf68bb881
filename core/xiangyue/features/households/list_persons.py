"""The list of persons, straight from driver rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.filters import PersonFilter
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, masked
from xiangyue.features.households.listing import (
    Conditions,
    Page,
    Sort,
    add_marks,
    add_search,
    fetch_page,
    known_fields,
    mark_rights,
    set_area_names,
    within,
)
from xiangyue.features.households.own_lists import add_custom, fetch_by_field, fill_own, sort_field, split_fields
from xiangyue.features.privacy.conditions_care import born_until, person_condition, right_of
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Field -> SQL, in the order of PersonSchema; "" is put in afterwards.
PERSON_FIELDS = {
    "id": "p.id",
    "household_id": "p.household_id",
    "name": "p.name",
    "sex": "p.sex",
    "birth_date": "p.birth_date",
    "relation": "p.relation",
    "nationality": "p.nationality",
    "away": "p.away",
    "state": "p.state",
    "area_code": "p.area_code",
    "version": "p.version",
    "updated_at": "p.updated_at",
    "id_number": "p.id_number",
    "phone": "p.phone",
    "marks": "coalesce((SELECT array_agg(DISTINCT k.mark_key) FROM person_mark k WHERE {tenant:k}"
    " AND k.household_id = p.household_id AND k.person_id = p.id AND k.valid_to IS NULL AND %(visible)s), '{}')",
    "area_name": "",
    "household_code": "h.code",
    "head_name": "h.head_name",
    "address": "h.address",
    "note": "p.note",
    "left_on": "p.left_on",
    "left_reason": "p.left_reason",
}
PERSON_DEFAULT = tuple(PERSON_FIELDS)[:12]
#: Date for those whose birth is unknown, behind everybody else.
_UNBORN = "DATE '9999-12-31'"
#: Orders along an index.
WALKED = ("household", "name", "custom.")
PERSON_SORTS = {
    "household": Sort("p.household_id", int),
    "name": Sort("p.sort_key", str),
    "birth_date": Sort(f"coalesce(p.birth_date, {_UNBORN})", date),
    "updated": Sort("p.updated_at", datetime),
}


def list_persons(
    uow: Uow,
    filter: PersonFilter,
    *,
    sort: str = "household",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
    fields: Sequence[str] = PERSON_DEFAULT,
    keys: TenantKeys | None = None,
) -> Page:
    """A page of persons in the actor's area; like ``list_households``. id_number and phone come masked."""
    plain, own = split_fields(fields)
    wanted = known_fields(plain, PERSON_FIELDS)
    conditions = _conditions(uow, filter, keys, walked=sort.removeprefix("-").startswith(WALKED))
    columns = [PERSON_FIELDS[name] or "NULL" for name in wanted]
    if "marks" in wanted:
        visible = mark_rights(uow).visible("k", conditions.params)
        columns[wanted.index("marks")] = PERSON_FIELDS["marks"].replace("%(visible)s", visible)
    source = "person p"
    if {"household_code", "head_name", "address"} & set(wanted):
        source += " JOIN household h ON h.tenant_id = p.tenant_id AND h.id = p.household_id"
    place = ["p.area_code"] if "area_name" in wanted else []

    def select(join: str, value: str) -> str:
        return f"SELECT {', '.join([*columns, *place, value, 'p.id'])} FROM {source}{join} WHERE {{scope:p}}"

    at: dict[str, Any] = {"alias": "p", "area": filter.area, "limit": limit, "after": after, "before": before}
    by_own = sort_field(uow, "person", sort)
    if by_own is not None:
        rows, following, back = fetch_by_field(uow, select, conditions, field=by_own, sort=sort, **at)
    else:
        chosen = PERSON_SORTS.get(sort.removeprefix("-"), PERSON_SORTS["household"])
        plain_select = select("", chosen.column)
        rows, following, back = fetch_page(uow, plain_select, conditions, sort=sort, sorts=PERSON_SORTS, **at)
    items = [dict(zip(wanted, row, strict=False)) for row in rows]
    for column in {ID_NUMBER, PHONE} & set(wanted):
        for item in items:
            item[column] = masked(keys, uow.tenant_id, column, item[column])
    if place:
        set_area_names(uow, items, [row[-3] for row in rows])
    fill_own(uow, "person", items, [row[-1] for row in rows], own)
    return Page(items, following, back)


def count_persons(uow: Uow, filter: PersonFilter, *, keys: TenantKeys | None = None, cap: int | None = None) -> int:
    """How many there are; with ``cap`` counting stops one above it."""
    if filter == PersonFilter(area=filter.area):
        # Everybody on the register: households know how many they are, and are far fewer.
        return count_register(uow, filter.area)[1]
    conditions = _conditions(uow, filter, keys)
    limit = f" LIMIT {int(cap) + 1}" if cap is not None else ""
    inner = f"SELECT 1 FROM person p WHERE {{scope:p}}{conditions.sql()}{limit}"
    scope = uow.scope.narrowed(filter.area) if filter.area else uow.scope
    rows = scoped_rows(uow.session, f"SELECT count(*) FROM ({inner}) found", conditions.params, scope=scope)
    return int(rows[0][0])


def count_register(uow: Uow, area: int = 0) -> tuple[int, int]:
    """(households, persons) on the register in the scope, or in ``area`` (15 digits) of it: from one index alone."""
    rows = scoped_rows(
        uow.session,
        "SELECT count(*) FILTER (WHERE h.state = 'active'), coalesce(sum(h.person_count), 0) FROM household h"
        " WHERE {scope:h}",
        scope=uow.scope.narrowed(area) if area else uow.scope,
    )
    return int(rows[0][0]), int(rows[0][1])


def each_person(
    uow: Uow,
    filter: PersonFilter,
    *,
    sort: str = "household",
    fields: Sequence[str] = PERSON_DEFAULT,
    keys: TenantKeys | None = None,
    chunk: int = 1000,
) -> Iterator[dict[str, Any]]:
    """All rows in order for an export, read page by page."""
    after: str | None = None
    while True:
        page = list_persons(uow, filter, sort=sort, limit=chunk, after=after, fields=fields, keys=keys)
        yield from page.items
        after = page.next
        if after is None:
            return


def _conditions(uow: Uow, wanted: PersonFilter, keys: TenantKeys | None, *, walked: bool = False) -> Conditions:
    found = Conditions()
    if wanted.state != "all":
        found.add("p.state = :state", state=wanted.state)
    else:
        found.add("p.state <> 'merged'")
    add_search(uow, found, wanted.q, keys, of_persons=True)
    add_marks(uow, found, wanted.marks, "p.id", "person_id")
    if wanted.away is not None:
        found.add("p.away = :away", away=wanted.away)
    if wanted.sex:
        found.add("p.sex = :sex", sex=int(wanted.sex))
    if wanted.nationality:
        found.add("p.nationality = :nationality", nationality=wanted.nationality)
    if wanted.relation:
        found.add("p.relation = :relation", relation=wanted.relation)
    today = datetime.now(TIMEZONE).date()
    if wanted.min_age is not None:
        found.add("p.birth_date <= :born_until", born_until=born_until(wanted.min_age, today))
    if wanted.max_age is not None:
        found.add("p.birth_date > :born_after", born_after=born_until(wanted.max_age + 1, today))
    if wanted.care:
        _care(uow, found, wanted.care, today)
    if wanted.household is not None:
        found.add("p.household_id = :household", household=wanted.household)
    if wanted.batch is not None:
        found.add("p.import_batch_id = :batch", batch=wanted.batch)
    add_custom(uow, found, "person", "p.id", wanted.custom, walked=walked)
    return found


def _care(uow: Uow, found: Conditions, care: str, today: date) -> None:
    """By age, company and carers; what is recorded of those only where the reader may see it. Raises Invalid."""
    right = right_of(care)
    ranges = None if right is None else uow.actor.ranges(right)
    if ranges == ():
        raise Invalid({"care": [_l("This condition does not exist here, or is not open to you.")]})
    sql, params = person_condition(care, today)
    found.add(sql, **params)
    if ranges is not None:
        found.add(within("p", ranges, "care_reach", found.params))
