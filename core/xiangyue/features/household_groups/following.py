"""Groups follow grids: a group lies in one leaf grid on every day, whatever happens to grids and households.

A group goes along with most of its households; those that lie in another grid afterwards, or in none, leave it on that
day. A group without households stays where it is as long as its grid stands, and ends with it. When the change of grids
is taken back, so is what followed from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select

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
    settle(uow, concerned, change.on_date, village_of(change.area_code), None if undone else change.id)


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
    keeper = _Settler(uow, start, village, grid_change_id)
    for group_id in sorted(group_ids):
        keeper.settle(group_id)
    if keeper.work is not None:
        keeper.work.finish()


class _Settler:
    def __init__(self, uow: Uow, start: date, village: int, grid_change_id: int | None) -> None:
        self.uow, self.start, self.village, self.cause = uow, start, village, grid_change_id
        self.work: Work | None = None

    def _working(self) -> Work:
        if self.work is None:
            self.work = Work(self.uow, "follow", self.village, self.start, grid_change_id=self.cause,
                             reason=_("A change of grids"))  # fmt: skip
        return self.work

    def settle(self, group_id: int) -> None:
        days = self._days(group_id)
        for day in days:
            self._settle_on(group_id, day)

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
