"""Reads of calls. Groups stand by whether they have answered and then by name, never by when or how fast: there is no
order of merit here, and none may be made from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.callouts.models import CalloutGroup
from xiangyue.features.callouts.policy import LIMITS, OLD, SETTING, CallRule
from xiangyue.features.grids.rules import setting
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.features.households.person_input import today

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_COVERS = "{a}.valid_from <= CAST(:on AS date) AND ({a}.valid_to IS NULL OR {a}.valid_to > CAST(:on AS date))"
_V, _M, _T, _K, _GV, _GH = (_COVERS.format(a=alias) for alias in ("v", "m", "t", "k", "gv", "gh"))


def call_rule(uow: Uow) -> CallRule:
    """The county's, or the core's."""
    row = setting(uow, SETTING)
    known = {name: row.value[name] for name in LIMITS if name in row.value} if row is not None else {}
    return CallRule(**known)


# Whom a call goes to.

_GROUPS = f"""
SELECT v.group_id, v.grid_id, v.name, v.sort_key, v.area_code, p.id, CASE WHEN p.id IS NULL THEN NULL ELSE t.account_id
       END, coalesce(p.name, '')
  FROM household_group_version v
  LEFT JOIN household_group_head t ON {{tenant:t}} AND t.group_id = v.group_id AND {_T}
  LEFT JOIN person p ON {{tenant:p}} AND p.id = t.person_id AND p.state = 'active'
 WHERE {{scope:v}} AND {_V} AND %s ORDER BY v.area_code, v.sort_key, v.group_id
"""
GROUP = ("group_id", "grid_id", "name", "sort_key", "area_code", "head_person_id", "head_account_id", "head_name")
_MEMBERS = f"""
SELECT m.group_id, h.id, h.area_code FROM household_group_member m JOIN household h ON h.id = m.household_id
 WHERE {{tenant:m}} AND {{tenant:h}} AND m.group_id = ANY(:groups) AND h.state = 'active' AND {_M} ORDER BY h.code
"""
_ALONE = f"""
SELECT h.id, h.area_code FROM household h
 WHERE {{scope:h}} AND h.state = 'active' AND h.living_count > 0 AND %s
   AND NOT EXISTS (SELECT 1 FROM household_group_member m WHERE {{tenant:m}} AND m.household_id = h.id AND {_M})
 ORDER BY h.code LIMIT 20001
