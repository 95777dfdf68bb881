"""The list of households, straight from driver rows: no ORM and no marshmallow on this path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.filters import HouseholdFilter
from xiangyue.features.households.list_persons import (
    PERSON_DEFAULT,
    PERSON_FIELDS,
    PERSON_SORTS,
    count_persons,
    each_person,
    list_persons,
)
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
)
from xiangyue.features.households.own_lists import add_custom, fetch_by_field, fill_own, sort_field, split_fields
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Field -> SQL, in the order of HouseholdSchema; "" is put in afterwards.
HOUSEHOLD_FIELDS = {
    "id": "h.id",
    "code": "h.code",
    "area_code": "h.area_code",
    "head_name": "h.head_name",
    "person_count": "h.person_count",
    "address": "h.address",
    "state": "h.state",
    "version": "h.version",
    "updated_at": "h.updated_at",
    "marks": "coalesce((SELECT array_agg(DISTINCT k.mark_key) FROM person_mark k WHERE {tenant:k}"
    " AND k.household_id = h.id AND k.valid_to IS NULL AND %(visible)s), '{}')",
    "area_name": "",
    "away_count": "(SELECT count(*) FROM person a WHERE {tenant:a} AND a.household_id = h.id"
    " AND a.state = 'active' AND a.away)",
    "registered_count": "h.registered_count",
    "living_count": "h.living_count",
    "income": "latest.amount",
    "income_year": "latest.year",
    "note": "h.note",
    "location": "h.location",
    "batch_id": "h.import_batch_id",
    "created_at": "h.created_at",
    "left_on": "h.left_on",
    "left_reason": "h.left_reason",
    "has_head": "",
}
HOUSEHOLD_DEFAULT = tuple(HOUSEHOLD_FIELDS)[:9]
#: Each has its index, and own fields have theirs: every page is walked along one.
HOUSEHOLD_SORTS = {
    "name": Sort("h.sort_key", str),
    "code": Sort("h.code", str),
    "size": Sort("h.person_count", int),
    "updated": Sort("h.updated_at", datetime),
}
#: A member who is the head, of the household ``of``. Its name without one is that of whoever stands for it.
_HEAD = (
    "SELECT k.household_id FROM household_member k WHERE {tenant:k} AND k.household_id = %(of)s"
    f" AND k.valid_to IS NULL AND k.relation = '{HEAD}'"
)
_LATEST = (
    " LEFT JOIN LATERAL (SELECT i.amount, i.year FROM household_income i WHERE {tenant:i} AND i.household_id = h.id"
    " ORDER BY i.year DESC LIMIT 1) latest ON true"
)


def list_households(
    uow: Uow,
    filter: HouseholdFilter,
    *,
    sort: str = "name",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
    fields: Sequence[str] = HOUSEHOLD_DEFAULT,
    keys: TenantKeys | None = None,
) -> Page:
    """A page of households in the actor's area. ``sort``: a key of HOUSEHOLD_SORTS, ``-`` before it for descending;
    ``fields``: of HOUSEHOLD_FIELDS; both also ``custom.<key>``; ``keys`` only to find a citizen number. Raises Invalid
    by parameter."""
    plain, own = split_fields(fields)
    wanted = known_fields(plain, HOUSEHOLD_FIELDS)
    conditions = _conditions(uow, filter, keys, walked=True)
    columns = [HOUSEHOLD_FIELDS[name] or "NULL" for name in wanted]
    if "marks" in wanted:
        visible = mark_rights(uow, follows_only=True).visible("k", conditions.params)
        columns[wanted.index("marks")] = HOUSEHOLD_FIELDS["marks"].replace("%(visible)s", visible)
    latest = _LATEST if {"income", "income_year"} & set(wanted) else ""
    place = ["h.area_code"] if "area_name" in wanted else []

    def select(join: str, value: str) -> str:
        shown = ", ".join([*columns, *place, value, "h.id"])
        return f"SELECT {shown} FROM household h{join}{latest} WHERE {{scope:h}}"

    at: dict[str, Any] = {"alias": "h", "area": filter.area, "limit": limit, "after": after, "before": before}
    by_own = sort_field(uow, "household", sort)
    if by_own is not None:
        rows, following, back = fetch_by_field(uow, select, conditions, field=by_own, sort=sort, **at)
    else:
        chosen = HOUSEHOLD_SORTS.get(sort.removeprefix("-"), HOUSEHOLD_SORTS["name"])
        plain_select = select("", chosen.column)
        rows, following, back = fetch_page(uow, plain_select, conditions, sort=sort, sorts=HOUSEHOLD_SORTS, **at)
    items = [dict(zip(wanted, row, strict=False)) for row in rows]
    if place:
        set_area_names(uow, items, [row[-3] for row in rows])
    if "has_head" in wanted:
        # One statement for the page: a column of its own would look once for each row of an export.
        found = with_head(uow, [row[-1] for row in rows])
        for item, row in zip(items, rows, strict=True):
            item["has_head"] = row[-1] in found
    fill_own(uow, "household", items, [row[-1] for row in rows], own)
    return Page(items, following, back)


def with_head(uow: Uow, ids: Sequence[int]) -> set[int]:
    """Which of these households have a head."""
    return {id for (id,) in scoped_rows(uow.session, _HEAD % {"of": "ANY(:ids)"}, {"ids": list(ids)})}


def count_households(
    uow: Uow, filter: HouseholdFilter, *, keys: TenantKeys | None = None, cap: int | None = None
) -> int:
    """How many there are; with ``cap`` counting stops one above it."""
    conditions = _conditions(uow, filter, keys)
    limit = f" LIMIT {int(cap) + 1}" if cap is not None else ""
    inner = f"SELECT 1 FROM household h WHERE {{scope:h}}{conditions.sql()}{limit}"
    scope = uow.scope.narrowed(filter.area) if filter.area else uow.scope
    rows = scoped_rows(uow.session, f"SELECT count(*) FROM ({inner}) found", conditions.params, scope=scope)
    return int(rows[0][0])


def each_household(
    uow: Uow,
    filter: HouseholdFilter,
    *,
    sort: str = "name",
    fields: Sequence[str] = HOUSEHOLD_DEFAULT,
    keys: TenantKeys | None = None,
    chunk: int = 1000,
    read: Callable[..., Page] = list_households,
) -> Iterator[dict[str, Any]]:
    """All rows in order for an export, read page by page (by ``read``)."""
    after: str | None = None
    while True:
        page = read(uow, filter, sort=sort, limit=chunk, after=after, fields=fields, keys=keys)
        yield from page.items
        after = page.next
        if after is None:
            return


def _conditions(uow: Uow, wanted: HouseholdFilter, keys: TenantKeys | None, *, walked: bool = False) -> Conditions:
    found = Conditions()
    if wanted.state != "all":
        found.add("h.state = :state", state=wanted.state)
    else:
        found.add("h.state <> 'merged'")
    add_search(uow, found, wanted.q, keys, of_persons=False)
    add_marks(uow, found, wanted.marks, "h.id", "household_id")
    if wanted.away is not None:
        found.add(
            f"{'' if wanted.away else 'NOT '}EXISTS (SELECT 1 FROM person w WHERE {{tenant:w}}"
            " AND w.household_id = h.id AND w.state = 'active' AND w.away)"
        )
    if wanted.has_head is not None:
        head = f"EXISTS ({_HEAD % {'of': 'h.id'}})"
        found.add(head if wanted.has_head else f"h.registered_count + h.living_count > 0 AND NOT {head}")
    if wanted.min_persons is not None:
        found.add("h.person_count >= :min_persons", min_persons=wanted.min_persons)
    if wanted.max_persons is not None:
        found.add("h.person_count <= :max_persons", max_persons=wanted.max_persons)
    if wanted.batch is not None:
        found.add("h.import_batch_id = :batch", batch=wanted.batch)
    _income(found, wanted)
    _award(uow, found, wanted)
    add_custom(uow, found, "household", "h.id", wanted.custom, walked=walked)
    for offered in wanted.offered:
        found.add(offered.sql, **offered.params)
    return found


def _income(found: Conditions, wanted: HouseholdFilter) -> None:
    lo, hi, year = wanted.income_min, wanted.income_max, wanted.income_year
    if lo is None and hi is None and year is None:
        return
    # Of one year, or of the latest there is: no later one stands beside it.
    which = "y.year = :income_year"
    if year is None:
        which = (
            "NOT EXISTS (SELECT 1 FROM household_income z WHERE {tenant:z} AND z.household_id = y.household_id"
            " AND z.year > y.year)"
        )
    found.add(
        f"EXISTS (SELECT 1 FROM household_income y WHERE {{tenant:y}} AND y.household_id = h.id AND {which}"
        " AND y.amount BETWEEN :income_min AND :income_max)",
        income_min=lo if lo is not None else -(2**62),
        income_max=hi if hi is not None else 2**62,
        **({} if year is None else {"income_year": year}),
    )


def _award(uow: Uow, found: Conditions, wanted: HouseholdFilter) -> None:
    if not wanted.award:
        return
    known = scoped_rows(
        uow.session, "SELECT 1 FROM award_kind k WHERE {tenant:k} AND k.key = :key", {"key": wanted.award}
    )
    if not known:
        raise Invalid({"award": [_l("There is no award “%(award)s”.", award=wanted.award)]})
    test = "SELECT 1 FROM household_award r WHERE {tenant:r} AND r.household_id = h.id AND r.award_key = :award"
    params: dict[str, Any] = {"award": wanted.award}
    if wanted.award_year is not None:
        test += " AND r.year = :award_year"
        params["award_year"] = wanted.award_year
    if wanted.awarded == "none":
        found.add(f"NOT EXISTS ({test})", **params)
    else:
        found.add(f"EXISTS ({test} AND r.awarded = :awarded)", awarded=wanted.awarded == "yes", **params)


__all__ = [
    "HOUSEHOLD_DEFAULT",
    "HOUSEHOLD_FIELDS",
    "HOUSEHOLD_SORTS",
    "PERSON_DEFAULT",
    "PERSON_FIELDS",
    "PERSON_SORTS",
    "Page",
    "count_households",
    "count_persons",
    "each_household",
    "each_person",
    "list_households",
    "list_persons",
    "with_head",
]
