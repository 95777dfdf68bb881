"""Reads: villages with their colours and with what is missing, straight from what was computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import select

from xiangyue.sdk.classifications import OPEN_STATES, STANDING
from xiangyue.sdk.db import Uow, scoped_rows
from xiangyue.sdk.register import MarkKind, area_names
from xiangyue_contact321 import policy
from xiangyue_contact321.rule import CLASSIFIER, UNDETERMINED

# ruff: noqa: S608 - put together from constants; values are parameters

COLOURS = tuple(outcome.key for outcome in CLASSIFIER.outcomes)
TOWN, VILLAGE = 1_000_000, 1_000
#: Villages that one page shows; where there are more, and of several towns, it shows the towns and the way down.
ONE_PAGE = 60

_COUNTED = f"""
SELECT c.area_code - c.area_code % :width AS code, {STANDING} AS colour,
       count(*) AS families,
       count(*) FILTER (WHERE c.outcome <> '') AS in_force,
       count(*) FILTER (WHERE c.state = ANY(:open) AND c.step = 0) AS for_village,
       count(*) FILTER (WHERE c.state = ANY(:open) AND c.step = 1) AS for_town,
       count(*) FILTER (WHERE c.inputs ->> 'income' IS NOT NULL) AS with_income,
       count(*) FILTER (WHERE c.inputs ->> 'reason' = 'no_awards') AS no_awards,
       max(CAST(c.inputs ->> 'income_year' AS int)) AS year,
       max(CAST(c.inputs ->> 'mean' AS bigint)) AS mean,
       min(CAST(c.inputs ->> 'coverage' AS int)) AS coverage,
       bool_or(c.inputs ->> 'reason' = 'coverage') AS too_few
  FROM classification c
 WHERE {{scope:c}} AND c.classifier = :classifier AND c.state <> 'lapsed'
 GROUP BY 1, 2 ORDER BY 1
"""
_FAMILIES = """
SELECT h.area_code - h.area_code % :width, count(*)
  FROM household h WHERE {scope:h} AND h.state = 'active' GROUP BY 1
"""


@dataclass(slots=True)
class Line:
    """One area: households on the register, by colour (in force or proposed), and what the colours lack.

    ``with_income`` have an income of the year that is compared, ``no_awards`` lack records of the award that would
    settle them. ``year``, ``mean`` (yuan, rounded up) and ``coverage`` (percent) are the village's; of larger areas 0.
    ``too_few``: too few incomes for the clauses on income.
    """

    code: int
    name: str = ""
    town: str = ""
    households: int = 0
    colours: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLOURS, 0))
    in_force: int = 0
    for_village: int = 0
    for_town: int = 0
    with_income: int = 0
    no_awards: int = 0
    year: int = 0
    mean: int = 0
    coverage: int = 0
    too_few: bool = False

    @property
    def computed(self) -> int:
        return sum(self.colours.values())

    @property
    def uncomputed(self) -> int:
        """On the register and without a colour yet."""
        return max(0, self.households - self.computed)

    @property
    def no_income(self) -> int:
        return self.computed - self.with_income


def overview(uow: Uow, area: int = 0, *, width: int = VILLAGE) -> list[Line]:
    """Areas of a width of codes (villages) in the scope and ``area`` (15 digits, 0 for all), by code; those without
    households and colours are left out."""
    scope = uow.scope.narrowed(area) if area else uow.scope
    found: dict[int, Line] = {}
    for code, families in scoped_rows(uow.session, _FAMILIES, {"width": width}, scope=scope):
        found[int(code)] = Line(int(code), households=families)
    params = {"width": width, "open": list(OPEN_STATES), "classifier": policy.COLOUR}
    for row in scoped_rows(uow.session, _COUNTED, params, scope=scope):
        line = found.setdefault(int(row[0]), Line(int(row[0])))
        _add(line, str(row[1]), row[2:])
    names = area_names(uow, [*found, *{code - code % TOWN for code in found}])
    for code, line in found.items():
        line.name = names.get(code, str(code))
        line.town = names.get(code - code % TOWN, "")
    return [found[code] for code in sorted(found)]


def shown(uow: Uow, area: int) -> tuple[list[Line], bool]:
    """(lines of a page, whether they are towns): villages as long as they fit."""
    villages = overview(uow, area)
    several = len({line.code - line.code % TOWN for line in villages}) > 1
    if len(villages) > ONE_PAGE and several:
        return overview(uow, area, width=TOWN), True
    return villages, False


def _add(line: Line, colour: str, row: Sequence[Any]) -> None:
    families, in_force, for_village, for_town, with_income, no_awards, year, mean, coverage, too_few = row
    line.colours[colour if colour in line.colours else UNDETERMINED] += families
    line.in_force += in_force
    line.for_village += for_village
    line.for_town += for_town
    line.with_income += with_income
    line.no_awards += no_awards
    line.year, line.mean = max(line.year, year or 0), max(line.mean, mean or 0)
    line.coverage = max(line.coverage, coverage or 0)
    line.too_few = line.too_few or bool(too_few)


def summed(lines: Sequence[Line]) -> Line:
    """All of them together."""
    whole = Line(0)
    counts = [f.name for f in fields(Line) if f.name in ("households", "in_force", "for_village", "for_town")]
    for line in lines:
        for name in (*counts, "with_income", "no_awards"):
            setattr(whole, name, getattr(whole, name) + getattr(line, name))
        for colour, families in line.colours.items():
            whole.colours[colour] += families
    return whole


def card_width(area: int) -> int:
    """What an area is told apart by: a county by towns, anything below by villages."""
    return VILLAGE if area and area % (TOWN * 1_000) else TOWN


def grounds(uow: Uow, chosen: Mapping[str, Any]) -> tuple[list[MarkKind], list[str]]:
    """(kinds of marks that make a household red here, keys that the county does not know)."""
    kinds = {kind.key: kind for kind in uow.session.scalars(select(MarkKind))}
    keys = list(chosen["red_marks"])
    return [kinds[key] for key in keys if key in kinds], [key for key in keys if key not in kinds]
