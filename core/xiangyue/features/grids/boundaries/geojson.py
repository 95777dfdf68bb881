"""A GeoJSON file (RFC 7946) as features with their faults: nothing is taken that a map would show wrongly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from xiangyue.db.base import Json
from xiangyue.errors import Invalid
from xiangyue.features.grids.boundaries.names import NAMES
from xiangyue.features.grids.boundaries.rings import sound
from xiangyue.i18n import lazy_gettext as _l

MAX_BYTES = 10 * 1024 * 1024
MAX_FEATURES = 5_000
#: Where China lies, in degrees: longitude and latitude from, to.
WEST, EAST, SOUTH, NORTH = 73.0, 136.0, 3.0, 54.0
#: How a file names a coordinate system in which its degrees are ours: WGS 84 or CGCS2000.
_OURS = ("CRS84", "4326", "4490", "WGS84", "WGS 84", "CGCS2000", "CGCS 2000", "CHINA GEODETIC COORDINATE SYSTEM 2000")
#: Words that name a projected system although they name its datum too.
_PROJECTED = ("GAUSS", "KRUGER", "ZONE", " / ", "_GK_", "MERCATOR")

#: What becomes of a feature.
TAKEN, UNMATCHED, FAULTY = "taken", "unknown", "faulty"
STATES = {
    TAKEN: _l("will be taken over"),
    UNMATCHED: _l("no grid has this code"),
    FAULTY: _l("cannot be taken over"),
}

WGS84, GCJ02, BD09, UNKNOWN = "wgs84", "gcj02", "bd09", "unknown"
SYSTEMS = {
    WGS84: _l("CGCS2000 or WGS 84 (surveying, natural resources, GPS)"),
    GCJ02: _l("GCJ-02 (drawn on Gaode or Tencent maps)"),
    BD09: _l("BD-09 (drawn on Baidu maps)"),
    UNKNOWN: _l("I do not know"),
}


@dataclass(slots=True)
class Feature:
    """One feature of a file. ``number``: its place, from 1; ``geometry``: as we keep it, None with a fault; ``faults``
    and ``notes``: sentences; the latter say what was done to it."""

    number: int
    label: str
    properties: Mapping[str, Any]
    geometry: Json | None = None
    faults: list[Any] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read. ``system``: of ``SYSTEMS``, as the person says, for a file cannot show it;
    ``swapped``: latitude comes first; ``simplify``: outlines with too many points may lose some."""

    system: str = ""
    swapped: bool = False
    simplify: bool = False


def read_features(data: bytes | Json, how: Reading) -> list[Feature]:
    """All features of a file, or of one that was read already. Raises Invalid (``file``, ``system``) for
    what concerns the whole file."""
    body = _parsed(data) if isinstance(data, bytes) else data
    if not isinstance(body, dict) or body.get("type") != "FeatureCollection":
        _whole(_l("This is not a GeoJSON collection of features. Export the layer as GeoJSON; its first line names "
                  "“FeatureCollection”."))  # fmt: skip
    features = body.get("features")
    if not isinstance(features, list) or not features:
        _whole(_l("There is no feature in this file."))
    if len(features) > MAX_FEATURES:
        _whole(_l("There are %(n)d features in this file, at most %(most)d are read. Split it by town.",
                  n=len(features), most=MAX_FEATURES))  # fmt: skip
    check_system(body.get("crs"), how.system)
    first = next((p for one in features for p in positions(_geometry(one))), None)
    if first is not None:
        _check_place(first, how.swapped)
    return [_feature(number, one, how) for number, one in enumerate(features, 1)]


