"""The cockpit's numbers put together: what page, API and download show."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import COUNTY
from xiangyue.features.areas.queries import breadcrumb
from xiangyue.features.cockpit import queries
from xiangyue.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Cockpit:
    """Everything the page, the API and the download show of one area.

    ``area`` 0 is all of the actor's area. ``around`` are the numbers of all that the actor may see, to compare with;
    None when that is what is shown.
    """

    area: int
    path: list[tuple[int, str]]
    names: list[str]
    level: str
    year: int
    totals: queries.Totals
    around: queries.Totals | None
    lines: list[queries.Line]
    marks: list[queries.MarkCount]


def look(uow: Uow, area: int = 0) -> Cockpit:
    """The numbers of an area (15 digits) inside the scope. Raises NotFound for one outside it."""
    scope = queries.narrowed(uow, area) if area else uow.scope
    whole = uow.scope
    with uow.scoped(scope):
        level = queries.level_below(scope)
        year = queries.income_year(uow)
        kinds = queries.visible_kinds(uow)
        numbers = queries.totals_by(uow, level, year=year, kinds=kinds)
        found = Cockpit(
            area=area,
            path=breadcrumb(uow, area) if area else [],
            names=queries.scope_names(uow),
            level=level,
            year=year,
            totals=queries.summed(numbers.values()),
            around=None,
            lines=queries.lines(uow, level, numbers),
            marks=queries.mark_counts(uow, kinds),
        )
    if scope == whole or (whole.ranges is None and area % queries.WIDTHS[COUNTY] == 0):
        return found
    around = queries.summed(queries.totals_by(uow, COUNTY, year=year, kinds=kinds).values())
    return replace(found, around=around)


def share(part: int, whole: int) -> float | None:
    """Percent with one decimal; None where there is nothing to divide by."""
    return round(100 * part / whole, 1) if whole else None


def as_json(cockpit: Cockpit) -> dict[str, Any]:
    """For the API. Shares are percent with one decimal, null where there is nobody."""

    def numbers(t: queries.Totals) -> dict[str, Any]:
        return {
            **asdict(t),
            "away_share": share(t.away, t.persons),
            "marked_share": share(t.marked, t.households),
            "income_share": share(t.income, t.households),
        }

    return {
        "area_code": cockpit.area,
        "level": cockpit.level,
        "income_year": cockpit.year,
        "totals": numbers(cockpit.totals),
        "around": numbers(cockpit.around) if cockpit.around else None,
        "areas": [{"area_code": x.code, "name": x.name, **numbers(x.totals)} for x in cockpit.lines],
        "marks": [asdict(m) for m in cockpit.marks],
    }


def table(cockpit: Cockpit) -> tuple[list[str], list[list[Any]]]:
    """(headers, rows) of the table by area, with its sum."""
    headers = [
        _("Code"),
        _("Area"),
        _("Households"),
        _("Persons"),
        _("Household register"),
        _("Living here"),
        _("Persons away"),
        _("Share away, percent"),
        _("Households with marks"),
        _("Income data of %(year)d", year=cockpit.year),
    ]

    def row(code: Any, name: str, t: queries.Totals) -> list[Any]:
        bases = (t.registered, t.living)
        return [code, name, t.households, t.persons, *bases, t.away, share(t.away, t.persons), t.marked, t.income]

    rows = [row(str(line.code), line.name, line.totals) for line in cockpit.lines]
    return headers, [*rows, row("", _("All"), cockpit.totals)]
