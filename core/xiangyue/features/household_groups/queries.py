"""Reads of groups: the list as of a day, one group with its households, its history, and a suggestion for a grid."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.household_groups.policy import GroupSize
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.text.pinyin import fold

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_COVERS = "{a}.valid_from <= CAST(:on AS date) AND ({a}.valid_to IS NULL OR {a}.valid_to > CAST(:on AS date))"
_V, _M, _T, _K, _GH, _GV = (_COVERS.format(a=alias) for alias in ("v", "m", "t", "k", "gh", "gv"))
_NUMBER = f"(SELECT count(*) FROM household_group_member m WHERE {{tenant:m}} AND m.group_id = g.id AND {_M})"
#: died, moved, left (does not live in a household of the group), or "".
_PROBLEM = f"""CASE WHEN p.state = 'deceased' THEN 'died' WHEN p.state <> 'active' THEN 'moved'
       WHEN NOT EXISTS (SELECT 1 FROM household_member k
             JOIN household_group_member m ON m.household_id = k.household_id
             WHERE {{tenant:k}} AND {{tenant:m}} AND k.person_id = t.person_id AND k.living AND m.group_id = g.id
               AND {_K} AND {_M}) THEN 'left' ELSE '' END"""
_FROM = f"""
  FROM household_group_version v JOIN household_group g ON g.id = v.group_id
  LEFT JOIN household_group_head t ON {{tenant:t}} AND t.group_id = g.id AND {_T}
  LEFT JOIN person p ON {{tenant:p}} AND p.id = t.person_id
 WHERE {{scope:v}} AND {{tenant:g}} AND {_V}"""
_GRID_NAME = f"""(SELECT gv.name FROM grid_version gv WHERE {{tenant:gv}} AND gv.grid_id = v.grid_id AND {_GV})"""
_COLUMNS = f"""g.id, v.name, v.grid_id, {_GRID_NAME}, v.area_code, v.valid_from, v.valid_to, g.version, {_NUMBER},
       t.id, t.person_id, t.name, t.valid_from, t.account_id, CASE WHEN t.id IS NULL THEN '' ELSE {_PROBLEM} END"""
NAMES = (
    "id", "name", "grid_id", "grid_name", "area_code", "valid_from", "valid_to", "version", "households", "head_id",
    "person_id", "head_name", "head_since", "account_id", "head_problem",
)  # fmt: skip
SORTS = {"name": Sort("v.sort_key", str), "area": Sort("v.area_code", int)}


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """``size``: out or fits; ``head``: none or problem; ``grid``: id of a grid, 0 of all; ``on``: the day."""

    on: date
    area: int = 0
    grid: int = 0
    size: str = ""
    head: str = ""
    q: str = ""


def _conditions(uow: Uow, wanted: GroupFilter) -> Conditions:
    found = Conditions(params={"on": wanted.on})
    if wanted.grid:
        found.add("v.grid_id = :grid", grid=wanted.grid)
    if wanted.size:
        rule = group_size(uow)
        within = f"{_NUMBER} BETWEEN :least AND :most"
        found.add(within if wanted.size == "fits" else f"NOT ({within})", least=rule.min_households,
                  most=rule.max_households)  # fmt: skip
    if wanted.head == "none":
        found.add("t.id IS NULL")
    if wanted.head == "problem":
        found.add(f"(t.id IS NOT NULL AND {_PROBLEM} <> '')")
    if word := fold(wanted.q):
        found.add("(strpos(v.name, :name) > 0 OR strpos(v.sort_key, :q) > 0 OR strpos(t.name, :name) > 0)", q=word,
                  name=wanted.q.strip())  # fmt: skip
    return found


def list_groups(
    uow: Uow, wanted: GroupFilter, *, sort: str = "area", limit: int = 50, after: str | None = None,
    before: str | None = None,
) -> Page:  # fmt: skip
    """A page of groups that stand on the day. Raises Invalid."""
    column = SORTS.get(sort.removeprefix("-"), SORTS["area"]).column
    rows, following, back = fetch_page(
        uow, f"\nSELECT {_COLUMNS}, {column}, g.id{_FROM}", _conditions(uow, wanted), alias="g", area=wanted.area,
        sort=sort, sorts=SORTS, limit=limit, after=after, before=before,
    )  # fmt: skip
    return Page(_told(uow, rows), following, back)


def _told(uow: Uow, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    rule = group_size(uow)
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    for item in items:
        item["fits"] = rule.fits(item["households"])
    set_area_names(uow, items, [item["area_code"] for item in items])
    return items


def each_group(uow: Uow, wanted: GroupFilter, *, sort: str = "area", limit: int) -> Iterator[dict[str, Any]]:
    """All that a filter finds, for an export."""
    after, left = None, limit
    while left > 0:
        page = list_groups(uow, wanted, sort=sort, limit=min(left, 500), after=after)
        yield from page.items
        left, after = left - len(page.items), page.next
        if after is None:
            return


def count_groups(uow: Uow, wanted: GroupFilter) -> int:
    conditions = _conditions(uow, wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    return int(
        scoped_rows(uow.session, f"SELECT count(*){_FROM}{conditions.sql()}", conditions.params, scope=scope)[0][0]
    )


def find_group(uow: Uow, group_id: int, on: date) -> dict[str, Any] | None:
    """A group as it is on a day, ``standing``: whether it stands then, else as it was last; None: no such group in the
    actor's area."""
    rows = scoped_rows(uow.session, f"SELECT {_COLUMNS}{_FROM} AND g.id = :id", {"id": group_id, "on": on})
    if rows:
        return {**_told(uow, rows)[0], "standing": True}
    known = scoped_rows(
        uow.session,
        "SELECT g.id, coalesce(v.name, ''), v.grid_id, NULL, g.area_code, v.valid_from, v.valid_to, g.version, 0, NULL,"
        " NULL, NULL, NULL, NULL, '' FROM household_group g LEFT JOIN household_group_version v ON {tenant:v}"
        " AND v.group_id = g.id WHERE {scope:g} AND g.id = :id ORDER BY v.valid_from DESC LIMIT 1",
        {"id": group_id},
    )
    return {**_told(uow, known)[0], "standing": False} if known else None


