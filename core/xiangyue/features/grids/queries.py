"""Reads of grids: the list as of a day, one grid with what lies in it, its history."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids import conditions as owed
from xiangyue.features.grids.policy import KINDS, LEVELS, SIZE_CONDITIONS, SPECIAL, SizeRule
from xiangyue.features.grids.queries_posts import leaders_on
from xiangyue.features.grids.rules import size_rules
from xiangyue.features.grids.sizes import Size, sizes
from xiangyue.features.households.listing import LAST, Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.pinyin import fold

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_V, _W, _G, _K = (owed.COVERS.format(a=alias) for alias in ("v", "w", "gh", "k"))

_SELECT = f"""
SELECT g.id, g.code, g.kind, g.special_kind, g.version, v.name, v.level, v.leaf, v.area_code, v.parent_id, v.valid_from,
       v.valid_to, v.boundary IS NOT NULL, %(sort)s
  FROM grid_version v JOIN grid g ON g.id = v.grid_id
 WHERE {{scope:v}} AND {{tenant:g}} AND {_V}"""
NAMES = (
    "id", "code", "kind", "special_kind", "version", "name", "level", "leaf", "area_code", "parent_id", "valid_from",
    "valid_to", "has_boundary",
)  # fmt: skip
SORTS = {"code": Sort("g.code", str), "name": Sort("v.sort_key", str), "level": Sort("v.level", int)}
#: Of which table's rows the ids tell those apart that are alike in the sort: that which has an index of both.
_TOLD_BY = {"code": "g", "name": "v", "level": "v"}
_COUNT = f"SELECT count(*) FROM grid_version v WHERE {{scope:v}} AND {_V}"


@dataclass(frozen=True, slots=True)
class GridFilter:
    """``level``: 0 of special grids, None of all; ``size``: one of ``policy.SIZE_CONDITIONS``, ``leader``: of
    ``conditions.LEADERS``, with ``days`` ahead for a term that ends; ``leaf``: only those in which households lie;
    ``q``: part of the name, its pinyin, the beginning of any code it has or had. ``on``: the day."""

    on: date
    area: int = 0
    level: int | None = None
    kind: str = ""
    size: str = ""
    leader: str = ""
    days: int = owed.SOON_DAYS
    leaf: bool = False
    q: str = ""
    #: What ``size`` came to, once it has been looked up (`settled`).
    sized: tuple[str, dict[str, Any]] | None = None


def _conditions(uow: Uow, wanted: GridFilter) -> Conditions:
    found = Conditions(params={"on": wanted.on})
    if wanted.level is not None:
        found.add("v.level = :level", level=wanted.level)
    if wanted.kind:
        if wanted.kind not in KINDS:
            raise Invalid({"kind": [_l("Choose one of the options.")]})
        found.add("v.level = 0" if wanted.kind == SPECIAL else "v.level > 0")
    if wanted.leaf:
        found.add("v.leaf")
    if wanted.size:
        sql, params = wanted.sized or _sized(uow, wanted)
        found.add(sql, **params)
    if wanted.leader:
        if wanted.leader not in owed.LEADERS:
            raise Invalid({"leader": [_l("Choose one of the options.")]})
        found.add(owed.LEADERS[wanted.leader], soon=owed.soon(wanted.on, wanted.days))
    word = fold(wanted.q)
    if word and word.isascii() and any(c.isdigit() for c in word):
        found.add(
            "v.grid_id IN (SELECT c.grid_id FROM grid_code c WHERE {tenant:c} AND c.code >= :q AND c.code < :q_end)",
            q=word.upper(), q_end=word.upper() + LAST,
        )  # fmt: skip
    elif word:
        found.add("(strpos(v.name, :name) > 0 OR strpos(v.sort_key, :q) > 0)", q=word, name=wanted.q.strip())
    return found


def _sized(uow: Uow, wanted: GridFilter) -> tuple[str, dict[str, Any]]:
    if wanted.size not in SIZE_CONDITIONS:
        raise Invalid({"size": [_l("Choose one of the options.")]})
    return owed.sized(uow, wanted.size, wanted.area, wanted.on)


def settled(uow: Uow, wanted: GridFilter) -> GridFilter:
    """The same with its sizes looked up, for a page that lists and counts. Raises Invalid."""
    return replace(wanted, sized=_sized(uow, wanted)) if wanted.size else wanted


def list_grids(
    uow: Uow,
    wanted: GridFilter,
    *,
    sort: str = "code",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of grids that stand on the day, each with size, rule and what is outside of it, and ``lead``: who leads it
    (`queries_posts.leaders_on`). Raises Invalid."""
    key = sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "code"
    rows, following, back = fetch_page(
        uow,
        _SELECT % {"sort": f"{SORTS[key].column}, {_TOLD_BY[key]}.id"},
        _conditions(uow, wanted),
        alias=_TOLD_BY[key],
        area=wanted.area,
        sort=sort,
        sorts=SORTS,
        limit=limit,
        after=after,
        before=before,
    )
    items = with_sizes(uow, [dict(zip(NAMES, row, strict=False)) for row in rows], wanted.on)
    leaders = leaders_on(uow, [item["id"] for item in items], wanted.on)
    for item in items:
        item["lead"] = leaders.get(item["id"])
    return Page(items, following, back)


