"""Which household is in which ten-household group, and whose head lives in it, taken in from a file: changes of groups
as by hand, with their undo. A group that a grid does not have yet is made; nobody is taken out of a group but by being
put into another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.codes import find_by_code
from xiangyue.features.grids.file_reason import reason
from xiangyue.features.household_groups import service, service_heads
from xiangyue.features.household_groups.file_columns import CODE_ALIASES, GROUP, HEAD_ALIASES, NAME_ALIASES
from xiangyue.features.household_groups.file_undo import built, undo
from xiangyue.features.household_groups.models import HouseholdGroup, HouseholdGroupMember
from xiangyue.features.household_groups.policy import GROUP_EDIT
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import CellFault, ImportRegister, RegisterColumn, RegisterRow, RowOutlook

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

COLUMNS = (
    RegisterColumn("home_place", GROUP["home_place"], "village", required=True),
    RegisterColumn("home", GROUP["home"], "household", required=True),
    RegisterColumn("grid_code", GROUP["grid_code"], required=True, aliases=CODE_ALIASES, width=20,
                   example="6109211002002001", help=_l("The grid in which the group and the household lie.")),
    RegisterColumn("group_name", GROUP["group_name"], required=True, aliases=NAME_ALIASES, width=18,
                   help=_l("A group that the grid does not have yet is made.")),
    RegisterColumn("group_head", GROUP["group_head"], aliases=HEAD_ALIASES,
                   help=_l("Only in the row of the household where the head lives.")),
    RegisterColumn("grouped_on", GROUP["grouped_on"], "date", example="2026-01-01", help=_l("Today if empty.")),
)  # fmt: skip
_COVERS = "{a}.valid_from <= CAST(:on AS date) AND ({a}.valid_to IS NULL OR {a}.valid_to > CAST(:on AS date))"
_G, _M, _V, _T, _K = (_COVERS.format(a=alias) for alias in ("g", "m", "v", "t", "k"))
#: Of households: number and head, the grid in which each lies on a day, whether something of it is arranged for later.
_HOMES = f"""
SELECT h.id, h.code, h.head_name, g.grid_id,
       EXISTS (SELECT 1 FROM household_group_member m WHERE {{tenant:m}} AND m.household_id = h.id
                  AND (m.valid_from > CAST(:on AS date) OR m.valid_to > CAST(:on AS date)))
  FROM household h LEFT JOIN grid_household g ON {{tenant:g}} AND g.household_id = h.id AND {_G}
 WHERE {{scope:h}} AND h.id = ANY(:ids)
"""
#: Groups of these grids, or of these households, on a day: name, grid and its code, head, whether the head is so only
#: from that day on, whether something of the group is arranged for later.
_GROUPS = f"""
SELECT v.group_id, v.name, v.grid_id, c.code, t.person_id,
       EXISTS (SELECT 1 FROM household_group_head n WHERE {{tenant:n}}
          AND n.group_id = v.group_id AND n.valid_from >= CAST(:on AS date)),
       v.valid_to IS NOT NULL OR EXISTS (SELECT 1 FROM household_group_version n WHERE {{tenant:n}}
          AND n.group_id = v.group_id AND n.valid_from > CAST(:on AS date))
       OR EXISTS (SELECT 1 FROM household_group_member n WHERE {{tenant:n}} AND n.group_id = v.group_id
          AND (n.valid_from > CAST(:on AS date) OR n.valid_to > CAST(:on AS date)))
  FROM household_group_version v JOIN grid c ON c.id = v.grid_id
  LEFT JOIN household_group_head t ON {{tenant:t}} AND t.group_id = v.group_id AND {_T}
 WHERE {{tenant:v}} AND {{tenant:c}} AND {_V} AND (v.grid_id = ANY(:grids) OR v.group_id = ANY(:groups))
"""
_MEMBERS = f"""
SELECT m.household_id, m.group_id FROM household_group_member m
 WHERE {{tenant:m}} AND m.household_id = ANY(:ids) AND {_M}
