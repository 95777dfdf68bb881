"""The few numbers at the top, each with a comparison, and the charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from xiangyue.features.areas.models import GROUP, TOWN, VILLAGE
from xiangyue.features.areas.queries import code_text
from xiangyue.features.cockpit.board import Cockpit, share
from xiangyue.features.cockpit.queries import Line, Totals
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.web.components import Chart, Series

LEVEL_NAMES = {TOWN: _l("Town"), VILLAGE: _l("Village"), GROUP: _l("Group")}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what to compare it with; ``low`` and ``high`` are names of areas, Chinese data."""

    value: Any
    label: Any
    compare: str = ""
    low: tuple[str, str] | None = None
    high: tuple[str, str] | None = None
    url: str | None = None


def percent(value: float | None) -> str:
    return "—" if value is None else f"{value}%"


def households_url(area: int, **conditions: Any) -> str:
    """The filtered household list behind a number."""
    query = {"area": code_text(area) if area else "all", **conditions}
    return f"/households?{urlencode(query)}"


def figures(cockpit: Cockpit, *, may_list: bool) -> list[Figure]:
    totals, around = cockpit.totals, cockpit.around
    url = households_url(cockpit.area) if may_list else None
    bases = _(
        "registered %(registered)s, living here %(living)s",
        registered=f"{totals.registered:,}",
        living=f"{totals.living:,}",
    )
    size = round(totals.persons / totals.households, 2) if totals.households else 0
    return [
        Figure(
            totals.households,
            _("Households"),
            _("%(n)s registered in the last 30 days", n=f"{totals.households_new:,}"),
            url=url,
        ),
        Figure(totals.persons, _("Persons"), _("%(n)s in a household", n=size) + " · " + bases),
        _shared(cockpit, _("Persons away"), lambda t: share(t.away, t.persons), around),
        _shared(cockpit, _("Households with marks"), lambda t: share(t.marked, t.households), around),
        Figure(
            percent(share(totals.income, totals.households)),
            _("Income data of %(year)d", year=cockpit.year),
            _(
                "%(year)d: %(share)s",
                year=cockpit.year - 1,
                share=percent(share(totals.income_before, totals.households)),
            ),
        ),
    ]


def _shared(cockpit: Cockpit, label: str, of: Any, around: Totals | None) -> Figure:
    """A share, compared with all that the reader may see, or with the areas below."""
    value = percent(of(cockpit.totals))
    if around is not None:
        return Figure(value, label, _("all of mine: %(share)s", share=percent(of(around))))
    shares = [(of(line.totals), line.name) for line in cockpit.lines if of(line.totals) is not None]
    if len(shares) < 2:
        return Figure(value, label)
    low, high = min(shares), max(shares)
    return Figure(value, label, low=(percent(low[0]), low[1]), high=(percent(high[0]), high[1]))


def down_url(line: Line, *, may_list: bool) -> str | None:
    """One level down; from the lowest, to the rows."""
    if line.below:
        return f"/cockpit?{urlencode({'area': code_text(line.code)})}"
    return households_url(line.code) if may_list else None


def charts(cockpit: Cockpit, *, may_list: bool) -> list[Chart]:
    level = LEVEL_NAMES[cockpit.level]
    lines = [line for line in cockpit.lines if line.totals.households or line.totals.persons]
    urls = [down_url(line, may_list=may_list) or "" for line in lines]
    by_area: dict[str, Any] = {
        "categories": [line.name for line in lines],
        "category_label": level,
        "category_urls": urls if all(urls) else (),
        "horizontal": True,
    }
    found = [
        Chart(
            id="households",
            title=_("Households by area"),
            unit=_("households"),
            series=[Series(_("Households"), [line.totals.households for line in lines])],
            **by_area,
        ),
        Chart(
            id="away",
            title=_("Share of persons away by area"),
            unit="%",
            series=[Series(_("Persons away"), [share(x.totals.away, x.totals.persons) for x in lines])],
            **by_area,
        ),
    ]
    marks = [mark for mark in cockpit.marks if mark.households]
    if marks:
        found.append(
            Chart(
                id="marks",
                title=_("Households by mark"),
                unit=_("households"),
                categories=[pick(m.name, m.name_en) for m in marks],
                series=[Series(_("Households"), [m.households for m in marks])],
                category_label=_("Mark"),
                category_urls=[households_url(cockpit.area, mark=m.key) for m in marks] if may_list else (),
                horizontal=True,
                data_labels=any(not m.name_en for m in marks) or pick("zh", "en") == "zh",
            )
        )
    return found
