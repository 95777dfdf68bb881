"""Which feature of a file is which grid, and what stands against taking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.boundaries.geojson import FAULTY, TAKEN, UNMATCHED, Feature, Reading, read_features
from xiangyue.features.grids.boundaries.names import CODES
from xiangyue.features.grids.queries_boundaries import Meant, fits, meant_by, villages_of
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

_CODE_LENGTH = 30


@dataclass(slots=True)
class Line:
    """A feature of the file with the grid that it means."""

    feature: Feature
    value: str
    meant: Meant | None
    state: str
    says: list[Any]


@dataclass(slots=True)
class Plan:
    """A file read for a day. ``properties``: those that may hold the code, ``chosen``: which one does; ``fits``: how
    the villages' outlines fit together once it is taken over."""

    lines: list[Line]
    properties: list[str]
    chosen: str
    fits: dict[int, Any] = field(default_factory=dict)

    @property
    def boundaries(self) -> dict[int, Any]:
        """Outlines to take over, by grid id."""
        return {line.meant.id: line.feature.geometry for line in self.lines if line.state == TAKEN and line.meant}

    def count(self, state: str) -> int:
        return sum(line.state == state for line in self.lines)


def code_in(value: Any) -> str:
    """A property as a code: numbers without a fraction count as their digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    code = str(value).strip().upper()[: _CODE_LENGTH + 1]
    # A sign that is none, or half of one, is in no code and cannot be asked for.
    return code if code.isprintable() else ""


def match(uow: Uow, data: bytes | Json, how: Reading, on: date, chosen: str = "") -> Plan:
    """Read a file and find its grids; nothing is written. ``chosen``: the property that holds the code, "": the one
    whose values are codes most often. Raises Invalid (``file``, ``system``, ``property``)."""
    features = read_features(data, how)
    properties = sorted({key for one in features for key, value in one.properties.items() if code_in(value)})
    if not properties:
        raise Invalid({"file": [_l("No feature of the file says which grid it is. Give each a property with the grid's "
                                   "code.")]})  # fmt: skip
    if chosen and chosen not in properties:
        raise Invalid({"property": [_l("Choose one of the options.")]})
    known = meant_by(uow, {code_in(one.properties.get(key)) for one in features for key in properties} - {""}, on)
    chosen = chosen or suggested(features, properties, known)
    lines = [_line(one, code_in(one.properties.get(chosen)), known) for one in features]
    _only_once(lines)
    plan = Plan(lines, properties, chosen)
    new = plan.boundaries
    villages = villages_of([line.meant.area_code for line in lines if line.meant and line.meant.id in new])
    plan.fits = fits(uow, villages, on, new)
    return plan


def suggested(features: Sequence[Feature], properties: Sequence[str], known: Mapping[str, Meant]) -> str:
    """The property whose values are codes of grids most often; among equals one that is called so."""

    def rank(key: str) -> tuple[int, int, str]:
        named = CODES.index(key) if key in CODES else len(CODES)
        return -sum(code_in(one.properties.get(key)) in known for one in features), named, key

    return min(properties, key=rank)


def _line(feature: Feature, value: str, known: Mapping[str, Meant]) -> Line:
    meant, says = known.get(value), [*feature.faults, *feature.notes]
    if meant is None:
        if not value:
            says = [_l("It does not say its code."), *says]
        return Line(feature, value, None, UNMATCHED, says)
    if value != meant.code and len(value) != 12:
        says.append(_l("This is an old code of the grid, which now has %(code)s.", code=meant.code))
    if not meant.standing:
        says.insert(0, _l("This grid does not stand on that day."))
    faulty = bool(feature.faults) or not meant.standing
    if not faulty and meant.drawn:
        says.append(_l("It replaces the outline that the grid has."))
    return Line(feature, value, meant, FAULTY if faulty else TAKEN, says)


def _only_once(lines: Sequence[Line]) -> None:
    """Several features of one grid: none is taken, for each would be half of it."""
    places: dict[int, list[Line]] = {}
    for line in lines:
        if line.meant is not None:
            places.setdefault(line.meant.id, []).append(line)
    for several in places.values():
        if len(several) > 1:
            numbers = join_words(str(line.feature.number) for line in several)
            for line in several:
                line.state = FAULTY
                line.says.insert(0, _l("This grid stands in the file more than once (features %(numbers)s). Join them "
                                       "into one, of several polygons if need be.", numbers=numbers))  # fmt: skip
