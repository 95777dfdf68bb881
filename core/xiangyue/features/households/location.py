"""Where a household's house stands: longitude and latitude in degrees of WGS 84 or CGCS2000, as one text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from xiangyue.features.households.person_input import Errors
from xiangyue.i18n import lazy_gettext as _l

#: Where China lies, in degrees.
WEST, EAST, SOUTH, NORTH = 73.0, 136.0, 3.0, 54.0
_PAIR = re.compile(r"^\s*([+-]?\d{1,9}(?:\.\d{1,20})?)\s*[,;/\s\uff0c\u3001]\s*([+-]?\d{1,9}(?:\.\d{1,20})?)\s*$")


def clean_location(value: Any) -> str:
    """Longitude and latitude to a millionth of a degree (10 cm), as 108.430000,32.860000; "" for none.

    Raises ValueError whose text says what is wrong."""
    text = str(value or "").strip()
    if not text:
        return ""
    found = _PAIR.match(text)
    if found is None:
        raise ValueError(_l("Give longitude and latitude in degrees, with a comma between them: 108.430000,32.860000."))
    x, y = float(found[1]), float(found[2])
    if _inside(x, y):
        return f"{x:.6f},{y:.6f}"
    if _inside(y, x):
        raise ValueError(_l("Longitude comes first: %(x)s,%(y)s.", x=found[2], y=found[1]))
    if abs(x) > 360 or abs(y) > 360:
        raise ValueError(_l("These are metres, not degrees: have them converted to degrees of CGCS2000 first."))
    raise ValueError(_l("This lies outside China."))


def _inside(x: float, y: float) -> bool:
    return WEST <= x <= EAST and SOUTH <= y <= NORTH


def take_location(values: Mapping[str, Any], found: dict[str, Any], errors: Errors) -> None:
    """Take the location out of the input, if it is there."""
    if "location" in values:
        try:
            found["location"] = clean_location(values["location"])
        except ValueError as error:
            errors["location"] = [error.args[0]]


def degrees(location: str) -> tuple[float, float] | None:
    """(longitude, latitude) of what ``clean_location`` gave; None of ""."""
    if not location:
        return None
    x, _comma, y = location.partition(",")
    return float(x), float(y)
