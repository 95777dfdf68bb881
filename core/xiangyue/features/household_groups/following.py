"""Groups follow grids: a group lies in one leaf grid on every day, whatever happens to grids and households.

A group goes along with most of its households; those that lie in another grid afterwards, or in none, leave it on that
day. A group without households stays where it is as long as its grid stands, and ends with it. When the change of grids
is taken back, so is what followed from it. A household that left because of the register alone, and comes back into the
group's grid, is in the group again, whatever way it came back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridChange, GridHousehold, GridVersion
from xiangyue.features.grids.standing import village_of
from xiangyue.features.household_groups.models import (
    HouseholdGroupChange,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.household_groups.writing import Work, note, put_back
from xiangyue.i18n import gettext as _

Dated = HouseholdGroupVersion | HouseholdGroupMember | GridHousehold | GridVersion


def follow_grids(uow: Uow, change: GridChange, *, undone: bool) -> None:
    """Let groups follow a change of grids, or what was taken back of it."""
    concerned: set[int] = set()
    if undone:
        followed = select(HouseholdGroupChange).where(
            HouseholdGroupChange.grid_change_id == change.id, HouseholdGroupChange.state == "done"
        )
        for one in uow.session.scalars(followed.order_by(HouseholdGroupChange.id.desc())).all():
            put_back(uow, one, _("The change of grids was undone"))
            note(uow, one, "household_group.undo")
            concerned |= set(one.rows["groups"])
    made = change.changes
    # Who only got neighbours, or lost them, lies where it lay: of an import these are nearly all.
    concerned |= _groups_near(uow, {*made["grids"], *made["made"]}, made["touched"], change.on_date)
    keeper = _Settler(uow, change.on_date, village_of(change.area_code), None if undone else change.id)
    if change.kind == "register" and not undone:
        keeper.take_in(made["touched"])
    keeper.settle_all(concerned)


def _groups_near(uow: Uow, grid_ids: Collection[int], household_ids: Collection[int], on: date) -> set[int]:
    lies = select(HouseholdGroupVersion.group_id).where(
        HouseholdGroupVersion.grid_id.in_(list(grid_ids)), _lasts(HouseholdGroupVersion, on)
    )
    belongs = select(HouseholdGroupMember.group_id).where(
        HouseholdGroupMember.household_id.in_(list(household_ids)), _lasts(HouseholdGroupMember, on)
    )
    return {*uow.session.scalars(lies), *uow.session.scalars(belongs)}


def _lasts(
    model: type[HouseholdGroupVersion] | type[HouseholdGroupMember] | type[GridHousehold] | type[GridVersion], on: date
) -> ColumnElement[bool]:
    return or_(model.valid_to.is_(None), model.valid_to > on)


def settle(uow: Uow, group_ids: Collection[int], start: date, village: int, grid_change_id: int | None) -> None:
    """From a day on, bring these groups and their households into one leaf grid on every day."""
    _Settler(uow, start, village, grid_change_id).settle_all(group_ids)


#: Of households that are in no group from the day on: the newest change that was about them, where that followed from a
#: change of grids which followed from the register.
_LEFT = """
SELECT n.household, n.id FROM (
  SELECT DISTINCT ON (e.household) e.household, c.id, c.kind, c.grid_change_id FROM household_group_change c
    CROSS JOIN LATERAL (SELECT CAST(x AS bigint) AS household FROM jsonb_array_elements_text(c.rows->'households') x) e
   WHERE {tenant:c} AND c.area_code = :village AND c.state = 'done' AND e.household = ANY(:ids)
     AND NOT EXISTS (SELECT 1 FROM household_group_member m WHERE {tenant:m} AND m.household_id = e.household
                        AND (m.valid_to IS NULL OR m.valid_to > CAST(:on AS date)))
   ORDER BY e.household, c.id DESC) n
  JOIN grid_change g ON g.id = n.grid_change_id
 WHERE {tenant:g} AND n.kind = 'follow' AND g.kind = 'register'
