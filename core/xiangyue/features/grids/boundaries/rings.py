"""One outline made sound: closed rings that do not cross, few enough points, to the centimetre."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from xiangyue.db.base import Json
from xiangyue.i18n import lazy_gettext as _l

#: Points of one outline; a village's border from the survey of land has some hundred.
MOST_POINTS = 2_000
#: Digits after the point that are kept of degrees: 1 cm.
DIGITS = 7
#: How far a point may move when an outline is simplified, in degrees, from 1 m to 30 m.
_STEPS = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 3e-4)
_WHERE = re.compile(r"^(.*?)\[(-?[\d.e+-]+) (-?[\d.e+-]+)\]$")
#: What GEOS says of an invalid outline, in words.
_WHY: dict[str, Callable[..., Any]] = {
    "Self-intersection": lambda **at: _l("The outline crosses itself at %(x)s, %(y)s.", **at),
    "Ring Self-intersection": lambda **at: _l("The outline touches itself at %(x)s, %(y)s.", **at),
    "Hole lies outside shell": lambda **at: _l("A hole at %(x)s, %(y)s lies outside the outline.", **at),
    "Holes are nested": lambda **at: _l("One hole lies in another at %(x)s, %(y)s.", **at),
    "Interior is disconnected": lambda **at: _l("Holes cut the area in two at %(x)s, %(y)s.", **at),
    "Nested shells": lambda **at: _l("One polygon lies inside another at %(x)s, %(y)s.", **at),
    "Duplicate Rings": lambda **at: _l("The same ring stands twice at %(x)s, %(y)s.", **at),
    "Too few points in geometry component": lambda **at: _l("A ring has fewer than three corners.", **at),
}
Rings = Sequence[Sequence[Sequence[tuple[float, float]]]]


def sound(pieces: Rings, *, simplify: bool, faults: list[Any], notes: list[Any]) -> Json | None:
    """A GeoJSON geometry of polygons of rings, or None with sentences in ``faults``. ``notes`` gets what was done:
    rings closed, points left out."""
    closed, open_rings = [], 0
    for rings in pieces:
        kept = []
        for ring in rings:
            points = _plain(ring)
            if len(points) > 1 and points[0] != points[-1]:
                points.append(points[0])
                open_rings += 1
            if len(points) < 4:
                faults.append(_l("A ring has fewer than three corners."))
                return None
            kept.append(points)
        closed.append(kept)
    if open_rings:
        notes.append(_l("%(n)d rings did not end where they begin: they were closed.", n=open_rings))
    from shapely.geometry import MultiPolygon, Polygon, mapping
    from shapely.geometry.polygon import orient
    from shapely.validation import explain_validity

    parts = [Polygon(rings[0], rings[1:]) for rings in closed]
    shape: Any = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    if not shape.is_valid:
        faults.append(why_invalid(explain_validity(shape)))
        return None
    if shape.is_empty or shape.area == 0:
        faults.append(_l("The outline encloses nothing."))
        return None
    number = points_in(shape)
    if number > MOST_POINTS:
        if not simplify:
            faults.append(_l("The outline has %(n)d points, more than %(most)d. Choose “Leave out points” and send it "
                             "again, or simplify it before exporting.", n=number, most=MOST_POINTS))  # fmt: skip
            return None
        shape = _fewer(shape)
        if shape is None:
            faults.append(_l("The outline has %(n)d points and stays too long when simplified to 30 m. Simplify it in "
                             "a GIS.", n=number))  # fmt: skip
            return None
        notes.append(_l("Of %(n)d points %(left)d were kept.", n=number, left=points_in(shape)))
    turned = [orient(part) for part in getattr(shape, "geoms", [shape])]
    done = mapping(turned[0] if len(turned) == 1 else MultiPolygon(turned))
    return {"type": done["type"], "coordinates": _lists(done["coordinates"])}


def why_invalid(reason: str) -> Any:
    """GEOS's reason in the reader's language, with where."""
    found = _WHERE.match(reason)
    if found is None:
        return _l("The outline is not valid: %(why)s.", why=reason)
    why, x, y = found[1], f"{float(found[2]):.6f}", f"{float(found[3]):.6f}"
    say = _WHY.get(why)
    return say(x=x, y=y) if say else _l("The outline is not valid at %(x)s, %(y)s: %(why)s.", x=x, y=y, why=why)


def points_in(shape: Any) -> int:
    """Corners of an outline and its holes."""
    return sum(
        len(part.exterior.coords) - 1 + sum(len(hole.coords) - 1 for hole in part.interiors)
        for part in getattr(shape, "geoms", [shape])
    )


def _fewer(shape: Any) -> Any:
    for step in _STEPS:
        thinner = shape.simplify(step, preserve_topology=True)
        if points_in(thinner) <= MOST_POINTS and thinner.is_valid and not thinner.is_empty:
            return thinner
    return None


def _plain(ring: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Rounded, the same point twice in a row once."""
    points: list[tuple[float, float]] = []
    for x, y in ring:
        point = (round(x, DIGITS), round(y, DIGITS))
        if not points or points[-1] != point:
            points.append(point)
    return points


def _lists(coordinates: Any) -> Any:
    """Tuples as lists, as JSON has them; after simplifying still rounded."""
    if coordinates and isinstance(coordinates[0], float | int):
        return [round(float(value), DIGITS) for value in coordinates[:2]]
    return [_lists(one) for one in coordinates]


def corners(geometry: Json | None) -> int:
    """Points of a GeoJSON polygon or several; 0 of none."""
    if geometry is None:
        return 0
    pieces = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return sum(len(ring) - 1 for piece in pieces for ring in piece)


def united(geometries: Sequence[Json | None]) -> Json | None:
    """One outline around several; None where any of them is not known."""
    known = [one for one in geometries if one is not None]
    if not known or len(known) < len(geometries):
        return None
    from shapely import union_all
    from shapely.geometry import mapping, shape

    done = mapping(union_all([shape(one) for one in known]))
    return {"type": done["type"], "coordinates": _lists(done["coordinates"])}


def thinned(geometry: Json) -> Json:
    """For a map on which many are seen at once: points left out that move the line by less than some 5 m."""
    from shapely.geometry import mapping, shape

    done = mapping(shape(geometry).simplify(5e-5, preserve_topology=True))
    return {"type": done["type"], "coordinates": _lists(done["coordinates"])}


def contains(geometry: Json, at: tuple[float, float]) -> bool:
    """Whether a point (longitude, latitude) lies in an outline, its line included."""
    from shapely.geometry import Point, shape

    return bool(shape(geometry).intersects(Point(*at)))
