"""Reads: outlines of grids as of a day, how they fit together, and which grid a code in a file means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.boundaries.fit import TOLERANCE, Fit, look
from xiangyue.features.grids.policy import AREA
from xiangyue.features.grids.standing import WIDE, village_of
from xiangyue.i18n import lazy_gettext as _l

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Outlines that one map shows, and that are looked at together; of more a map draws only the villages'.
MOST = 400
_STANDS = "v.valid_from <= CAST(:on AS date) AND (v.valid_to IS NULL OR v.valid_to > CAST(:on AS date))"
_OUTLINES = f"""
SELECT g.id, g.code, g.kind, v.name, v.level, v.leaf, v.area_code, v.parent_id, v.boundary
  FROM grid_version v JOIN grid g ON g.id = v.grid_id
 WHERE {{scope:v}} AND {{tenant:g}} AND {_STANDS} AND v.area_code BETWEEN :lo AND :hi%s
 ORDER BY v.level, g.code
"""
#: Only those with an outline, of one level or all.
_DRAWN = "v.boundary IS NOT NULL AND (CAST(:level AS int) IS NULL OR v.level = :level)"
_NUMBERS = f"""
SELECT count(*), count(v.boundary), count(v.boundary) FILTER (WHERE v.level = 1),
       count(*) FILTER (WHERE v.leaf AND v.boundary IS NULL)
  FROM grid_version v WHERE {{scope:v}} AND {_STANDS} AND v.area_code BETWEEN :lo AND :hi
"""
_DRAWN_VILLAGES = f"""
SELECT DISTINCT v.area_code - v.area_code % 1000 FROM grid_version v
 WHERE {{scope:v}} AND {_STANDS} AND v.area_code BETWEEN :lo AND :hi AND v.boundary IS NOT NULL ORDER BY 1
"""
_AROUND = f"""
SELECT v.grid_id, v.level, v.boundary FROM grid_version v
 WHERE {{tenant:v}} AND {_STANDS} AND v.boundary IS NOT NULL
   AND (v.grid_id = :home OR (v.level = 1 AND v.area_code BETWEEN :lo AND :hi))
"""
_BY_CODE = f"""
SELECT c.code, g.id, g.code, v.name, v.level, coalesce(v.area_code, g.area_code), v.grid_id IS NOT NULL,
       v.boundary IS NOT NULL
  FROM grid_code c JOIN grid g ON g.id = c.grid_id
  LEFT JOIN grid_version v ON v.tenant_id = g.tenant_id AND v.grid_id = g.id AND {_STANDS}
 WHERE {{tenant:c}} AND {{scope:g}} AND c.code = ANY(:codes)
"""
_OF_VILLAGES = f"""
SELECT v.area_code / 1000, g.id, g.code, v.name, v.level, v.area_code, true, v.boundary IS NOT NULL
  FROM grid_version v JOIN grid g ON g.id = v.grid_id
 WHERE {{scope:v}} AND {{tenant:g}} AND v.level = 1 AND v.area_code = ANY(:villages) AND {_STANDS}
"""


@dataclass(frozen=True, slots=True)
class Outline:
    """A grid that stands on a day. ``boundary``: GeoJSON in degrees, None where it has none."""

    id: int
    code: str
    kind: str
    name: str
    level: int
    leaf: bool
    area_code: int
    parent_id: int | None
    boundary: Json | None


@dataclass(frozen=True, slots=True)
class Meant:
    """The grid that a code in a file means. ``standing``: on that day; ``drawn``: it has an outline already."""

    id: int
    code: str
    name: str
    level: int
    area_code: int
    standing: bool
    drawn: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Grids of an area on a day: all, with an outline, villages among these, leaves without one."""

    grids: int
    drawn: int
    villages: int
    without: int


def numbers(uow: Uow, area: int, on: date) -> Numbers:
    """Counted without reading an outline."""
    return Numbers(*scoped_rows(uow.session, _NUMBERS, _in(area, on))[0])


def outlines(uow: Uow, area: int, on: date) -> list[Outline]:
    """Grids of a village that stand on a day, with or without outline, level by level. Of more use ``drawn``."""
    return [Outline(*row) for row in scoped_rows(uow.session, _OUTLINES % "", _in(area, on))]


def drawn(uow: Uow, area: int, on: date, *, level: int | None = None) -> list[Outline]:
    """Those of them that have an outline, of one level or all. Ask ``numbers`` or ``at_most`` first how many."""
    params = {**_in(area, on), "level": level}
    return [Outline(*row) for row in scoped_rows(uow.session, _OUTLINES % f" AND {_DRAWN}", params)]