def _parsed(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        _whole(_l("The file is larger than %(n)d MB. Split it by town, or simplify the outlines before exporting.",
                  n=MAX_BYTES // 2**20))  # fmt: skip
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        _whole(_l("This is no GeoJSON: line %(line)d cannot be read. Shapefiles, KML and drawings must be exported as "
                  "GeoJSON first.", line=error.lineno))  # fmt: skip
    except (ValueError, RecursionError):
        _whole(_l("This is no GeoJSON: it holds numbers or nesting that cannot be read."))


def _no_number(_text: str) -> NoReturn:
    raise ValueError


def _whole(message: Any, name: str = "file") -> NoReturn:
    raise Invalid({name: [message]})


def check_system(crs: Any, stated: str) -> None:
    """Raises Invalid for a coordinate system that is not ours: named by the file, or stated."""
    if isinstance(crs, dict):
        properties = crs.get("properties")
        name = str((properties or {}).get("name") or crs.get("name") or "") if isinstance(properties, dict) else ""
        shown = name.upper()
        ours = any(shown.endswith(word) or (word in shown and len(word) > 4) for word in _OURS)
        if name and (not ours or any(word in shown for word in _PROJECTED)):
            _whole(_l("The file is in the coordinate system %(name)s. Export it in degrees of CGCS2000 (EPSG:4490) or "
                      "WGS 84 (EPSG:4326); a GIS converts it when exporting.", name=name[:80]))  # fmt: skip
    if stated not in SYSTEMS:
        _whole(_l("Say in which coordinate system it was drawn: the file itself cannot show it."), "system")
    if stated in (GCJ02, BD09):
        _whole(_l("Outlines drawn on such a map lie up to 700 m beside the true place. Ask whoever made the file, or "
                  "the natural resources bureau, for it in CGCS2000; we do not convert it."), "system")  # fmt: skip
    if stated == UNKNOWN:
        _whole(_l("Ask whoever made the file. Drawn on a Gaode, Tencent or Baidu map it would lie up to 700 m beside "
                  "the true place."), "system")  # fmt: skip


def _check_place(first: Sequence[float], swapped: bool) -> None:
    """Raises Invalid (``file``) where the first position cannot be degrees in China, with what it looks like."""
    x, y = (first[1], first[0]) if swapped else (first[0], first[1])
    shown = f"{first[0]:.10g}, {first[1]:.10g}"
    if abs(x) > 180 or abs(y) > 180:
        high = max(abs(x), abs(y))
        if 8_000_000 < high < 13_000_000:
            kind = _l("Web Mercator")
        else:
            kind = _l("Gauss–Krüger")
        _whole(_l("The numbers (%(at)s) are no degrees but metres, such as of %(kind)s. Export the layer in degrees of "
                  "CGCS2000 (EPSG:4490); a GIS converts it when exporting.", at=shown, kind=kind))  # fmt: skip
    if inside(x, y):
        return
    if inside(y, x):
        if swapped:
            _whole(_l("With latitude first, as you said, the outlines (%(at)s) lie outside China. Take that choice "
                      "away.", at=shown))  # fmt: skip
        _whole(_l("Longitude and latitude are exchanged in this file (%(at)s). Choose “Latitude comes first” and send "
                  "it again.", at=shown))  # fmt: skip


def inside(x: float, y: float) -> bool:
    """Whether degrees lie in China, roughly."""
    return WEST <= x <= EAST and SOUTH <= y <= NORTH


def _geometry(feature: Any) -> Any:
    return feature.get("geometry") if isinstance(feature, dict) else None


def positions(geometry: Any) -> Iterator[list[float]]:
    """Every pair of numbers in a geometry, whatever else stands there."""
    stack = [geometry.get("coordinates") if isinstance(geometry, dict) else None]
    while stack:
        top = stack.pop()
        if not isinstance(top, list):
            continue
        if len(top) >= 2 and _is_number(top[0]) and _is_number(top[1]):
            yield top
        else:
            stack.extend(reversed(top))


def _is_number(value: Any) -> bool:
    if isinstance(value, int):
        # Of larger ones not even the question whether they are finite can be answered.
        return not isinstance(value, bool) and abs(value) < 10**18
    return isinstance(value, float) and math.isfinite(value)


def _feature(number: int, given: Any, how: Reading) -> Feature:
    properties = given.get("properties") if isinstance(given, dict) else None
    properties = properties if isinstance(properties, dict) else {}
    label = next((str(properties[key])[:40] for key in NAMES if properties.get(key)), "")
    found = Feature(number, label, properties)
    geometry = _geometry(given)
    if not isinstance(given, dict) or given.get("type") != "Feature":
        found.faults.append(_l("This is no feature."))
        return found
    if not isinstance(geometry, dict) or not geometry.get("coordinates"):
        found.faults.append(_l("It has no outline. Draw it, or take the feature out of the file."))
        return found
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        found.faults.append(_l("It is a %(type)s, and a grid is an area: a polygon or several.",
                               type=str(geometry.get("type"))[:30]))  # fmt: skip
        return found
    coordinates = geometry["coordinates"]
    pieces = [coordinates] if geometry["type"] == "Polygon" else coordinates
    rings = _rings(pieces, how.swapped)
    if rings is None:
        found.faults.append(_l("Its coordinates are not pairs of numbers."))
        return found
    outside = next((p for piece in rings for ring in piece for p in ring if not inside(*p)), None)
    if outside is not None:
        found.faults.append(_l("The point %(x)s, %(y)s lies outside China, or longitude and latitude are exchanged.",
                               x=f"{outside[0]:.10g}", y=f"{outside[1]:.10g}"))  # fmt: skip
        return found
    found.geometry = sound(rings, simplify=how.simplify, faults=found.faults, notes=found.notes)
    return found


def _rings(pieces: Any, swapped: bool) -> list[list[list[tuple[float, float]]]] | None:
    """Polygons of rings of (longitude, latitude); heights are left away. None where something else stands there."""
    if not isinstance(pieces, list):
        return None
    found = []
    for piece in pieces:
        if not isinstance(piece, list) or not piece:
            return None
        rings = []
        for ring in piece:
            if not isinstance(ring, list):
                return None
            points = []
            for p in ring:
                if not isinstance(p, list) or len(p) < 2 or not _is_number(p[0]) or not _is_number(p[1]):
                    return None
                points.append((float(p[1]), float(p[0])) if swapped else (float(p[0]), float(p[1])))
            rings.append(points)
        found.append(rings)
    return found