"""
_LIVING = f"""
SELECT k.household_id, p.id, p.name FROM household_member k JOIN person p ON p.id = k.person_id
 WHERE {{tenant:k}} AND {{scope:p}} AND k.household_id = ANY(:ids) AND k.living AND p.state = 'active' AND {_K}
"""


@dataclass(slots=True)
class Group:
    """``fresh``: it has a head from the day on, or a later one. ``later``: something of it is arranged for later."""

    id: int
    name: str
    grid: int
    code: str
    head_id: int | None
    fresh: bool
    later: bool


@dataclass(slots=True)
class Day:
    """How households and groups stand on a day."""

    homes: dict[int, tuple[str, str, int | None, bool]] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    member: dict[int, int] = field(default_factory=dict)
    living: dict[int, list[tuple[int, str]]] = field(default_factory=dict)

    def named(self, grid: int, name: str) -> list[Group]:
        return [group for group in self.groups.values() if group.grid == grid and group.name == name]

    def group_of(self, household: int) -> Group | None:
        return self.groups.get(self.member.get(household, 0))

    def head_in(self, household: int) -> str | None:
        """The head of a household's group, if it is somebody who lives in it."""
        group = self.group_of(household)
        return dict(self.living.get(household, ())).get(group.head_id) if group is not None and group.head_id else None


def _day(uow: Uow, on: date, ids: Collection[int], grids: Collection[int] = ()) -> Day:
    params = {"on": on, "ids": list(ids)}
    found = Day({row[0]: (row[1], row[2], row[3], row[4]) for row in scoped_rows(uow.session, _HOMES, params)})
    found.member = dict(scoped_rows(uow.session, _MEMBERS, params))
    for household, person, name in scoped_rows(uow.session, _LIVING, params):
        found.living.setdefault(household, []).append((person, name))
    wanted = {"on": on, "grids": list(grids), "groups": list(set(found.member.values()))}
    found.groups = {row[0]: Group(*row) for row in scoped_rows(uow.session, _GROUPS, wanted)}
    return found


def _when(row: RegisterRow) -> date:
    on: date = row.values.get("grouped_on") or today()
    return on


def _by_day(uow: Uow, rows: Sequence[RegisterRow]) -> tuple[dict[str, int | None], dict[date, Day]]:
    """Grids by code, and how all stands on each day of the rows."""
    grids = {code: find_by_code(uow, code) for code in {str(row.values["grid_code"]) for row in rows}}
    known = [id for id in grids.values() if id is not None]
    days = {}
    for on in {_when(row) for row in rows}:
        days[on] = _day(uow, on, {int(row.values["home"]) for row in rows if _when(row) == on}, known)
    return grids, days


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """In which group each household is, and would be."""
    grids, days = _by_day(uow, rows)
    return [_outlook(row, grids[str(row.values["grid_code"])], days[_when(row)]) for row in rows]


def _outlook(row: RegisterRow, grid: int | None, day: Day) -> RowOutlook:
    values, household = row.values, int(row.values["home"])
    code, head, lies, later = day.homes.get(household, ("", "", None, False))
    name = " ".join(str(values["group_name"]).split())
    faults: list[CellFault] = []
    now = day.group_of(household)
    before = {"grid_code": now.code if now else None, "group_name": now.name if now else None}
    after: dict[str, Any] = {"grid_code": str(values["grid_code"]).strip().upper(), "group_name": name}
    target = day.named(grid, name) if grid is not None else []
    if now is not None and grid == now.grid:
        after["grid_code"] = now.code  # an old code of the grid finds it too
    moves = before["grid_code"] != after["grid_code"] or before["group_name"] != name
    if grid is None:
        faults.append(CellFault("grid_code", _l("No grid has or had this code.")))
    elif lies != grid:
        faults.append(CellFault("grid_code", _l("The household does not lie in this grid on that day. A group lies"
                                                " within one grid.")))  # fmt: skip
    if len(target) > 1:
        faults.append(CellFault("group_name", _l("Several groups of this grid have this name: rename one first.")))
    if not name or len(name) > service.NAME_LENGTH:
        faults.append(CellFault("group_name", _l("Give a name of at most %(n)d characters.", n=service.NAME_LENGTH)))
    on = _when(row)
    try:
        service.check_day(on)
    except Invalid as invalid:
        faults.append(CellFault("grouped_on", invalid.fields["on"][0]))
    if moves and (later or (target and target[0].later)):
        text = _l("Something of the household or of the group is arranged for a later day: choose that day or a later"
                  " one.")  # fmt: skip
        faults.append(CellFault("grouped_on", text))
    if "group_head" in values:
        wanted = " ".join(str(values["group_head"]).split())
        before["group_head"], after["group_head"] = day.head_in(household), wanted
        faults += _of_head(wanted, before["group_head"], day.living.get(household, []), target)
    return RowOutlook(row.number, household, f"{code[-4:]} {head}", before, after, faults)