_INSIDE = f"""
SELECT h.id, h.code, h.head_name, h.address, h.area_code, m.valid_from, m.valid_to, h.living_count
  FROM household_group_member m JOIN household h ON h.id = m.household_id
 WHERE {{tenant:m}} AND {{scope:h}} AND m.group_id = :group AND {_M} ORDER BY h.code
"""
INSIDE = ("id", "code", "head_name", "address", "area_code", "since", "until", "living")


def households_in(uow: Uow, group_id: int, on: date) -> list[dict[str, Any]]:
    """Households of a group on a day, by number."""
    rows = scoped_rows(uow.session, _INSIDE, {"group": group_id, "on": on})
    return [dict(zip(INSIDE, row, strict=True)) for row in rows]


def count_free(uow: Uow, grid_id: int, on: date) -> int:
    """How many households of a leaf grid are in no group on a day."""
    rows = scoped_rows(
        uow.session,
        "SELECT count(*) FROM grid_household gh JOIN household h ON h.id = gh.household_id"
        f" WHERE {{tenant:gh}} AND {{scope:h}} AND gh.grid_id = :grid AND {_GH} AND NOT EXISTS (SELECT 1 FROM"
        f" household_group_member m WHERE {{tenant:m}} AND m.household_id = h.id AND {_M})",
        {"grid": grid_id, "on": on},
    )
    return int(rows[0][0])


