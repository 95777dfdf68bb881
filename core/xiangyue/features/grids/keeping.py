"""Grids follow the register: who is new is placed where there is no doubt, who is gone leaves, in the same transaction.

``keep_households`` makes good whatever changed, by looking at the households themselves; so it may be called again at
any time. What it does is a change of the kind ``register``, which goes back with the act that it followed from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridChange, GridHousehold, GridVersion
from xiangyue.features.grids.standing import has_grids, lock_village, village_of
from xiangyue.features.grids.undoing import mark_undone
from xiangyue.features.grids.writing import Writer, new_change, row_of
from xiangyue.features.households.models import Household
from xiangyue.i18n import gettext as _

_WHY = "a household's grid follows it through the whole county"

_IN_DOUBT = """
SELECT DISTINCT g.grid_id FROM household h JOIN grid_household g ON g.household_id = h.id
  JOIN grid_version v ON v.grid_id = g.grid_id AND v.valid_from <= CAST(:on AS date)
       AND (v.valid_to IS NULL OR v.valid_to > CAST(:on AS date))
 WHERE {tenant:h} AND {tenant:g} AND {tenant:v} AND h.area_code = :area AND h.state = 'active'
   AND h.area_code BETWEEN v.area_code AND v.area_code + CASE WHEN v.area_code % 1000 = 0 THEN 999 ELSE 0 END
   AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date))
 LIMIT 2
