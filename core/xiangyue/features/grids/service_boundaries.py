"""Outlines of grids are taken over from a file, as changes of grids that can be undone. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound, Stale
from xiangyue.features.grids.boundaries.geojson import MAX_FEATURES, Reading
from xiangyue.features.grids.boundaries.matching import Plan, match
from xiangyue.features.grids.boundaries.rings import corners
from xiangyue.features.grids.division import Division
from xiangyue.features.grids.models import Grid, GridChange
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT
from xiangyue.features.grids.queries_boundaries import at_most, collection, drawn, has_outline
from xiangyue.features.grids.service import carry_out
from xiangyue.features.grids.standing import check_day, village_of
from xiangyue.i18n import lazy_gettext as _l

#: How many different reasons are told where nothing of a file can be taken over.
MOST_REASONS = 3


@acts(GRID_EDIT)
def look_at_boundaries(uow: Uow, *, data: bytes | Json, how: Reading, on: date, chosen: str = "") -> Plan:
    """What taking a file over would do; nothing changes. Raises Invalid (``file``, ``system``, ``property``)."""
    return match(uow, data, how, on, chosen)


@acts(GRID_EDIT)
def import_boundaries(
    uow: Uow, *, data: bytes | Json, how: Reading, on: date, chosen: str = "", reason: str = "", source: str = ""
) -> tuple[Plan, list[GridChange]]:
    """Take the outlines of a file over, as far as nothing stands against them: a change for each village. ``source``:
    name of the file. Raises Invalid."""
    plan = match(uow, data, how, on, chosen)
    if not plan.boundaries:
        why = dict.fromkeys(str(text) for line in plan.lines for text in line.says)
        raise Invalid({"file": [_l("No feature of the file can be taken over."), *list(why)[:MOST_REASONS]]})
    return plan, set_boundaries(uow, boundaries=plan.boundaries, on=on, reason=reason, source=source)


@acts(GRID_EDIT)
def set_boundaries(
    uow: Uow, *, boundaries: Mapping[int, Json | None], on: date, reason: str = "", source: str = ""
) -> list[GridChange]:
    """Outlines by grid id from a day on (None: none any more), sound ones (`boundaries.rings.sound`): one change for
    each village in which any is another. Raises NotFound, Invalid (``on``; when all are as they were)."""
    villages: dict[int, dict[int, Json | None]] = {}
    grids = {grid.id: grid for grid in uow.session.scalars(select(Grid).where(Grid.id.in_(list(boundaries))))}
    if len(grids) < len(boundaries):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    for id, boundary in boundaries.items():
        villages.setdefault(village_of(grids[id].area_code), {})[id] = boundary
    made, same = [], None
    for village, wanted in sorted(villages.items()):
        # The area of the change is that of its grids: whoever may change one group only may draw that group's grids.
        areas = {grids[id].area_code for id in wanted}
        area = areas.pop() if len(areas) == 1 else village
        if not uow.scope.contains(area):
            area = grids[next(iter(wanted))].area_code
        request = {"grid_ids": sorted(wanted), "source": source, "points": sum(map(corners, wanted.values()))}
        try:
            made.append(carry_out(uow, "boundary", area, on, _drawing(wanted), reason, "", request, label=source))
        except Invalid as invalid:
            if set(invalid.fields) != {""}:
                raise
            same = invalid
    if not made and same is not None:
        raise same
    return made


@acts(GRID_EDIT)
def remove_boundary(uow: Uow, *, grid_id: int, version: int, on: date, reason: str = "") -> GridChange:
    """The grid has no outline from a day on; a change like others, with its undo. Raises NotFound, Stale, Invalid
    (``on``: it has none on that day, or something was arranged for later)."""
    grid = uow.get(Grid, grid_id)
    if grid.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": grid.version})
    check_day(on)
    if not has_outline(uow, grid_id, on):
        raise Invalid({"on": [_l("This grid has no outline on that day.")]})
    (change,) = set_boundaries(uow, boundaries={grid_id: None}, on=on, reason=reason)
    return change


def _drawing(wanted: Mapping[int, Json | None]) -> Any:
    def change(division: Division) -> None:
        for id, boundary in wanted.items():
            division.cells[id] = replace(division.cell(id), boundary=boundary)

    return change


@acts(GRID_EXPORT)
def export_boundaries(uow: Uow, *, area: int, on: date) -> dict[str, Any]:
    """The outlines of an area (0: all of mine) on a day as a GeoJSON collection; on record. Raises Invalid (``area``)
    for more than one file may hold."""
    at_most(uow, area, on, MAX_FEATURES)
    found = collection(drawn(uow, area, on))
    after = {"rows": len(found["features"]), "on": on}
    audit(uow, action="grid.export", object_type="grid", label="GeoJSON", area_code=area,
          after=after)  # fmt: skip
    return found