_OF_GRID = f"""
SELECT h.id, h.code, h.head_name, h.address, m.group_id,
       (SELECT v.name FROM household_group_version v WHERE {{tenant:v}} AND v.group_id = m.group_id AND {_V})
  FROM grid_household gh JOIN household h ON h.id = gh.household_id
  LEFT JOIN household_group_member m ON {{tenant:m}} AND m.household_id = h.id AND {_M}
 WHERE {{tenant:gh}} AND {{scope:h}} AND gh.grid_id = :grid AND {_GH} ORDER BY h.code
"""


def households_of_grid(uow: Uow, grid_id: int, on: date) -> list[dict[str, Any]]:
    """Households of a leaf grid on a day in house order, each with its group."""
    rows = scoped_rows(uow.session, _OF_GRID, {"grid": grid_id, "on": on})
    return [
        dict(zip(("id", "code", "head_name", "address", "group_id", "group_name"), row, strict=True)) for row in rows
    ]


_FILE = f"""
SELECT h.id, h.code, h.area_code, c.code, v.name, coalesce(l.name, ''), GREATEST(m.valid_from, v.valid_from, l.since)
  FROM household_group_member m JOIN household h ON h.id = m.household_id
  JOIN household_group_version v ON v.group_id = m.group_id
  JOIN grid c ON c.id = v.grid_id
  LEFT JOIN LATERAL (SELECT p.name, t.valid_from AS since FROM household_group_head t
       JOIN household_member k ON k.person_id = t.person_id JOIN person p ON p.id = t.person_id
      WHERE {{tenant:t}} AND {{tenant:k}} AND {{tenant:p}} AND t.group_id = m.group_id AND k.household_id = h.id
        AND k.living AND p.state = 'active' AND {_T} AND {_K}) l ON true
 WHERE {{tenant:m}} AND {{scope:h}} AND {{tenant:v}} AND {{tenant:c}} AND m.group_id = ANY(:groups) AND {_M} AND {_V}
 ORDER BY c.code, v.sort_key, m.group_id, h.code
"""
FILED = ("household_id", "code", "area_code", "grid_code", "group_name", "group_head", "since")


def filed(uow: Uow, group_ids: Collection[int], on: date) -> list[dict[str, Any]]:
    """Households of groups on a day as a file says them: the head's name where the head lives, and since when all of
    the row holds."""
    rows = scoped_rows(uow.session, _FILE, {"groups": list(group_ids), "on": on})
    return [dict(zip(FILED, row, strict=True)) for row in rows]