def _of_head(
    wanted: str, now: str | None, living: Sequence[tuple[int, str]], target: Sequence[Group]
) -> list[CellFault]:
    if wanted == now:
        return []
    called = [id for id, name in living if name == wanted]
    if len(called) != 1:
        return [CellFault("group_head", _l("Nobody, or more than one, of this name lives in this household."))]
    if target and target[0].fresh:
        return [CellFault("group_head", _l("The present head began on that day or later: choose a later day."))]
    return []


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    """One change for each group and day, then the heads."""
    why = reason()
    grids, days = _by_day(uow, rows)
    parts: dict[tuple[date, int, str], list[RegisterRow]] = {}
    for row in rows:
        grid = grids[str(row.values["grid_code"])]
        if grid is None:
            raise LookupError("the grid went between the check and the writing")
        parts.setdefault((_when(row), grid, " ".join(str(row.values["group_name"]).split())), []).append(row)
    # Of one that is made here, households that came later join what the first ones made.
    made: dict[tuple[int, str], int] = {}
    for (on, grid, name), members in sorted(parts.items(), key=lambda part: part[0]):
        known = next(iter(days[on].named(grid, name)), None)
        group = known.id if known is not None else made.get((grid, name))
        ids = [int(row.values["home"]) for row in members]
        if group is None:
            part = {"name": name, "household_ids": ids}
            change = service.create_groups(uow, grid_id=grid, on=on, parts=[part], reason=why, size_reason=why)
            new = select(HouseholdGroup.id).where(HouseholdGroup.opened_by == change.id)
            group = made[grid, name] = uow.session.scalars(new).one()
        else:
            _join(uow, group, ids, on, why)
        for row in members:
            if "group_head" in row.values:
                _name_head(uow, group, row, on, days[on])


def _join(uow: Uow, group_id: int, ids: Collection[int], on: date, why: str) -> None:
    there = select(HouseholdGroupMember.household_id).where(
        HouseholdGroupMember.group_id == group_id, HouseholdGroupMember.valid_from <= on,
        HouseholdGroupMember.valid_to.is_(None) | (HouseholdGroupMember.valid_to > on),
    )  # fmt: skip
    with uow.tenant_wide(service.WIDE):
        now = set(uow.session.scalars(there))
    if set(ids) - now:
        version = uow.get(HouseholdGroup, group_id).version
        service.set_members(uow, group_id=group_id, version=version, household_ids=now | set(ids), on=on, reason=why,
                            size_reason=why)  # fmt: skip


def _name_head(uow: Uow, group_id: int, row: RegisterRow, on: date, day: Day) -> None:
    wanted = " ".join(str(row.values["group_head"]).split())
    household = int(row.values["home"])
    if day.head_in(household) != wanted or day.member.get(household) != group_id:
        (person,) = [id for id, name in day.living.get(household, ()) if name == wanted]
        service_heads.name_head(uow, group_id=group_id, person_id=person, valid_from=on)


REGISTER = ImportRegister(
    "household_groups", _l("Ten-household groups"), GROUP_EDIT, COLUMNS, ("home_place", "home"), check, write, undo,
    built,
    help=_l("One row for each household, as it is exported from the list of groups. The grids must be on record, with"
            " their households."),
)  # fmt: skip