def at_most(uow: Uow, area: int, on: date, most: int) -> None:
    """Raises Invalid (``area``) where more grids have an outline than are given at once; none of them is read."""
    number = numbers(uow, area, on).drawn
    if number > most:
        raise Invalid({"area": [_l("%(n)d grids have an outline here, at most %(most)d are looked at together. Choose "
                                   "a smaller area: a town or a village.", n=number, most=most)]})  # fmt: skip


def drawn_villages(uow: Uow, area: int, on: date) -> list[int]:
    """The villages (15 digits) of an area in which any grid has an outline."""
    return [village for (village,) in scoped_rows(uow.session, _DRAWN_VILLAGES, _in(area, on))]


def around(uow: Uow, village: int, grid_id: int | None, on: date) -> list[tuple[int, int, Json]]:
    """(grid, level, outline) of the village and of one grid, as far as they have one, whatever the actor's area."""
    lo, hi = area_range(village)
    return [
        (id, level, boundary)
        for id, level, boundary in scoped_rows(uow.session, _AROUND, {"home": grid_id, "lo": lo, "hi": hi, "on": on})
    ]


def has_outline(uow: Uow, grid_id: int, on: date) -> bool:
    where = f"{{tenant:v}} AND v.grid_id = :grid AND v.boundary IS NOT NULL AND {_STANDS}"
    return bool(scoped_rows(uow.session, f"SELECT 1 FROM grid_version v WHERE {where}", {"grid": grid_id, "on": on}))


def outline_ended(uow: Uow, grid_id: int, on: date) -> date | None:
    """The day on which a grid that has no outline lost the last one it had; None: it never had any."""
    sql = (
        "SELECT max(v.valid_to) FROM grid_version v"
        " WHERE {tenant:v} AND v.grid_id = :grid AND v.boundary IS NOT NULL AND v.valid_to <= CAST(:on AS date)"
    )
    found: date | None = scoped_rows(uow.session, sql, {"grid": grid_id, "on": on})[0][0]
    return found


def _in(area: int, on: date) -> dict[str, Any]:
    lo, hi = area_range(area) if area else (0, 10**15)
    return {"on": on, "lo": lo, "hi": hi}


def meant_by(uow: Uow, codes: Collection[str], on: date) -> dict[str, Meant]:
    """Grids in the actor's area by any code they ever had; the 12 digits of a village mean its grid of level 1."""
    found = {
        given: Meant(id, code, name or code, level or 0, area, standing, drawn)
        for given, id, code, name, level, area, standing, drawn in scoped_rows(
            uow.session, _BY_CODE, {"codes": list(codes), "on": on}
        )
    }
    villages = [
        int(code) * 1000
        for code in codes
        if len(code) == 12 and code.isascii() and code.isdigit() and code not in found
    ]
    several: dict[str, list[Meant]] = {}
    for village, *rest in scoped_rows(uow.session, _OF_VILLAGES, {"villages": villages, "on": on}) if villages else ():
        several.setdefault(str(village), []).append(Meant(*rest))
    return found | {code: grids[0] for code, grids in several.items() if len(grids) == 1}


def fits(uow: Uow, villages: Collection[int], on: date, instead: Mapping[int, Json | None] | None = None,
         tolerance: float = TOLERANCE) -> dict[int, Fit]:  # fmt: skip
    """How the outlines of villages (15 digits) fit together on a day, with those of ``instead`` put in by grid id.
    Villages without any outline are left out."""
    found = {}
    for village in sorted(villages):
        with uow.tenant_wide(WIDE):
            grids = outlines(uow, village, on)
        fit = fit_of(grids, instead or {}, tolerance)
        if fit is not None:
            found[village] = fit
    return found


def fit_of(grids: Sequence[Outline], instead: Mapping[int, Json | None], tolerance: float = TOLERANCE) -> Fit | None:
    """Of one village's grids; None where no leaf has an outline. Special grids lie over the others and are left out."""
    now = {grid.id: instead.get(grid.id, grid.boundary) for grid in grids}
    leaves = {grid.id: now[grid.id] for grid in grids if grid.leaf and grid.kind == AREA}
    if not any(boundary is not None for boundary in leaves.values()):
        return None
    whole = [grid.id for grid in grids if grid.level == 1 and not grid.area_code % 1000 and not grid.leaf]
    return look(leaves, now[whole[0]] if len(whole) == 1 else None, tolerance=tolerance)


def villages_of(areas: Collection[int]) -> list[int]:
    """The villages (15 digits) in which these areas lie."""
    return sorted({village_of(area) for area in areas})


def collection(grids: Sequence[Outline]) -> dict[str, Any]:
    """The outlines as a GeoJSON collection, which can be taken over again by ``code``."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": grid.id,
                "properties": {"code": grid.code, "name": grid.name, "level": grid.level, "area_code": grid.area_code},
                "geometry": grid.boundary,
            }
            for grid in grids
            if grid.boundary is not None
        ],
    }