"""
_IN_GRIDS = f"""EXISTS (SELECT 1 FROM grid_household gh WHERE {{tenant:gh}} AND gh.household_id = h.id
       AND gh.grid_id = ANY(:grids) AND {_GH})"""


def groups_in(
    uow: Uow, *, area_code: int, grid_ids: Collection[int] = (), group_ids: Collection[int] = ()
) -> list[dict[str, Any]]:
    """Groups of an area, of grids in it and what lies below them, or these groups in it, with their heads."""
    lo, hi = area_range(area_code)
    where, params = "v.area_code BETWEEN :lo AND :hi", {"lo": lo, "hi": hi, "ids": list(group_ids)}
    if group_ids:
        where += " AND v.group_id = ANY(:ids)"
    elif grid_ids:
        where, params["ids"] = f"{where} AND v.grid_id = ANY(:ids)", leaves_of(uow, grid_ids)
    rows = scoped_rows(uow.session, _GROUPS % where, {**params, "on": today()})
    return [dict(zip(GROUP, row, strict=True)) for row in rows]


def leaves_of(uow: Uow, grid_ids: Collection[int]) -> list[int]:
    """These grids and all that lie below them today."""
    found, last = set(grid_ids), list(grid_ids)
    while last:
        rows = scoped_rows(
            uow.session,
            f"SELECT gv.grid_id FROM grid_version gv WHERE {{tenant:gv}} AND gv.parent_id = ANY(:ids) AND {_GV}",
            {"ids": last, "on": today()},
        )
        last = [id for (id,) in rows if id not in found]
        found |= set(last)
    return sorted(found)


def members_of(uow: Uow, group_ids: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """(household, area code) of each group today."""
    found: dict[int, list[tuple[int, int]]] = {}
    for group, household, area in scoped_rows(uow.session, _MEMBERS, {"groups": list(group_ids), "on": today()}):
        found.setdefault(group, []).append((household, area))
    return found


def in_no_group(uow: Uow, *, area_code: int, grid_ids: Collection[int] = ()) -> list[tuple[int, int]]:
    """(household, area code) of those where somebody lives that no group reaches."""
    lo, hi = area_range(area_code)
    where, params = "h.area_code BETWEEN :lo AND :hi", {"lo": lo, "hi": hi, "on": today()}
    if grid_ids:
        return list(
            scoped_rows(uow.session, _ALONE % f"{where} AND {_IN_GRIDS}", {**params, "grids": leaves_of(uow, grid_ids)})
        )
    return list(scoped_rows(uow.session, _ALONE % where, params))


def grids_within(uow: Uow, area_code: int, grid_ids: Collection[int]) -> int:
    """How many of these grids stand in an area today."""
    lo, hi = area_range(area_code)
    rows = scoped_rows(
        uow.session,
        "SELECT count(*) FROM grid_version gv WHERE {scope:gv} AND gv.grid_id = ANY(:ids)"
        f" AND gv.area_code BETWEEN :lo AND :hi AND {_GV}",
        {"ids": list(grid_ids), "lo": lo, "hi": hi, "on": today()},
    )
    return int(rows[0][0])


def drilled_lately(uow: Uow, household_ids: Collection[int], since: date) -> int:
    """How many of these households took part in a drill since that day, whatever group they were in then."""
    rows = scoped_rows(
        uow.session,
        "SELECT count(DISTINCT ch.household_id) FROM callout c JOIN callout_group cg ON cg.callout_id = c.id"
        " JOIN callout_household ch ON ch.callout_group_id = cg.id"
        " WHERE {tenant:c} AND {tenant:cg} AND {tenant:ch} AND c.drill AND ch.household_id = ANY(:households)"
        " AND c.created_at >= CAST(:since AS date)",
        {"households": list(household_ids), "since": since},
    )
    return int(rows[0][0])


# Calls.

_LIST = """
SELECT c.id, c.kind, c.drill, c.message, c.state, c.area_code, c.by_name, c.created_at, c.ended_at, c.summary,
       c.version,
       (SELECT count(*) FROM callout_group cg WHERE {tenant:cg} AND cg.callout_id = c.id),
       (SELECT count(*) FROM callout_group cg JOIN callout_household ch ON ch.callout_group_id = cg.id
         WHERE {tenant:cg} AND {tenant:ch} AND cg.callout_id = c.id),
       (SELECT count(*) FROM callout_group cg JOIN callout_household ch ON ch.callout_group_id = cg.id
         WHERE {tenant:cg} AND {tenant:ch} AND cg.callout_id = c.id AND ch.state = 'reached'), c.id, c.id
  FROM callout c WHERE {scope:c}"""
CALL = (
    "id", "kind", "drill", "message", "state", "area_code", "by_name", "at", "ended_at", "summary", "version", "groups",
    "households", "reached",
)  # fmt: skip
SORTS = {"at": Sort("c.id", int)}


@dataclass(frozen=True, slots=True)
class CallFilter:
    """``drill``: yes, no or ""."""

    area: int = 0
    kind: str = ""
    state: str = ""
    drill: str = ""


def _conditions(wanted: CallFilter) -> Conditions:
    found = Conditions()
    if wanted.kind:
        found.add("c.kind = :kind", kind=wanted.kind)
    if wanted.state:
        found.add("c.state = :state", state=wanted.state)
    if wanted.drill:
        found.add("c.drill = :drill", drill=wanted.drill == "yes")
    return found


def list_calls(
    uow: Uow, wanted: CallFilter, *, limit: int = 50, after: str | None = None, before: str | None = None
) -> Page:
    """A page of calls, the newest first. Raises Invalid."""
    rows, following, back = fetch_page(uow, _LIST, _conditions(wanted), alias="c", area=wanted.area, sort="-at",
                                       sorts=SORTS, limit=limit, after=after, before=before)  # fmt: skip
    items = [dict(zip(CALL, row, strict=False)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return Page(items, following, back)


def each_call(uow: Uow, wanted: CallFilter, *, limit: int) -> Iterator[dict[str, Any]]:
    """All that a filter finds, for an export."""
    after, left = None, limit
    while left > 0:
        page = list_calls(uow, wanted, limit=min(left, 500), after=after)
        yield from page.items
        left, after = left - len(page.items), page.next
        if after is None:
            return


def count_calls(uow: Uow, wanted: CallFilter) -> int:
    conditions = _conditions(wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    sql = "SELECT count(*) FROM callout c WHERE {scope:c}" + conditions.sql()
    return int(scoped_rows(uow.session, sql, conditions.params, scope=scope)[0][0])


_CALL_GROUPS = """
SELECT cg.id, cg.group_id, cg.name, cg.area_code,
       coalesce((SELECT p.name FROM person p WHERE {tenant:p} AND p.id = cg.head_person_id), ''),
       cg.head_person_id, cg.head_account_id, cg.answered_at, cg.escalated_at,
       coalesce((SELECT t.name FROM grid_post t WHERE {tenant:t} AND t.id = cg.leader_post_id), ''),
       count(ch.id), count(ch.id) FILTER (WHERE ch.state = 'reached'),
       count(ch.id) FILTER (WHERE ch.state = 'not_reached'), count(ch.id) FILTER (WHERE ch.state = 'help'),
       count(ch.id) FILTER (WHERE ch.state = 'waiting')
  FROM callout_group cg LEFT JOIN callout_household ch ON {tenant:ch} AND ch.callout_group_id = cg.id
 WHERE {scope:cg} AND %s
 GROUP BY cg.tenant_id, cg.id
 ORDER BY cg.answered_at IS NOT NULL, count(ch.id) FILTER (WHERE ch.state <> 'reached') = 0, cg.area_code, cg.sort_key,
          cg.id