"""


def keep_households(
    uow: Uow,
    household_ids: Collection[int],
    on: date,
    *,
    act_id: int | None = None,
    undone: bool = False,
    came_from: Mapping[int, int] | None = None,
) -> None:
    """Let grids follow what happened to these households on that day.

    ``act_id``: the act of the register it was; ``undone``: that act was taken back just now. ``came_from``: the
    household that a new one was split from, where it goes if it may. Never raises for what stands in the way: a
    household without a place waits, and the coverage page shows it.
    """
    if not household_ids:
        return
    with uow.tenant_wide(_WHY):
        uow.session.flush()
        villages = lock_villages(uow, household_ids)
        if not villages:
            return
        if undone and act_id is not None:
            followed = select(GridChange).where(GridChange.act_id == act_id, GridChange.state == "done")
            changes = uow.session.scalars(followed.order_by(GridChange.id)).all()
            take_back(uow, changes, str(_("The change of the register was undone")))
        keeper = Keeper(uow, on, act_id if not undone else None)
        households = found_again(uow, household_ids)
        known = set(
            uow.session.scalars(
                select(GridHousehold.household_id).where(GridHousehold.household_id.in_(household_ids)).distinct()
            )
        )
        for household in households:
            if household.id in known:
                keeper.leave(household)
        for household in households:  # none goes after another that is about to leave
            if household.state != "active" or village_of(household.area_code) not in villages:
                continue
            origin = (came_from or {}).get(household.id)
            if household.id in known or origin is not None:
                keeper.place(household, origin)
            else:
                keeper.place_first(household)
        keeper.finish()


def lock_villages(uow: Uow, household_ids: Collection[int]) -> set[int]:
    """Lock the villages of these households and of grids in which they lay, as far as these ever had a grid."""
    rows = uow.session.execute(select(Household.id, Household.area_code).where(Household.id.in_(household_ids)))
    villages = {village_of(row.area_code) for row in rows}
    left = select(GridVersion.area_code).join(GridHousehold, GridHousehold.grid_id == GridVersion.grid_id).where(
        GridHousehold.household_id.in_(household_ids)
    )  # fmt: skip
    villages |= {village_of(code) for code in uow.session.scalars(left)}
    villages = has_grids(uow, villages)
    for village in sorted(villages):
        lock_village(uow, village)
    return villages


def found_again(uow: Uow, household_ids: Collection[int]) -> Sequence[Household]:
    """The households as they are in the database now."""
    statement = select(Household).where(Household.id.in_(household_ids)).order_by(Household.id)
    return uow.session.scalars(statement.execution_options(populate_existing=True)).all()


class Keeper:
    """One change for each village that anything happens in; ``request``, ``reason``: of these."""

    def __init__(
        self, uow: Uow, on: date, act_id: int | None = None, *, request: Json | None = None, reason: str = ""
    ) -> None:
        self.uow, self.on, self.act_id = uow, on, act_id
        self.request, self.reason = request, reason
        self._writers: dict[int, Writer] = {}
        #: Area -> the only grid in question on the day (`_only`), as long as nothing but that is placed there.
        self._certain: dict[int, tuple[int | None, date | None]] = {}
        self._next_days: dict[tuple[int, date], date | None] = {}

    def _writer(self, village: int) -> Writer:
        if village not in self._writers:
            change = new_change(
                self.uow, "register", village, self.on, act=self.act_id, request=self.request, reason=self.reason
            )
            self._writers[village] = Writer(self.uow, change)
        return self._writers[village]

    def leave(self, household: Household) -> None:
        """A household that is gone, or whose area its grid does not cover any more, leaves it."""
        self._certain.clear()
        active = household.state == "active"
        on = self.on if active else household.left_on or self.on
        rows = select(GridHousehold).where(
            GridHousehold.household_id == household.id,
            or_(GridHousehold.valid_to.is_(None), GridHousehold.valid_to > on),
        )
        for row in self.uow.session.scalars(rows).all():
            area = _area_of(self.uow, row.grid_id, max(on, row.valid_from))
            low, high = area_range(area) if area else (0, -1)
            if not active or not low <= household.area_code <= high:
                self._writer(village_of(area or household.area_code)).end_household(row, on)
        self.uow.session.flush()

    def place_first(self, household: Household) -> None:
        """One that was never in a grid, and came from none: after a roster thousands, each of which goes where the one
        before it in its group went."""
        grid, until = self._only(household.area_code)
        if grid is None and self._next_day(household, self.on) is None:
            return
        if grid is None or until is not None:
            self.place(household, None)
            return
        writer = self._writer(village_of(household.area_code))
        writer.open_rows([_row(self.uow, household, grid, self.on, None, writer.change.id, None)])

    def place(self, household: Household, came_from: int | None) -> None:
        """From the day on, until it has a place anyway: where there is no doubt; a grid that is to end is left for the
        next when that day comes."""
        self._certain.clear()
        start: date | None = self.on
        taken = select(GridHousehold.valid_from, GridHousehold.valid_to).where(
            GridHousehold.household_id == household.id,
            or_(GridHousehold.valid_to.is_(None), GridHousehold.valid_to > self.on),
        ).order_by(GridHousehold.valid_from)  # fmt: skip
        gaps, rows = [], self.uow.session.execute(taken).all()
        for row in rows:
            if start is not None and row.valid_from > start:
                gaps.append((start, row.valid_from))
            start = row.valid_to
        if start is not None:
            gaps.append((start, None))
        for first, last in gaps:
            at: date | None = first
            while at is not None and (last is None or at < last):
                grid, until = self._where(household, at, came_from)
                end = min((day for day in (until, last) if day is not None), default=None)
                if grid is None:
                    at = self._next_day(household, at)
                    continue
                writer = self._writer(village_of(household.area_code))
                ender = _ender(self.uow, grid, end) if end is not None and end == until else None
                writer.open_rows([_row(self.uow, household, grid, at, end, writer.change.id, ender)])
                at = end

    def _only(self, area: int) -> tuple[int | None, date | None]:
        """`_in_question` on the day, asked once for an area."""
        if area not in self._certain:
            self._certain[area] = self._in_question(area, self.on)
        return self._certain[area]

    def _where(self, household: Household, on: date, came_from: int | None) -> tuple[int | None, date | None]:
        """(grid, the day it ends or stops being a leaf) for a household without one: that of the household which it
        came from, the one it lay in last (it was closed and is back), else the only one in question."""
        for other in (came_from, household.id):
            last = select(GridHousehold.grid_id).where(
                GridHousehold.household_id == other, GridHousehold.valid_from <= on
            )
            grid = self.uow.session.scalars(last.order_by(GridHousehold.valid_from.desc()).limit(1)).one_or_none()
            area = _area_of(self.uow, grid, on) if grid is not None else None
            if grid is not None and area and area_range(area)[0] <= household.area_code <= area_range(area)[1]:
                until = leaf_until(self.uow, grid, on)
                if until is None or until > on:
                    return grid, until
        return self._in_question(household.area_code, on)

    def _in_question(self, area: int, on: date) -> tuple[int | None, date | None]:
        """The grid in which all other households of the group lie, else the only one of just this area, with the day it
        ends or stops being a leaf."""
        found = [id for (id,) in scoped_rows(self.uow.session, _IN_DOUBT, {"area": area, "on": on})]
        if not found:
            own = select(GridVersion.grid_id).where(
                GridVersion.area_code == area, GridVersion.leaf, GridVersion.valid_from <= on,
                or_(GridVersion.valid_to.is_(None), GridVersion.valid_to > on),
            )  # fmt: skip
            found = list(self.uow.session.scalars(own.limit(2)))
        if len(found) != 1:
            return None, None
        until = leaf_until(self.uow, found[0], on)
        return (found[0], until) if until is None or until > on else (None, None)

    def _next_day(self, household: Household, after: date) -> date | None:
        """The next day on which the village's grids change: what is in doubt today may be clear then."""
        village = village_of(household.area_code)
        if (village, after) not in self._next_days:
            low, high = area_range(village)
            days = select(GridVersion.valid_from).where(
                GridVersion.area_code.between(low, high), GridVersion.valid_from > after
            )
            found = self.uow.session.scalars(days.order_by(GridVersion.valid_from).limit(1)).one_or_none()
            self._next_days[village, after] = found
        return self._next_days[village, after]

    def finish(self) -> None:
        for writer in self._writers.values():
            change = writer.finish("grid.register", after={"households": len(writer.touched), "on": self.on})
            change.reason = str(_("From the register")) if not change.reason else change.reason
        self.uow.session.flush()


