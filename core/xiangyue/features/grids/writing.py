"""The difference between two divisions, written down with what puts it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import insert, inspect, or_, select
from sqlalchemy.orm import Mapper

from xiangyue.access.audit import audit
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.features.grids import codes, posting
from xiangyue.features.grids.division import Cell, Division
from xiangyue.features.grids.following import follow
from xiangyue.features.grids.kept_sizes import recount
from xiangyue.features.grids.models import Grid, GridChange, GridHousehold, GridVersion
from xiangyue.features.grids.policy import CodeTemplate
from xiangyue.features.grids.standing import refuse_later
from xiangyue.features.households.models import Household
from xiangyue.plugin.dispatch import publish
from xiangyue.text.pinyin import sort_key


def new_change(
    uow: Uow,
    kind: str,
    village: int,
    on: date,
    *,
    reason: str = "",
    request: Json | None = None,
    act: int | None = None,
) -> GridChange:
    """A change in the making, with an id."""
    change = GridChange(
        kind=kind, area_code=village, on_date=on, reason=reason, request=request or {}, act_id=act, state="done",
        version=1, account_id=uow.actor.account_id, by_name=uow.actor.name or uow.actor.login,
        changes=nothing_done(),
    )  # fmt: skip
    uow.session.add(change)
    uow.session.flush()
    return change


def nothing_done() -> Json:
    """``grids``: those with another version; ``made``: new ones; ``near``: those above and those that households left
    or went to; ``touched``: households; ``versions``, ``households``: rows as in ``nothing``; ``posts``: as in
    ``posting.nothing``."""
    return {"grids": [], "made": [], "near": [], "touched": [], "versions": nothing(), "households": nothing()}


def nothing() -> Json:
    """``opened``: ids of rows; ``ended``: [id, valid_to before, ended_by before]; ``removed``: whole rows."""
    return {"opened": [], "ended": [], "removed": []}


def concerned(before: Division, after: Division) -> tuple[set[int], set[int]]:
    """(grids, households) for which nothing may have been arranged for a later day."""
    changed = {id for id in before.cells if after.cells.get(id) != before.cells[id]}
    new = set(after.cells) - set(before.cells)
    moved = {h for h in {*before.homes, *after.homes} if before.homes.get(h) != after.homes.get(h)}
    into = {after.homes[h] for h in moved if h in after.homes}
    above = {cell.parent_id for id in changed | new for cell in (before.cells.get(id), after.cells.get(id)) if cell}
    return {id for id in changed | into | above if id is not None and id > 0}, moved


class Writer:
    """Writes rows of one change and remembers what it did. The caller is inside ``tenant_wide`` and has locked the
    village."""

    def __init__(self, uow: Uow, change: GridChange, given: Mapping[int, str] | None = None) -> None:
        #: Codes of new grids that have one already, by their negative ids.
        self.given = given or {}
        self.uow, self.change, self.on = uow, change, change.on_date
        self.versions, self.households = nothing(), nothing()
        self.posts = posting.nothing()
        self.made: list[int] = []
        self.grids: set[int] = set()
        self.touched: set[int] = set()
        self.near: set[int] = set()

    def apply(self, before: Division, after: Division, template: CodeTemplate) -> dict[int, int]:
        """Write the difference; ids of new grids by their negative ones. Raises Invalid (``on``) when something was
        arranged for a later day."""
        grids, moved = concerned(before, after)
        refuse_later(self.uow, self.on, grids, moved)
        self.near |= grids
        ids = self.make(after, template)
        leaves_before, leaves_after = before.leaves(), after.leaves()
        ended = {
            id for id, cell in before.cells.items()
            if after.cells.get(id) != cell or (id in leaves_before) != (id in leaves_after)
        }  # fmt: skip
        self.end_versions(ended)
        for id, cell in after.cells.items():
            if id in ended or id < 0:
                parent = ids.get(cell.parent_id, cell.parent_id) if cell.parent_id is not None else None
                self.open_version(ids.get(id, id), replace(cell, parent_id=parent), id in leaves_after)
        self.uow.session.flush()
        self.posts = posting.end_with_grids(self.uow, self.change, {*before.cells} - {*after.cells})
        self.place({h: ids.get(after.homes[h], after.homes[h]) if h in after.homes else None for h in moved})
        return ids

    def make(self, after: Division, template: CodeTemplate) -> dict[int, int]:
        """New grids with their codes, and no version yet; ids by their negative ones."""
        new = sorted((id for id in after.cells if id < 0), reverse=True)
        if not new:
            return {}
        taken = codes.taken_codes(self.uow, after.village)
        ids = {}
        for id in new:
            cell = after.cells[id]
            code = self.given.get(id) or codes.next_code(self.uow, template, after.village, cell.level, taken=taken)
            grid = Grid(area_code=cell.area_code, code=code, kind=cell.kind, special_kind=cell.special_kind, version=1)
            self.uow.session.add(grid)
            self.uow.session.flush()
            codes.give_code(self.uow, grid, code, self.on)
            ids[id] = grid.id
            self.made.append(grid.id)
        return ids

    def end_versions(self, grid_ids: Collection[int]) -> None:
        """What these are ends with the day; `open_version` says what they are then."""
        rows = self.uow.session.scalars(
            select(GridVersion).where(GridVersion.grid_id.in_(list(grid_ids)), GridVersion.valid_from <= self.on,
                                      GridVersion.valid_to.is_(None))
        )  # fmt: skip
        for row in rows:
            self._end(row, self.versions)
            self.grids.add(row.grid_id)
        self.uow.session.flush()

    def open_version(self, grid_id: int, cell: Cell, leaf: bool) -> None:
        row = GridVersion(
            grid_id=grid_id, area_code=cell.area_code, valid_from=self.on, name=cell.name, level=cell.level,
            parent_id=cell.parent_id, leaf=leaf, boundary=cell.boundary, opened_by=self.change.id,
            sort_key=sort_key(cell.name, person=False),
        )  # fmt: skip
        self.uow.session.add(row)
        self.uow.session.flush()
        self.versions["opened"].append(row.id)
        self.grids.add(grid_id)

    def place(self, moved: Mapping[int, int | None]) -> None:
        """Let households lie in these grids from the day on (None: in none), for as long as they lay in what they
        leave; those that lay in none, from now on."""
        until: dict[int, tuple[date | None, int | None]] = {}
        covering = select(GridHousehold).where(
            GridHousehold.household_id.in_(list(moved)),
            GridHousehold.valid_from <= self.on,
            or_(GridHousehold.valid_to.is_(None), GridHousehold.valid_to > self.on),
        )
        for row in self.uow.session.scalars(covering):
            until[row.household_id] = row.valid_to, row.ended_by
            self.near.add(row.grid_id)
            self._end(row, self.households)
        self.uow.session.flush()
        areas = _household_areas(self.uow, moved)
        rows = [
            {
                "tenant_id": self.uow.tenant_id, "household_id": id, "grid_id": grid, "area_code": areas[id],
                "valid_from": self.on, "valid_to": until.get(id, (None, None))[0],
                "ended_by": until.get(id, (None, None))[1], "opened_by": self.change.id,
            }
            for id, grid in sorted(moved.items()) if grid is not None
        ]  # fmt: skip
        self.open_rows(rows)
        self.touched |= set(moved)

    def open_rows(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            made = self.uow.session.scalars(insert(GridHousehold).returning(GridHousehold.id), rows)
            self.households["opened"] += list(made)
            self.near |= {row["grid_id"] for row in rows}
            self.touched |= {row["household_id"] for row in rows}

    def end_household(self, row: GridHousehold, on: date) -> None:
        """The household leaves its grid on that day."""
        self._end(row, self.households, on)
        self.touched.add(row.household_id)
        self.near.add(row.grid_id)

    def _end(self, row: GridVersion | GridHousehold, kept: Json, on: date | None = None) -> None:
        """A row that began on that very day or later held no day: it is taken away."""
        on = on or self.on
        if row.valid_from >= on:
            kept["removed"].append(plain_row(row))
            self.uow.session.delete(row)
        else:
            kept["ended"].append([row.id, row.valid_to and row.valid_to.isoformat(), row.ended_by])
            row.valid_to, row.ended_by = on, self.change.id

    def finish(self, action: str, *, label: str = "", before: Mapping[str, Any] | None = None,
               after: Mapping[str, Any] | None = None) -> GridChange:  # fmt: skip
        """Write down what was done, in the change and in the audit trail; plugins are told."""
        self.uow.session.flush()
        refresh_areas(self.uow, self.grids)
        self.change.changes = {
            "grids": sorted(self.grids), "made": self.made, "near": sorted(self.near), "touched": sorted(self.touched),
            "versions": self.versions, "households": self.households, "posts": self.posts,
        }  # fmt: skip
        self.uow.session.flush()
        recount(self.uow, self.near | self.grids)
        note(self.uow, self.change, action, label=label, before=before, after=after)
        follow(self.uow, self.change)
        return self.change


def note(
    uow: Uow,
    change: GridChange,
    action: str,
    *,
    label: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """The audit entry of a change, and word to plugins."""
    audit(uow, action=action, obj=change, label=label, before=before, after=after)
    publish(uow, "grid_change_happened", change_id=change.id, area_code=change.area_code, action=action)


def refresh_areas(uow: Uow, grid_ids: Collection[int]) -> None:
    """``Grid.area_code`` is that of the newest version; also brings the version number on."""
    if not grid_ids:
        return
    newest = (
        select(GridVersion.grid_id, GridVersion.area_code)
        .where(GridVersion.grid_id.in_(list(grid_ids)))
        .order_by(GridVersion.grid_id, GridVersion.valid_from)
    )
    areas = {row.grid_id: row.area_code for row in uow.session.execute(newest)}
    for grid in uow.session.scalars(select(Grid).where(Grid.id.in_(list(grid_ids))).order_by(Grid.id)):
        grid.area_code = areas.get(grid.id, grid.area_code)
        grid.version += 1
    uow.session.flush()


def plain_row(row: GridVersion | GridHousehold) -> Json:
    """All columns of a row as JSON."""
    mapper: Mapper[Any] = inspect(type(row))
    found = {c.key: getattr(row, c.key) for c in mapper.column_attrs if c.key != "tenant_id"}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


def row_of(model: type[GridVersion] | type[GridHousehold], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Back from ``plain_row``."""
    dates = ("valid_from", "valid_to")
    return {name: date.fromisoformat(v) if name in dates and v else v for name, v in kept.items()}


def _household_areas(uow: Uow, ids: Collection[int]) -> dict[int, int]:
    found = select(Household.id, Household.area_code).where(Household.id.in_(list(ids)))
    return {row.id: row.area_code for row in uow.session.execute(found)}