"""
CALL_GROUP = (
    "id", "group_id", "name", "area_code", "head_name", "head_person_id", "head_account_id", "answered_at",
    "escalated_at", "leader_name", "households", "reached", "not_reached", "help", "waiting",
)  # fmt: skip


def groups_of_call(uow: Uow, callout_id: int) -> list[dict[str, Any]]:
    """Groups of a call in the actor's area: those whose head has not answered first, then those where somebody has not
    been reached; among them by village and name."""
    rows = scoped_rows(uow.session, _CALL_GROUPS % "cg.callout_id = :call", {"call": callout_id})
    return _grouped(uow, rows)


def _grouped(uow: Uow, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    items = [dict(zip(CALL_GROUP, row, strict=True)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return items


def call_group(uow: Uow, callout_group_id: int) -> dict[str, Any] | None:
    """One group of a call with its counts; None where it is not, or outside the actor's area."""
    rows = scoped_rows(uow.session, _CALL_GROUPS % "cg.id = :id", {"id": callout_group_id})
    return _grouped(uow, rows)[0] if rows else None


#: Of who lives there today: how many, how many of them are old.
_LIVING = f"""
SELECT count(*) AS living, count(*) FILTER (WHERE p.birth_date <= CAST(:old AS date)) AS old FROM household_member k
  JOIN person p ON p.id = k.person_id
 WHERE {{tenant:k}} AND {{tenant:p}} AND k.household_id = h.id AND k.living AND p.state = 'active' AND {_K}
"""
_HOUSEHOLDS = f"""
SELECT ch.id, ch.callout_group_id, h.id, h.code, h.head_name, h.address, ch.state, ch.on_behalf, l.living, l.old
  FROM callout_household ch JOIN household h ON h.id = ch.household_id
  CROSS JOIN LATERAL ({_LIVING}) l
 WHERE {{tenant:ch}} AND {{tenant:h}} AND ch.callout_group_id = ANY(:groups) AND %s
 ORDER BY CASE WHEN l.living = 1 AND l.old = 1 THEN 0 WHEN l.living > 0 AND l.old = l.living THEN 1 ELSE 2 END, h.code
"""
CALL_HOUSEHOLD = (
    "id", "callout_group_id", "household_id", "code", "head_name", "address", "state", "on_behalf", "living", "old",
)  # fmt: skip