def leaf_until(uow: Uow, grid_id: int, on: date) -> date | None:
    """The day on which a grid that is a leaf stops being one, or ends; None: nothing is arranged. Returns ``on`` itself
    when it is none."""
    versions = (
        select(GridVersion)
        .where(GridVersion.grid_id == grid_id, or_(GridVersion.valid_to.is_(None), GridVersion.valid_to > on))
        .order_by(GridVersion.valid_from)
    )
    until: date | None = on
    for version in uow.session.scalars(versions):
        if until is None or version.valid_from > until or not version.leaf:
            break
        until = version.valid_to
    return until


def _area_of(uow: Uow, grid_id: int, on: date) -> int | None:
    """The area that a grid covers on a day, if it stands."""
    statement = select(GridVersion.area_code).where(
        GridVersion.grid_id == grid_id, GridVersion.valid_from <= on,
        or_(GridVersion.valid_to.is_(None), GridVersion.valid_to > on),
    )  # fmt: skip
    return uow.session.scalars(statement).one_or_none()


def _ender(uow: Uow, grid_id: int, on: date) -> int | None:
    """The change by which a version of the grid ends on that day."""
    statement = select(GridVersion.ended_by).where(GridVersion.grid_id == grid_id, GridVersion.valid_to == on)
    return uow.session.scalars(statement).one_or_none()


def _row(
    uow: Uow, household: Household, grid: int, first: date, last: date | None, change: int, ended_by: int | None
) -> dict[str, Any]:
    return {
        "tenant_id": uow.tenant_id, "household_id": household.id, "grid_id": grid, "area_code": household.area_code,
        "valid_from": first, "valid_to": last, "opened_by": change, "ended_by": ended_by,
    }  # fmt: skip


def take_back(uow: Uow, changes: Sequence[GridChange], reason: str) -> None:
    """What followed from an act goes back with it, as far as grids still are what they were then."""
    for change in changes:
        for row in uow.session.scalars(select(GridHousehold).where(GridHousehold.opened_by == change.id)).all():
            uow.session.delete(row)
    # First all that was opened: a household may have left a grid of one village for one of another.
    uow.session.flush()
    for change in changes:
        was = {id: valid_to for id, valid_to, _by in change.changes["households"]["ended"]}
        enders = {id: by for id, _to, by in change.changes["households"]["ended"]}
        for row in uow.session.scalars(select(GridHousehold).where(GridHousehold.ended_by == change.id)).all():
            until = date.fromisoformat(was[row.id]) if was.get(row.id) else None
            _stretch(uow, row, until, enders.get(row.id))
        for kept in change.changes["households"]["removed"]:
            _bring_back(uow, kept)
        mark_undone(uow, change, reason)
    uow.session.flush()


def _stretch(uow: Uow, row: GridHousehold, until: date | None, ended_by: int | None) -> None:
    """Let a row go on until then, as far as its grid is a leaf and nothing else follows."""
    assert row.valid_to is not None
    ends = leaf_until(uow, row.grid_id, row.valid_from)
    if ends is not None and ends <= row.valid_to:
        return
    if ends is not None and (until is None or ends < until):
        until, ended_by = ends, _ender(uow, row.grid_id, ends)
    later = select(GridHousehold.id).where(
        GridHousehold.household_id == row.household_id, GridHousehold.id != row.id,
        GridHousehold.valid_from >= row.valid_to,
        GridHousehold.valid_from < (until or date.max),
    )  # fmt: skip
    if uow.session.scalars(later.limit(1)).one_or_none() is None:
        row.valid_to, row.ended_by = until, ended_by
        uow.session.flush()


def _bring_back(uow: Uow, kept: Mapping[str, Any]) -> None:
    """A row that was taken away, as far as its grid is a leaf and nothing else stands there."""
    values = row_of(GridHousehold, kept)
    ends = leaf_until(uow, values["grid_id"], values["valid_from"])
    if ends is not None and ends <= values["valid_from"]:
        return
    if ends is not None and (values["valid_to"] is None or ends < values["valid_to"]):
        values["valid_to"], values["ended_by"] = ends, _ender(uow, values["grid_id"], ends)
    there = select(GridHousehold.id).where(
        GridHousehold.household_id == values["household_id"],
        or_(GridHousehold.valid_to.is_(None), GridHousehold.valid_to > values["valid_from"]),
        GridHousehold.valid_from < (values["valid_to"] or date.max),
    )
    if uow.session.scalars(there.limit(1)).one_or_none() is None:
        uow.session.add(GridHousehold(**values))
        uow.session.flush()


__all__ = ["Keeper", "found_again", "keep_households", "leaf_until", "lock_villages", "take_back"]
