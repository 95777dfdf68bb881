"""A village's grids as they are on one day, changed in thought and checked as a whole before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.errors import Invalid
from xiangyue.features.grids.policy import AREA, LEVELS, SPECIAL
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """A grid on a day. ``level``: 1 to 3, 0 of a special grid; ``area_code``: 15 digits, of the village or a group."""

    name: str
    level: int
    area_code: int
    parent_id: int | None = None
    kind: str = AREA
    special_kind: str = ""
    boundary: Json | None = None


@dataclass(slots=True)
class Division:
    """``cells`` by grid id (negative: not yet made), ``homes``: leaf grid by household id, ``areas``: area code of each
    household that is on the register that day, placed or waiting, ``places``: names of the village and its groups."""

    village: int
    cells: dict[int, Cell] = field(default_factory=dict)
    homes: dict[int, int] = field(default_factory=dict)
    areas: dict[int, int] = field(default_factory=dict)
    places: Mapping[int, str] = field(default_factory=dict)

    def copy(self) -> Division:
        return Division(self.village, dict(self.cells), dict(self.homes), self.areas, self.places)

    def children(self, grid_id: int) -> list[int]:
        return [id for id, cell in self.cells.items() if cell.parent_id == grid_id]

    def leaves(self) -> set[int]:
        """Grids in which households may lie."""
        parents = {cell.parent_id for cell in self.cells.values()}
        return {id for id, cell in self.cells.items() if cell.kind == AREA and id not in parents}

    def households(self, grid_id: int) -> list[int]:
        return [household for household, at in self.homes.items() if at == grid_id]

    def range_of(self, grid_id: int) -> tuple[int, int]:
        """First and last area code that a grid covers."""
        return area_range(self.cells[grid_id].area_code)

    def cell(self, grid_id: int, name: str = "grid_id") -> Cell:
        """Raises Invalid (``name``) for a grid that does not stand on this day."""
        found = self.cells.get(grid_id)
        if found is None:
            raise Invalid({name: [_l("This grid does not stand on that day.")]})
        return found

    def next_id(self) -> int:
        return min([0, *self.cells]) - 1

    # What may be done. Each leaves a division that `check` looks at.

    def add(self, cell: Cell) -> int:
        id = self.next_id()
        self.cells[id] = cell
        return id

    def put(self, household_ids: Iterable[int], grid_id: int) -> None:
        """Into this grid, from wherever they were. Raises Invalid (``household_ids``) for one that is not there."""
        for household in household_ids:
            if household not in self.areas:
                raise Invalid({"household_ids": [_l("Household %(id)s is not in this village on that day.",
                                                    id=household)]})  # fmt: skip
            self.homes[household] = grid_id

    def close(self, grid_id: int, into: int | None) -> None:
        """Its households go ``into`` another. Raises Invalid when it has some and nothing is said, or others below."""
        below = [self.cells[id].name for id in self.children(grid_id)]
        if below:
            raise Invalid({"": [_l("Close or move first what lies below it: %(names)s.", names=join_words(below))]})
        inside = self.households(grid_id)
        if inside and into is None:
            raise Invalid({"into_id": [_l("%(n)d households lie in it: say which grid they go to.", n=len(inside))]})
        del self.cells[grid_id]
        if into is not None:
            self.put(inside, into)

    def merge(self, grid_ids: Collection[int], into: int) -> None:
        """The households of ``grid_ids`` go into one, which may be among them or lie above them."""
        self.cell(into, "into_id")
        gone = [id for id in dict.fromkeys(grid_ids) if id != into]
        if not gone:
            raise Invalid({"grid_ids": [_l("Choose at least one other grid.")]})
        inside = []
        for id in gone:
            self.cell(id, "grid_ids")
            below = set(self.children(id)) - set(gone)
            if below:
                names = join_words(self.cells[one].name for one in sorted(below))
                raise Invalid({"grid_ids": [_l("Close or move first what lies below it: %(names)s.", names=names)]})
            inside += self.households(id)
        for id in gone:
            del self.cells[id]
        self.put(inside, into)

    def split(self, grid_id: int, parts: Sequence[tuple[str, Collection[int]]], below: bool) -> list[int]:
        """Some of its households make grids of their own, of the same level beside it, or below it, where all of them
        must be told. Returns the new ones."""
        cell = self.cell(grid_id)
        if cell.kind != AREA or grid_id not in self.leaves():
            raise Invalid({"grid_id": [_l("Only a grid in which households lie can be split.")]})
        inside = set(self.households(grid_id))
        made = []
        for number, (name, chosen) in enumerate(parts):
            if not chosen or not set(chosen) <= inside:
                raise Invalid({f"parts.{number}": [_l("Choose households of this grid, each once.")]})
            inside -= set(chosen)
            level, parent = (cell.level + 1, grid_id) if below else (cell.level, cell.parent_id)
            made.append(self.add(replace(cell, name=name, level=level, parent_id=parent, boundary=None)))
            self.put(chosen, made[-1])
        if not made:
            raise Invalid({"parts": [_l("Say which households make the new grid.")]})
        if not below:
            # What is left of it is smaller than its outline, and nobody knows by what.
            self.cells[grid_id] = replace(cell, boundary=None)
        if below and inside:
            raise Invalid({"parts": [_l("%(n)d households would be left in no grid: put each into one of the parts.",
                                        n=len(inside))]})  # fmt: skip
        return made

    def check(self, before: Division) -> None:
        """Raises Invalid by field for what a division may never be. Households that lie where they lay ``before`` are
        not looked at again: their group may have changed since."""
        for id, cell in self.cells.items():
            if not cell.name or len(cell.name) > NAME_LENGTH:
                raise Invalid({"name": [_l("Give a name of at most %(n)d characters.", n=NAME_LENGTH)]})
            if cell.area_code not in self.places:
                raise Invalid({"area_code": [_l("Choose the village itself or one of its groups in use.")]})
            if (cell.level == 0) != (cell.kind == SPECIAL) or (cell.level and cell.level not in LEVELS):
                raise Invalid({"level": [_l("Choose one of the options.")]})
            self._check_parent(id, cell)
        leaves = self.leaves()
        for household, id in self.homes.items():
            where = self.cells.get(id)
            if where is None or id not in leaves:
                name = where.name if where else ""
                raise Invalid({"household_ids": [_l("Households lie in grids without others below them; %(name)s is "
                                                    "none: split it, and put each household into a part.",
                                                    name=name)]})  # fmt: skip
            was = before.cells.get(id)
            if before.homes.get(household) == id and was is not None and was.area_code == where.area_code:
                continue
            low, high = area_range(where.area_code)
            if not low <= self.areas.get(household, 0) <= high:
                raise Invalid({"household_ids": [_l("A household lies outside the villager group of %(name)s. Move it "
                                                    "to that group first, or let the grid cover the village.",
                                                    name=where.name)]})  # fmt: skip

    def _check_parent(self, id: int, cell: Cell) -> None:
        if cell.parent_id is None:
            if cell.level == 3:
                raise Invalid({"parent_id": [_l("A grid of level 3 lies below one of level 2: choose it.")]})
            return
        above = self.cells.get(cell.parent_id)
        if above is None or above.kind != AREA:
            raise Invalid({"parent_id": [_l("The grid above does not stand on that day.")]})
        if cell.kind == AREA and above.level != cell.level - 1:
            raise Invalid({"parent_id": [_l("A grid lies below one of the next higher level.")]})
        low, high = area_range(above.area_code)
        if not low <= cell.area_code <= high:
            raise Invalid({"parent_id": [_l("The grid above covers another villager group.")]})


@dataclass(frozen=True, slots=True)
class Part:
    """A grid of a plan. ``key``: how the plan calls it; ``parent``: the key of the one above; ``keep_grid_id``: the
    present grid that it goes on being, with its code."""

    key: str
    name: str
    level: int
    area_code: int
    household_ids: tuple[int, ...] = ()
    parent: str | None = None
    keep_grid_id: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], number: int) -> Part:
        """From a mapping with these names; ``key`` defaults to the number."""
        return cls(
            key=str(given.get("key", number)),
            name=str(given.get("name") or "").strip(),
            level=int(given.get("level") or 0),
            area_code=int(given["area_code"]),
            household_ids=tuple(int(id) for id in given.get("household_ids") or ()),
            parent=None if given.get("parent") in (None, "") else str(given["parent"]),
            keep_grid_id=given.get("keep_grid_id"),
        )


def divided(now: Division, parts: Sequence[Part]) -> Division:
    """The village as a plan has it: its area grids are those of the plan and no others; special grids stay.

    Raises Invalid (``parts``, ``parts.<number>``) for a household that lies in a grid and is in no part, or in two, and
    for a part that keeps a grid of another kind.
    """
    after = now.copy()
    special = {id for id, cell in now.cells.items() if cell.kind == SPECIAL}
    after.cells = {id: now.cells[id] for id in special}
    after.homes = {}
    ids: dict[str, int] = {}
    for number, part in enumerate(parts):
        keep = part.keep_grid_id
        if part.key in ids or (keep is not None and (keep not in now.cells or keep in special or keep in ids.values())):
            raise Invalid({f"parts.{number}": [_l("The grid that this part keeps does not stand on that day.")]})
        ids[part.key] = keep if keep is not None else min([0, *ids.values()]) - 1
    new = {h for part in parts if part.keep_grid_id is None for h in part.household_ids}
    split = {now.homes[h] for h in new if h in now.homes}
    for number, part in enumerate(parts):
        if part.parent is not None and part.parent not in ids:
            raise Invalid({f"parts.{number}": [_l("The grid above is not in the plan.")]})
        before = now.cells.get(ids[part.key])
        # One of which households make a grid of their own is split: its outline ends with it, unless it lies above.
        above = any(other.parent == part.key for other in parts)
        same = before is not None and before.area_code == part.area_code and (above or ids[part.key] not in split)
        after.cells[ids[part.key]] = Cell(
            part.name,
            part.level,
            part.area_code,
            ids[part.parent] if part.parent is not None else None,
            boundary=before.boundary if before is not None and same else None,
        )
        twice = [id for id in part.household_ids if id in after.homes]
        if twice or len(set(part.household_ids)) < len(part.household_ids):
            raise Invalid({f"parts.{number}": [_l("A household stands in two grids of the plan.")]})
        after.put(part.household_ids, ids[part.key])
    lost = sorted(set(now.homes) - set(after.homes))
    if lost:
        text = _l("%(n)d households that lie in a grid are in no part of the plan. Make it anew from what is.",
                  n=len(lost))  # fmt: skip
        raise Invalid({"parts": [text]}, household_ids=lost[:200])
    # A special grid may hang on a grid that the plan gives up.
    for id in special:
        if after.cells[id].parent_id not in after.cells:
            after.cells[id] = replace(after.cells[id], parent_id=None)
    return after