def households_of(uow: Uow, callout_group_ids: Collection[int], *, unreached: bool = False) -> list[dict[str, Any]]:
    """All households of groups of a call (`policy.MOST_HOUSEHOLDS` at most), whose access was checked: old people
    living alone first, then those where only old people live, then the others by number. ``alone``: an old person lives
    there alone; ``only_old``: nobody else does. ``unreached``: without those that were reached."""
    where = "ch.state <> 'reached'" if unreached else "true"
    day = today()
    try:
        old = day.replace(year=day.year - OLD)
    except ValueError:  # 29 February
        old = day.replace(year=day.year - OLD, day=28)
    rows = scoped_rows(
        uow.session, _HOUSEHOLDS % where, {"groups": list(callout_group_ids), "on": day, "old": old}
    )  # fmt: skip
    items = [dict(zip(CALL_HOUSEHOLD, row, strict=True)) for row in rows]
    for item in items:
        item["alone"] = item["living"] == 1 and item["old"] == 1
        item["only_old"] = item["living"] > 1 and item["old"] == item["living"]
    return items


def persons_of(uow: Uow, household_id: int) -> list[int]:
    """Who lives in a household today and has a telephone."""
    rows = scoped_rows(
        uow.session,
        "SELECT p.id FROM household_member k JOIN person p ON p.id = k.person_id WHERE {tenant:k} AND {scope:p}"
        f" AND k.household_id = :household AND k.living AND p.state = 'active' AND p.phone IS NOT NULL AND {_K}"
        " ORDER BY p.id LIMIT 10",
        {"household": household_id, "on": today()},
    )
    return [id for (id,) in rows]


def open_for_head(uow: Uow, account_id: int) -> list[dict[str, Any]]:
    """Groups in open calls of which this account's holder is the head, the newest call first."""
    rows = scoped_rows(
        uow.session,
        "SELECT cg.id, c.id, c.kind, c.drill, c.message, cg.name, cg.answered_at, c.created_at"
        " FROM callout_group cg JOIN callout c ON c.id = cg.callout_id"
        " WHERE {tenant:c} AND {scope:cg} AND c.state = 'open' AND cg.head_account_id = :account ORDER BY c.id DESC",
        {"account": account_id},
    )
    names = ("id", "callout_id", "kind", "drill", "message", "name", "answered_at", "at")
    return [dict(zip(names, row, strict=True)) for row in rows]


def open_calls(uow: Uow) -> list[dict[str, Any]]:
    """Open calls with groups in the actor's area: how many of these have not answered, how many went on."""
    rows = scoped_rows(
        uow.session,
        "SELECT c.id, c.kind, c.drill, c.message, count(*) FILTER (WHERE cg.answered_at IS NULL),"
        " count(*) FILTER (WHERE cg.answered_at IS NULL AND cg.escalated_at IS NOT NULL)"
        " FROM callout_group cg JOIN callout c ON c.id = cg.callout_id"
        " WHERE {tenant:c} AND {scope:cg} AND c.state = 'open' GROUP BY c.tenant_id, c.id ORDER BY c.id DESC LIMIT 20",
    )
    names = ("id", "kind", "drill", "message", "unanswered", "escalated")
    return [dict(zip(names, row, strict=True)) for row in rows]


def is_head(uow: Uow, group: CalloutGroup) -> bool:
    """Whether the actor is the head of a group in a call."""
    return group.head_account_id is not None and group.head_account_id == uow.actor.account_id