"""


class _Settler:
    def __init__(self, uow: Uow, start: date, village: int, grid_change_id: int | None) -> None:
        self.uow, self.start, self.village, self.cause = uow, start, village, grid_change_id
        self.work: Work | None = None

    def _working(self) -> Work:
        if self.work is None:
            self.work = Work(self.uow, "follow", self.village, self.start, grid_change_id=self.cause,
                             reason=_("A change of grids"))  # fmt: skip
        return self.work

    def settle_all(self, group_ids: Collection[int]) -> None:
        for group_id in sorted({*group_ids, *(self.work.groups if self.work is not None else ())}):
            for day in self._days(group_id):
                self._settle_on(group_id, day)
        if self.work is not None:
            self.work.finish()

    def take_in(self, household_ids: Collection[int]) -> None:
        """Who left a group because of the register, and is back in its grid, belongs to it again."""
        params = {"village": self.village, "on": self.start, "ids": list(household_ids)}
        left = dict(scoped_rows(self.uow.session, _LEFT, params))
        homes = self._homes(list(left), self.start)
        for household, change_id in sorted(left.items()):
            group_id = self._left_group(household, change_id)
            version = next((v for v in self._rows(group_id)[0] if _covers(v, self.start)), None) if group_id else None
            if group_id and version is not None and version.grid_id == homes.get(household):
                self._working().open_members(group_id, [household], self.start)

    def _left_group(self, household_id: int, change_id: int) -> int | None:
        """The group that a household left by this change."""
        ended = select(HouseholdGroupMember.group_id).where(
            HouseholdGroupMember.household_id == household_id, HouseholdGroupMember.ended_by == change_id
        )
        found = self.uow.session.scalars(ended).first()
        if found is None:
            rows = select(HouseholdGroupChange.rows).where(HouseholdGroupChange.id == change_id)
            removed = self.uow.session.scalars(rows).one()["members"]["removed"]
            found = next((row["group_id"] for row in removed if row["household_id"] == household_id), None)
        return found

    def _rows(self, group_id: int) -> tuple[list[HouseholdGroupVersion], list[HouseholdGroupMember]]:
        versions = select(HouseholdGroupVersion).where(
            HouseholdGroupVersion.group_id == group_id, _lasts(HouseholdGroupVersion, self.start)
        )
        members = select(HouseholdGroupMember).where(
            HouseholdGroupMember.group_id == group_id, _lasts(HouseholdGroupMember, self.start)
        )
        return list(self.uow.session.scalars(versions)), list(self.uow.session.scalars(members))

    def _days(self, group_id: int) -> list[date]:
        """The day it begins with, and all later ones on which something of the group or its households changes."""
        versions, members = self._rows(group_id)
        if not versions and not members:
            return []
        homes = select(GridHousehold).where(
            GridHousehold.household_id.in_([m.household_id for m in members]), _lasts(GridHousehold, self.start)
        )
        grids = select(GridVersion).where(
            GridVersion.grid_id.in_([v.grid_id for v in versions]), _lasts(GridVersion, self.start)
        )
        rows: Sequence[Dated] = [
            *versions, *members, *self.uow.session.scalars(homes), *self.uow.session.scalars(grids),
        ]  # fmt: skip
        found = {day for row in rows for day in (row.valid_from, row.valid_to) if day is not None}
        return sorted({self.start, *(day for day in found if day > self.start)})

    def _settle_on(self, group_id: int, day: date) -> None:
        versions, members = self._rows(group_id)
        version = next((v for v in versions if _covers(v, day)), None)
        here = [m for m in members if _covers(m, day)]
        if version is None:
            for member in here:
                self._working().end(member, day)
            return
        homes = self._homes([m.household_id for m in here], day)
        counts = Counter(homes.values())
        target: int | None = version.grid_id
        if counts:
            most = max(counts.values())
            if counts[version.grid_id] < most:
                target = min(grid for grid, number in counts.items() if number == most)
        area = self._leaf(target, day)
        for member in here:
            if homes.get(member.household_id) != target:
                self._working().end(member, day)
        if area is None:
            self._working().end(version, day)
        elif target != version.grid_id or area != version.area_code:
            until, by = version.valid_to, version.ended_by
            name = version.name
            self._working().end(version, day)
            assert target is not None
            self._working().open_version(group_id, target, name, area, day, until, by)

    def _homes(self, household_ids: Collection[int], day: date) -> dict[int, int]:
        rows = select(GridHousehold.household_id, GridHousehold.grid_id).where(
            GridHousehold.household_id.in_(list(household_ids)), GridHousehold.valid_from <= day,
            _lasts(GridHousehold, day),
        )  # fmt: skip
        return {row.household_id: row.grid_id for row in self.uow.session.execute(rows)}

    def _leaf(self, grid_id: int | None, day: date) -> int | None:
        """The area of a grid that is a leaf on the day, else None."""
        return leaf_area(self.uow, grid_id, day) if grid_id is not None else None


def leaf_area(uow: Uow, grid_id: int, on: date) -> int | None:
    """The area that a leaf grid covers on a day; None where it is none then. The caller is inside ``tenant_wide``."""
    found = select(GridVersion.area_code).where(
        GridVersion.grid_id == grid_id, GridVersion.leaf, GridVersion.valid_from <= on, _lasts(GridVersion, on)
    )
    return uow.session.scalars(found).one_or_none()


def _covers(row: HouseholdGroupVersion | HouseholdGroupMember, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or row.valid_to > day)