def each_grid(uow: Uow, wanted: GridFilter, *, sort: str = "code", limit: int) -> Iterator[dict[str, Any]]:
    """All that a filter finds, for an export."""
    wanted = settled(uow, wanted)
    after: str | None = None
    left = limit
    while left > 0:
        page = list_grids(uow, wanted, sort=sort, limit=min(left, 500), after=after)
        yield from page.items
        left -= len(page.items)
        after = page.next
        if after is None:
            return


def count_grids(uow: Uow, wanted: GridFilter) -> int:
    conditions = _conditions(uow, wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    return int(scoped_rows(uow.session, _COUNT + conditions.sql(), conditions.params, scope=scope)[0][0])


def with_sizes(uow: Uow, items: list[dict[str, Any]], on: date) -> list[dict[str, Any]]:
    rules = size_rules(uow)
    below = _leaves_below(uow, [item["id"] for item in items if not item["leaf"] and item["level"]], on)
    found = sizes(uow, {*(i["id"] for i in items if i["leaf"]), *(x for ids in below.values() for x in ids)}, on)
    set_area_names(uow, items, [item["area_code"] for item in items])
    for item in items:
        ids = [item["id"]] if item["leaf"] else below.get(item["id"], [])
        several = [found.get(id, Size()) for id in ids]
        size = Size(*(sum(getattr(one, name) for one in several) for name in ("households", "registered", "living")))
        item["size"], item["rule"] = size, rules.get(item["level"], SizeRule())
        item["breaches"] = size.breaches(item["rule"]) if item["leaf"] else ()
    return items


#: A level below the one above: leaves are one step or two below a grid.
_BELOW = f"""
SELECT v.parent_id, v.grid_id FROM grid_version v
 WHERE {{tenant:v}} AND v.parent_id = ANY(:ids) AND v.leaf AND {_V}
 UNION ALL
SELECT w.parent_id, v.grid_id FROM grid_version w JOIN grid_version v ON v.parent_id = w.grid_id
 WHERE {{tenant:w}} AND {{tenant:v}} AND w.parent_id = ANY(:ids) AND v.leaf AND {_V} AND {_W}
"""


def _leaves_below(uow: Uow, ids: Collection[int], on: date) -> dict[int, list[int]]:
    """Leaf grids somewhere below each of these."""
    leaves: dict[int, list[int]] = {id: [] for id in ids}
    for top, id in scoped_rows(uow.session, _BELOW, {"ids": list(ids), "on": on}) if ids else ():
        leaves[top].append(id)
    return leaves


_ONE = f"""
SELECT g.id, g.code, g.kind, g.special_kind, g.version, v.name, v.level, v.leaf, coalesce(v.area_code, g.area_code),
       v.parent_id, v.valid_from, v.valid_to, v.boundary IS NOT NULL
  FROM grid g LEFT JOIN grid_version v ON v.tenant_id = g.tenant_id AND v.grid_id = g.id AND {_V}
 WHERE {{scope:g}} AND g.id = ANY(:ids)
"""
_CHILDREN = _SELECT % {"sort": "g.code, g.id"} + " AND v.parent_id = :parent ORDER BY g.code"
_INSIDE = f"""
SELECT h.id, h.code, h.head_name, h.address, h.area_code, gh.valid_from, gh.valid_to,
       (SELECT count(*) FROM household_member k WHERE {{tenant:k}} AND k.household_id = h.id AND k.registered AND {_K}),
       (SELECT count(*) FROM household_member k WHERE {{tenant:k}} AND k.household_id = h.id AND k.living AND {_K}),
       h.state
  FROM grid_household gh JOIN household h ON h.id = gh.household_id
 WHERE {{tenant:gh}} AND {{scope:h}} AND gh.grid_id = :grid AND {_G}
 ORDER BY h.code LIMIT :most
"""
INSIDE = (
    "id", "code", "head_name", "address", "area_code", "since", "until", "registered", "living", "state",
)  # fmt: skip
#: Households of one grid that a page shows; a whole village has fewer.
MOST_HOUSEHOLDS = 2_000


def find_grid(uow: Uow, grid_id: int, on: date) -> dict[str, Any] | None:
    """A grid as it is on a day, with size, rule and ``lead``, and ``standing``: whether it stands then; None: no such
    grid in the actor's area."""
    rows = scoped_rows(uow.session, _ONE, {"ids": [grid_id], "on": on})
    if not rows:
        return None
    item = dict(zip(NAMES, rows[0], strict=True))
    item["standing"] = item["valid_from"] is not None
    item["level"], item["leaf"], item["name"] = item["level"] or 0, bool(item["leaf"]), item["name"] or item["code"]
    with_sizes(uow, [item], on)
    item["lead"] = leaders_on(uow, [grid_id], on).get(grid_id)
    return item


def name_of(uow: Uow, grid_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """(code, newest name) by id, whatever the actor's area: names of grids are on public boards."""
    rows = scoped_rows(
        uow.session,
        "SELECT g.id, g.code, (SELECT v.name FROM grid_version v WHERE {tenant:v} AND v.grid_id = g.id"
        " ORDER BY v.valid_from DESC LIMIT 1) FROM grid g WHERE {tenant:g} AND g.id = ANY(:ids)",
        {"ids": list(grid_ids)},
    )
    return {id: (code, name or code) for id, code, name in rows}


def children(uow: Uow, grid_id: int, on: date) -> list[dict[str, Any]]:
    """Grids directly below one on a day."""
    rows = scoped_rows(uow.session, _CHILDREN, {"parent": grid_id, "on": on})
    return with_sizes(uow, [dict(zip(NAMES, row, strict=False)) for row in rows], on)


def households_in(uow: Uow, grid_id: int, on: date) -> list[dict[str, Any]]:
    """Households of a leaf grid on a day with their persons on both bases, by number."""
    rows = scoped_rows(uow.session, _INSIDE, {"grid": grid_id, "on": on, "most": MOST_HOUSEHOLDS})
    items = [dict(zip(INSIDE, row, strict=True)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return items


_OF_HOUSEHOLD = """
SELECT gh.grid_id, g.code, gh.valid_from, gh.valid_to,
       (SELECT v.name FROM grid_version v WHERE {tenant:v} AND v.grid_id = g.id
            AND v.valid_from < coalesce(gh.valid_to, 'infinity')
         ORDER BY v.valid_from DESC LIMIT 1)
  FROM grid_household gh JOIN grid g ON g.id = gh.grid_id
 WHERE {tenant:gh} AND {tenant:g} AND gh.household_id = :household ORDER BY gh.valid_from DESC
"""


def grids_of(uow: Uow, household_id: int) -> list[dict[str, Any]]:
    """The grids in which a household lay or lies, the newest first."""
    rows = scoped_rows(uow.session, _OF_HOUSEHOLD, {"household": household_id})
    return [dict(zip(("grid_id", "code", "since", "until", "name"), row, strict=True)) for row in rows]


_CHANGES = """
SELECT c.id, c.kind, c.on_date, c.state, c.reason, c.by_name, c.created_at, c.undone_by_name, c.undone_at,
       c.undone_reason, c.version, c.area_code, jsonb_array_length(c.changes->'touched'),
       jsonb_array_length(c.changes->'grids')
  FROM grid_change c
 WHERE {tenant:c} AND c.area_code BETWEEN :lo AND :hi AND %s
 ORDER BY c.id DESC LIMIT :most
"""
CHANGE = (
    "id", "kind", "on", "state", "reason", "by_name", "at", "undone_by_name", "undone_at", "undone_reason", "version",
    "area_code", "households", "grids",
)  # fmt: skip


def changes_of(uow: Uow, grid_id: int, area_code: int, most: int = 50) -> list[dict[str, Any]]:
    """What happened to a grid, the newest first: also households that went into it or out."""
    lo, hi = area_range(area_code - area_code % 1000)
    touches = "(c.changes->'near' @> CAST(:grid AS jsonb) OR c.changes->'grids' @> CAST(:grid AS jsonb))"
    params = {"lo": lo, "hi": hi, "grid": str(grid_id), "most": most}
    rows = scoped_rows(uow.session, _CHANGES % touches, params)
    return [dict(zip(CHANGE, row, strict=True)) for row in rows]


def changes_in(uow: Uow, village: int, most: int = 100) -> list[dict[str, Any]]:
    """Changes of a village's grids, the newest first; those that followed from the register left out."""
    lo, hi = area_range(village)
    rows = scoped_rows(uow.session, _CHANGES % "c.kind <> 'register'", {"lo": lo, "hi": hi, "most": most})
    return [dict(zip(CHANGE, row, strict=True)) for row in rows]


_NOTES = """
SELECT n.on_date, n.households, n.persons, n.rule, n.reason, n.by_name
  FROM grid_size_note n LEFT JOIN grid_change c ON {tenant:c} AND c.id = n.change_id
 WHERE {tenant:n} AND n.grid_id = :grid AND (c.id IS NULL OR c.state = 'done') ORDER BY n.id DESC LIMIT 20
"""


def size_notes(uow: Uow, grid_id: int) -> list[dict[str, Any]]:
    """Why a grid is outside its rule, the newest first."""
    rows = scoped_rows(uow.session, _NOTES, {"grid": grid_id})
    return [dict(zip(("on", "households", "persons", "rule", "reason", "by_name"), row, strict=True)) for row in rows]


def level_choices() -> list[tuple[str, Any]]:
    return [(str(level), label) for level, label in LEVELS.items()]


def any_grid(uow: Uow) -> bool:
    """Whether the county has grids at all."""
    return bool(scoped_rows(uow.session, "SELECT 1 FROM grid g WHERE {tenant:g} LIMIT 1"))


def codes_of(uow: Uow, grid_id: int) -> list[tuple[str, date]]:
    """(code, since when) of a grid, the newest first."""
    return [
        (code, since)
        for code, since in scoped_rows(
            uow.session,
            "SELECT c.code, c.since FROM grid_code c WHERE {tenant:c} AND c.grid_id = :grid ORDER BY c.id DESC",
            {"grid": grid_id},
        )
    ]


def households_of_village(uow: Uow, ids: Collection[int]) -> list[tuple[int, str, str, int]]:
    """(id, number, head, area code) of these households in the actor's area, by number."""
    return [
        (id, code, head, area)
        for id, code, head, area in scoped_rows(
            uow.session,
            "SELECT h.id, h.code, h.head_name, h.area_code FROM household h WHERE {scope:h} AND h.id = ANY(:ids)"
            " ORDER BY h.code",
            {"ids": list(ids)},
        )
    ]


def persons_near(uow: Uow, grid_id: int, area_code: int, on: date) -> list[tuple[str, str]]:
    """(id, name and household number) of grown-ups who may be put in charge of a grid: of its households first, then of
    the village; as far as the actor sees them."""
    lo, hi = area_range(area_code - area_code % 1000)
    rows = scoped_rows(
        uow.session,
        "SELECT p.id, p.name, h.code FROM person p JOIN household h ON h.id = p.household_id"
        " LEFT JOIN grid_household gh ON {tenant:gh} AND gh.household_id = h.id AND gh.grid_id = :grid AND "
        + _G
        + " WHERE {scope:p} AND {tenant:h} AND p.state = 'active' AND p.area_code BETWEEN :lo AND :hi"
        " AND (p.birth_date IS NULL OR p.birth_date <= CAST(:on AS date) - 6574)"
        " ORDER BY gh.id IS NULL, h.code, p.id LIMIT 3000",
        {"grid": grid_id, "lo": lo, "hi": hi, "on": on},
    )
    return [(str(id), f"{name} {code[-4:]}") for id, name, code in rows]
