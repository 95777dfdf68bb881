"""Grids that came to lie in another village by a change of areas hang below that village's own grid of level 1, so that
no grid counts households of another village."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import insert, select

from xiangyue.db.base import Json
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import rules
from xiangyue.features.grids.division import NAME_LENGTH, Cell, Division
from xiangyue.features.grids.models import GridChange, GridVersion
from xiangyue.features.grids.policy import AREA
from xiangyue.features.grids.standing import division_on, lock_village, village_of
from xiangyue.features.grids.writing import Writer, new_change, row_of

#: Grids below one that does not cover where they lie, and from which day on both are as they are now.
_ASTRAY = """
SELECT v.grid_id, v.area_code, v.parent_id, p.area_code, greatest(v.valid_from, p.valid_from)
  FROM grid_version v JOIN grid_version p ON p.grid_id = v.parent_id AND p.valid_to IS NULL
 WHERE {tenant:v} AND {tenant:p} AND v.valid_to IS NULL
   AND v.area_code NOT BETWEEN p.area_code AND p.area_code + CASE WHEN p.area_code % 1000 = 0 THEN 999 ELSE 0 END
 ORDER BY v.grid_id
"""


def hang(uow: Uow, on: date, *, request: Json, reason: str) -> None:
    """Give each such grid a place in its village from the day on, or from when nothing was arranged after it. The
    caller is inside ``tenant_wide``."""
    astray = scoped_rows(uow.session, _ASTRAY, {})
    if not astray:
        return
    villages = {village_of(area) for _id, area, _parent, _above, _since in astray}
    left = {parent: village_of(above) for _id, _area, parent, above, _since in astray}
    for village in sorted(villages | set(left.values())):
        lock_village(uow, village)
    day = max(on, *(since for *_grid, since in astray), *_since(uow, villages))
    for village in sorted(villages | set(left.values())):
        division = division_on(uow, village, day)
        moved = [id for id, area, *_rest in astray if village_of(area) == village and id in division.cells]
        bare = {id for id, where in left.items() if where == village} & set(division.cells) & division.leaves()
        if not moved and not bare:
            continue
        writer = Writer(uow, new_change(uow, "register", village, day, reason=reason, request=request))
        if moved:
            _into(uow, writer, division, moved)
        for id in sorted(bare):
            _anew(writer, id, division.cells[id], leaf=True)
        writer.finish("grid.register", after={"grids": len(writer.grids), "on": day})


def _since(uow: Uow, villages: set[int]) -> list[date]:
    """Days from which the villages' own grids of level 1 are as they are now."""
    tops = select(GridVersion.valid_from).where(
        GridVersion.area_code.in_(villages), GridVersion.level == 1, GridVersion.valid_to.is_(None)
    )
    return list(uow.session.scalars(tops))


def _into(uow: Uow, writer: Writer, division: Division, moved: Sequence[int]) -> None:
    """Below the village's grid of level 1: the one it has, or a new one where it had no grids. Where it has some but
    none above them, or households lie in that one itself, they stand beside these."""
    came = set(moved)
    while more := {id for id, cell in division.cells.items() if cell.parent_id in came} - came:
        came |= more
    own = {id: cell for id, cell in division.cells.items() if id not in came and cell.kind == AREA}
    tops = [id for id, cell in own.items() if cell.level == 1 and cell.area_code == division.village]
    top = tops[0] if tops and not division.households(tops[0]) else None
    if not own and any(division.cells[id].kind == AREA for id in moved):
        after = division.copy()
        name = names(uow, [division.village]).get(division.village) or str(division.village // 1000)
        new = after.add(Cell(name[:NAME_LENGTH], 1, division.village))
        top = writer.make(after, rules.code_template(uow))[new]
        writer.open_version(top, after.cells[new], leaf=False)
    elif top is not None and top in division.leaves():
        _anew(writer, top, division.cells[top], leaf=False)
    for id in moved:
        cell = division.cells[id]
        # The one above a grid of level 3 is of level 2, and stayed behind.
        _anew(writer, id, replace(cell, parent_id=top, level=min(cell.level, 2)), leaf=id in division.leaves())


def _anew(writer: Writer, id: int, cell: Cell, *, leaf: bool) -> None:
    writer.end_versions([id])
    writer.open_version(id, cell, leaf=leaf)


def unhang(uow: Uow, changes: Sequence[GridChange]) -> None:
    """Each grid hangs again where it did; what was done with it since stays. A new grid of level 1 goes, but for one
    that others hang below by now; its code stays given."""
    for change in reversed(changes):
        kept = change.changes["versions"]
        ended = {row.grid_id: row for row in _rows(uow, [id for id, *_was in kept["ended"]])}
        removed = {row["grid_id"]: row for row in kept["removed"]}
        opened = _rows(uow, kept["opened"])
        for row in sorted(opened, key=lambda row: row.grid_id in change.changes["made"]):
            id, until, by, given = row.grid_id, row.valid_to, row.ended_by, (row.parent_id, row.level)
            if id in change.changes["made"] and _used(uow, id):
                continue
            uow.session.delete(row)
            uow.session.flush()
            if id in ended:
                ended[id].valid_to, ended[id].ended_by = until, by
                was = (ended[id].parent_id, ended[id].level)
            elif id in removed:
                values = {**row_of(GridVersion, removed[id]), "valid_to": until, "ended_by": by}
                uow.session.execute(insert(GridVersion), [{**values, "tenant_id": uow.tenant_id}])
                was = (values["parent_id"], values["level"])
            else:
                continue
            for later in uow.session.scalars(select(GridVersion).where(GridVersion.grid_id == id)):
                if until is not None and later.valid_from >= until and (later.parent_id, later.level) == given:
                    later.parent_id, later.level = was
            uow.session.flush()


def _rows(uow: Uow, ids: Sequence[int]) -> list[GridVersion]:
    return list(uow.session.scalars(select(GridVersion).where(GridVersion.id.in_(list(ids)))))


def _used(uow: Uow, grid_id: int) -> bool:
    below = select(GridVersion.id).where(GridVersion.parent_id == grid_id)
    return uow.session.scalars(below.limit(1)).one_or_none() is not None
