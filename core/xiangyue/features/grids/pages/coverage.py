"""Coverage (网格覆盖) of village, town, county on a day: each number leads to the list of exactly those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from flask import redirect, url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text, names
from xiangyue.features.grids import queries, queries_coverage, service_export
from xiangyue.features.grids.conditions import SOON_DAYS
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import DAYS, day_asked, days_asked
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT, GRID_VIEW
from xiangyue.features.grids.queries_coverage import Line
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import policy as organisations
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

GRIDS, HOMES, ORGANISATIONS = "grids.list_grids", "grids.list_homes", "organisations.list_organisations"
#: Number -> (what it is called, the list behind it, the list's conditions).
NUMBERS: Mapping[str, tuple[Any, str, dict[str, str]]] = {
    "waiting": (_l("Households in no grid"), HOMES, {}),
    "twice": (_l("Households in several grids"), HOMES, {"state": "two"}),
    "grids": (_l("Grids"), GRIDS, {}),
    "leaves": (_l("Leaf grids"), GRIDS, {"leaf": "1"}),
    "unexplained": (_l("Outside the size rule, no reason given"), GRIDS, {"size": "unexplained"}),
    "explained": (_l("Outside the size rule, with a reason"), GRIDS, {"size": "explained"}),
    "leaves2": (_l("Level-2 grids in which households lie"), GRIDS, {"level": "2", "leaf": "1"}),
    "to_divide": (_l("Of these larger than a grid of level 3 may be"), GRIDS, {"size": "to_divide"}),
    "leaderless": (_l("Without a leader"), GRIDS, {"leader": "none"}),
    "no_principal": (_l("Nobody is the principal leader"), GRIDS, {"leader": "no_principal"}),
    "term_over": (_l("A leader's term is over"), GRIDS, {"leader": "over"}),
    "term_soon": (_l("A leader's term ends soon"), GRIDS, {"leader": "soon"}),
    "leader_gone": (_l("A leader has died or moved away"), GRIDS, {"leader": "gone"}),
    "org_late": (_l("Organisations whose term is over"), ORGANISATIONS, {"term": "late"}),
    "org_soon": (_l("Organisations whose term ends within six months"), ORGANISATIONS, {"term": "soon"}),
    "org_vacant": (_l("Organisations with a vacant post"), ORGANISATIONS, {"open": "vacant"}),
    "org_gone": (_l("Organisations of which a holder died or moved away"), ORGANISATIONS, {"open": "gone"}),
}
#: Cards of the page, each with its numbers.
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_l("Households"), ("waiting", "twice")),
    (_l("Size"), ("unexplained", "explained", "leaves2", "to_divide")),
    (_l("Grid leaders"), ("leaderless", "no_principal", "leader_gone", "term_over", "term_soon")),
    (_l("Organisations"), ("org_late", "org_soon", "org_vacant", "org_gone")),
)
_WAITING_COLUMNS = {"twice", "leaves", "leaves2", "to_divide", "no_principal", "org_soon", "org_vacant", "org_gone"}
COLUMNS = (
    Column("name", _l("Area"), primary=True),
    Column("households", _l("Households"), numeric=True),
    *(
        Column(key, label, numeric=True, default=key not in _WAITING_COLUMNS)
        for key, (label, _e, _c) in NUMBERS.items()
    ),
    Column("since", _l("In no grid since"), default=False),
)


def _view(**state: Any) -> ListView:
    filters = (
        Filter("on", _l("On day"), kind="date"),
        Filter("days", _l("Term ends"), choices=DAYS, placeholder=DAYS[1][1]),
    )
    may = current_actor().can(GRID_EXPORT)
    return ListView(
        COLUMNS, switch.args_without_all(), url_for("grids.show_coverage"), filters,
        export_url=url_for("grids.export_coverage") if may else None, **state,
    )  # fmt: skip


def number_url(key: str, area: int, on: date, days: int, *, own: str = "") -> str:
    """The list of exactly those that a number counts. ``own``: only what belongs to the area itself (a level of
    organisations) and to none below it."""
    _label, endpoint, conditions = NUMBERS[key]
    asked: dict[str, Any] = {"area": code_text(area) if area else "all", **conditions}
    if on != today():
        asked["on"] = on.isoformat()
    if key == "term_soon" and days != SOON_DAYS:
        asked["days"] = days
    if own:
        asked["level"] = own
    return url_for(endpoint, **asked)


@bp.get("/grids/coverage")
@requires(GRID_VIEW)
def show_coverage() -> Any:
    """What is owed in the area, in figures and by the areas below it."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked, on, days = _view(), day_asked(), days_asked()
    if onward := without_problems(asked):
        return onward
    lines = queries_coverage.coverage(uow, code, on, days)
    total = queries_coverage.summed(lines)

    def line_url(key: str, line: Line) -> str | None:
        # What stands in a line of a county's or town's own are its organisations; other lists have no such condition.
        own = line.level if line.level in ("county", "town") and _is_above(line, lines) else ""
        return number_url(key, line.code, on, days, own=own)

    def below_url(line: Line) -> str | None:
        if line.code == code or _is_above(line, lines):
            return None
        return asked.url(area=code_text(line.code), after=None, before=None)

    return page(
        "grids/coverage.html", view=_view(count=len(lines)), lines=lines, total=total, groups=GROUPS, numbers=NUMBERS,
        total_url=lambda key: number_url(key, code, on, days), line_url=line_url, below_url=below_url, on=on,
        today=today(), days=days, area=code, code_text=code_text, any_grid=queries.any_grid(uow),
        area_name=names(uow, [code]).get(code, "") if code else "", may_edit=current_actor().can(GRID_EDIT),
        may_organisations=current_actor().can(organisations.VIEW),
    )  # fmt: skip


def _is_above(line: Line, lines: list[Line]) -> bool:
    """Whether a line stands for what belongs to none of the others, as the county's own organisations do."""
    width = {"county": 10**9, "town": 10**6}.get(line.level)
    return width is not None and any(
        other is not line and other.code - other.code % width == line.code for other in lines
    )


@bp.route("/grids/coverage/export", methods=["GET", "POST"])
@requires(GRID_EXPORT)
def export_coverage() -> Any:
    """The table by area as a spreadsheet, after the question what for."""
    uow, asked, on, days = current_uow(), _view(), day_asked(), days_asked()
    code = switch.asked_area(uow)
    lines = queries_coverage.coverage(uow, code, on, days)

    def cells() -> Iterator[list[Any]]:
        for line in lines:
            yield [line.name if c.key == "name" else getattr(line.owed, c.key) for c in asked.visible]

    def note(taken: Taken) -> None:
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, on=on, area=code,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export the coverage"), of=_("Grid coverage"), back=asked.url(url_for("grids.show_coverage")),
        cells=cells, note=note, rows=len(lines), place=names(uow, [code]).get(code, ""),
    )  # fmt: skip
