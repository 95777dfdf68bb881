"""How outlines of a village fit together: where grids overlap, which land lies in none, what leaves the village."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xiangyue.db.base import Json

#: Square metres that two neighbours may overlap, or leave out, as outlines drawn twice do.
TOLERANCE = 100.0
#: Places told of one village, the largest first.
MOST = 50
MISFITS = ("overlap", "gap", "beyond")
# Ellipsoid of WGS 84: half the long axis in metres, and the square of its eccentricity.
_AXIS, _ECCENTRICITY = 6_378_137.0, 0.006_694_379_990_14


@dataclass(frozen=True, slots=True)
class Misfit:
    """``kind``: overlap (of two grids), gap (land in none), beyond (a grid reaches out of its village). ``grids``: ids;
    ``area``: m²; ``geometry``: where, in degrees."""

    kind: str
    grids: tuple[int, ...]
    area: float
    geometry: Json


@dataclass(frozen=True, slots=True)
class Fit:
    """``without``: leaf grids that have no boundary; as long as there are any, gaps are not looked for. ``area``: m² by
    grid. ``more``: how many places are not told."""

    misfits: list[Misfit] = field(default_factory=list)
    areas: dict[int, float] = field(default_factory=dict)
    without: tuple[int, ...] = ()
    more: int = 0


def look(leaves: Mapping[int, Json | None], outline: Json | None, *, tolerance: float = TOLERANCE) -> Fit:
    """``leaves``: outlines of the village's leaf grids by id; ``outline``: that of the village, where it is known;
    ``tolerance``: in m²."""
    without = tuple(sorted(id for id, geometry in leaves.items() if geometry is None))
    if len(without) == len(leaves):
        return Fit(without=without)
    from shapely import STRtree, union_all

    shapes = {id: _sound(geometry) for id, geometry in sorted(leaves.items()) if geometry is not None}
    village = _sound(outline) if outline is not None else None
    measure = Measure(next(iter(shapes.values())).centroid.y)
    found: list[Misfit] = []
    ids, tree = list(shapes), STRtree(list(shapes.values()))
    for place, id in enumerate(ids):
        for other in tree.query(shapes[id], predicate="intersects"):
            if other > place:
                shared = shapes[id].intersection(shapes[ids[other]])
                _add(found, "overlap", (id, ids[other]), shared, measure, tolerance)
        if village is not None:
            _add(found, "beyond", (id,), shapes[id].difference(village), measure, tolerance)
    if not without:
        together = union_all(list(shapes.values()))
        _add(found, "gap", (), (village or _filled(together)).difference(together), measure, tolerance, apart=True)
    found.sort(key=lambda misfit: (-misfit.area, misfit.kind, misfit.grids))
    areas = {id: measure.area(one) for id, one in shapes.items()}
    return Fit(found[:MOST], areas, without, max(0, len(found) - MOST))


def _sound(geometry: Json) -> Any:
    """The shape. Joined or simplified and rounded again, a line may cross itself by a centimetre, at which the
    operations on it would fail."""
    from shapely import make_valid
    from shapely.geometry import shape

    found = shape(geometry)
    return found if found.is_valid else make_valid(found)


def _filled(shape: Any) -> Any:
    """A shape without its holes."""
    from shapely.geometry import Polygon
    from shapely.ops import unary_union

    return unary_union([Polygon(part.exterior) for part in getattr(shape, "geoms", [shape])])


def _add(
    found: list[Misfit], kind: str, grids: tuple[int, ...], where: Any, measure: Measure, least: float,
    *, apart: bool = False,
) -> None:  # fmt: skip
    """The surfaces of ``where`` (lines in which neighbours touch are none): together, or each for itself."""
    from shapely.geometry import MultiPolygon, mapping

    parts = [part for part in _polygons(where) if part.area > 0]
    for group in [[part] for part in parts] if apart else [parts]:
        area = sum(measure.area(part) for part in group)
        if area > least:
            shown = mapping(group[0] if len(group) == 1 else MultiPolygon(group))
            found.append(Misfit(kind, grids, area, {"type": shown["type"], "coordinates": shown["coordinates"]}))


def _polygons(shape: Any) -> list[Any]:
    if shape.geom_type == "Polygon":
        return [shape]
    return [part for one in getattr(shape, "geoms", []) for part in _polygons(one)]


class Measure:
    """Areas of outlines near a latitude: degrees as metres on the ellipsoid there. In a village that is off by less
    than a thousandth."""

    def __init__(self, latitude: float) -> None:
        phi = math.radians(latitude)
        w = math.sqrt(1 - _ECCENTRICITY * math.sin(phi) ** 2)
        self.x = math.radians(1) * _AXIS / w * math.cos(phi)
        self.y = math.radians(1) * _AXIS * (1 - _ECCENTRICITY) / w**3

    def area(self, shape: Any) -> float:
        """Square metres."""
        return float(shape.area) * self.x * self.y