def chunks(number: int, rule: GroupSize) -> list[int]:
    """Sizes of groups that ``number`` households make in house order, as even as may be: within the county's size where
    any number of groups gives that, else as near to it as possible. The number nearest to the middle of the size."""
    if number <= 0:
        return []
    middle = (rule.min_households + rule.max_households) / 2
    counts = range(1, number + 1)
    best = min(
        counts,
        key=lambda count: (
            max(rule.min_households - number // count, 0) + max(-(-number // count) - rule.max_households, 0),
            abs(number / count - middle), count,
        ),
    )  # fmt: skip
    return [number * (n + 1) // best - number * n // best for n in range(best)]


def suggest(uow: Uow, grid_id: int, on: date) -> list[list[dict[str, Any]]]:
    """Groups for the households of a grid that are in none, by house order."""
    free = [row for row in households_of_grid(uow, grid_id, on) if row["group_id"] is None]
    found, begin = [], 0
    for size in chunks(len(free), group_size(uow)):
        found.append(free[begin : begin + size])
        begin += size
    return found


_GROUPS_OF = f"""
SELECT m.group_id, m.valid_from, m.valid_to, (SELECT v.name FROM household_group_version v WHERE {{tenant:v}}
        AND v.group_id = m.group_id AND v.valid_from < coalesce(m.valid_to, 'infinity')
        ORDER BY v.valid_from DESC LIMIT 1), t.name, t.person_id, CASE WHEN t.id IS NULL THEN '' ELSE {_PROBLEM} END
  FROM household_group_member m JOIN household_group g ON g.id = m.group_id
  LEFT JOIN household_group_head t ON {{tenant:t}} AND t.group_id = g.id AND {_T}
  LEFT JOIN person p ON {{tenant:p}} AND p.id = t.person_id
 WHERE {{tenant:m}} AND {{tenant:g}} AND m.household_id = :household ORDER BY m.valid_from DESC
"""


def groups_of(uow: Uow, household_id: int, on: date) -> list[dict[str, Any]]:
    """The groups of a household, the newest first, with the present head."""
    rows = scoped_rows(uow.session, _GROUPS_OF, {"household": household_id, "on": on})
    names = ("group_id", "since", "until", "name", "head_name", "head_person_id", "head_problem")
    return [dict(zip(names, row, strict=True)) for row in rows]


_CHANGES = """
SELECT c.id, c.kind, c.on_date, c.state, c.reason, c.size_reason, c.by_name, c.undone_by_name, c.undone_reason,
       c.version, jsonb_array_length(c.rows->'households'), c.sizes, c.grid_change_id
  FROM household_group_change c
 WHERE {tenant:c} AND c.area_code BETWEEN :lo AND :hi AND c.rows->'groups' @> CAST(:group AS jsonb)
 ORDER BY c.id DESC LIMIT 50
"""
CHANGE = (
    "id", "kind", "on", "state", "reason", "size_reason", "by_name", "undone_by_name", "undone_reason", "version",
    "households", "sizes", "grid_change_id",
)  # fmt: skip


def changes_of(uow: Uow, group_id: int, area_code: int) -> list[dict[str, Any]]:
    """What happened to a group, the newest first."""
    lo, hi = area_range(area_code - area_code % 1000)
    rows = scoped_rows(uow.session, _CHANGES, {"lo": lo, "hi": hi, "group": str(group_id)})
    return [dict(zip(CHANGE, row, strict=True)) for row in rows]


def heads_of(uow: Uow, group_id: int) -> list[dict[str, Any]]:
    """Everybody who was head of a group, the newest first."""
    rows = scoped_rows(
        uow.session,
        "SELECT t.id, t.person_id, t.name, t.valid_from, t.valid_to, t.ended_reason, t.version"
        " FROM household_group_head t WHERE {tenant:t} AND t.group_id = :group ORDER BY t.valid_from DESC",
        {"group": group_id},
    )
    names = ("id", "person_id", "name", "since", "until", "ended_reason", "version")
    return [dict(zip(names, row, strict=True)) for row in rows]


def persons_in(uow: Uow, group_id: int, on: date) -> list[tuple[str, str]]:
    """(id, name and household number) of grown-ups who live in the group's households and whom the actor sees."""
    rows = scoped_rows(
        uow.session,
        "SELECT p.id, p.name, h.code FROM household_group_member m JOIN household h ON h.id = m.household_id"
        " JOIN household_member k ON k.household_id = h.id JOIN person p ON p.id = k.person_id"
        " WHERE {tenant:m} AND {tenant:h} AND {tenant:k} AND {scope:p} AND m.group_id = :group AND k.living"
        f" AND p.state = 'active' AND {_M} AND {_K}"
        " AND (p.birth_date IS NULL OR p.birth_date <= CAST(:on AS date) - 6574) ORDER BY h.code, p.id LIMIT 500",
        {"group": group_id, "on": on},
    )
    return [(str(id), f"{name} {code[-4:]}") for id, name, code in rows]


def lives_there(uow: Uow, group_id: int, person_id: int, on: date) -> bool:
    """Whether somebody lives in a household of the group on a day."""
    found = scoped_rows(
        uow.session,
        "SELECT 1 FROM household_member k JOIN household_group_member m ON m.household_id = k.household_id"
        " WHERE {tenant:k} AND {tenant:m} AND k.person_id = :person AND k.living AND m.group_id = :group"
        f" AND {_K} AND {_M} LIMIT 1",
        {"person": person_id, "group": group_id, "on": on},
    )
    return bool(found)
