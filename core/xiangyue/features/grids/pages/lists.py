"""The list of grids as of a day, and its export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import conditions as owed
from xiangyue.features.grids import policy, queries, queries_households, service_export
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT, GRID_PRINT, GRID_VIEW, KINDS, LEVELS, PROBLEMS
from xiangyue.features.grids.words import breach_words, kind_words, leader_words
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

PAGE_SIZE = 50
COLUMNS = (
    Column("name", _l("Grid"), sort=True, primary=True),
    Column("code", _l("Code"), sort=True),
    Column("level", _l("Level"), sort=True),
    Column("area", _l("Village or group")),
    Column("households", _l("Households"), numeric=True),
    Column("registered", _l("Household register"), numeric=True),
    Column("living", _l("Living here"), numeric=True),
    Column("size", _l("Size")),
    Column("leader", _l("Grid leader")),
    Column("term", _l("Term until")),
    Column("since", _l("Since"), default=False),
)
SIZES = {
    policy.OUT: _l("Outside the rule"),
    policy.UNEXPLAINED: _l("Outside the rule, no reason given"),
    policy.EXPLAINED: _l("Outside the rule, with a reason"),
    policy.FITS: _l("Within the rule, or without one"),
    policy.TO_DIVIDE: _l("Level 2, larger than a grid of level 3 may be"),
}
LEADERS = {
    "none": _l("Without a leader"),
    "no_principal": _l("Nobody is the principal leader"),
    "over": _l("A leader's term is over"),
    "soon": _l("A leader's term ends soon"),
    "gone": _l("A leader has died or moved away"),
}
#: How far ahead a term is looked at.
DAYS = [(str(n), _l("within %(n)d days", n=n)) for n in (30, 90, 180, 365)]


def day_asked(text: str | None = None) -> date:
    """``?on=`` of the address; today where it is missing or no date."""
    try:
        return date.fromisoformat(request.args.get("on", "") if text is None else text)
    except ValueError:
        return today()


def days_asked() -> int:
    """``?days=`` of the address, how far ahead a leader's term is looked at."""
    text = request.args.get("days", "")
    return int(text) if text in {value for value, _label in DAYS} else owed.SOON_DAYS


def asked_list(**state: Any) -> ListView:
    """The list as its address asks for it."""
    filters = (
        Filter("q", _l("Name, pinyin or code"), kind="text"),
        Filter("level", _l("Level"), choices=queries.level_choices()),
        Filter("size", _l("Size"), choices=list(SIZES.items())),
        Filter("leader", _l("Grid leader"), choices=list(LEADERS.items())),
        Filter("on", _l("On day"), kind="date"),
        Filter("kind", _l("Kind"), choices=list(KINDS.items()), more=True),
        Filter("days", _l("Term ends"), choices=DAYS, placeholder=DAYS[1][1], more=True),
        Filter("leaf", _l("Leaf grid"), choices=[("1", _l("Households lie in it"))], more=True),
    )
    args = switch.args_without_all()
    may = current_actor().can(GRID_EXPORT)
    view = ListView(COLUMNS, args, url_for("grids.list_grids"), filters, default_sort="code", **state)
    return replace(view, export_url=url_for("grids.export_grids") if may else None)


def wanted_of(view: ListView, area: int) -> queries.GridFilter:
    """Its conditions."""
    level, kind, size, leader = (view.value(name) for name in ("level", "kind", "size", "leader"))
    return queries.GridFilter(
        on=day_asked(),
        area=area,
        level=number if (number := whole_number(level)) in LEVELS else None,
        kind=kind if kind in KINDS else "",
        size=size if size in SIZES else "",
        leader=leader if leader in LEADERS else "",
        days=days_asked(),
        leaf=view.value("leaf") == "1",
        q=view.value("q")[:60],
    )


@bp.get("/grids")
@requires(GRID_VIEW)
def list_grids() -> Any:
    """Grids of the area, as of today or another day."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = asked_list()
    if onward := without_problems(asked):
        return onward
    wanted = queries.settled(uow, wanted_of(asked, code))
    try:
        found = queries.list_grids(
            uow,
            wanted,
            sort=asked.order,
            limit=PAGE_SIZE,
            after=asked.after,
            before=asked.before,
        )
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        return redirect(asked.url(after=None, before=None))
    count = queries.count_grids(uow, wanted)
    return page(
        "grids/list.html",
        view=asked_list(
            count=count,
            count_text=ngettext("%(count)s grid", "%(count)s grids", count, count=f"{count:,}"),
            shown=len(found.items),
            next_cursor=found.next,
            back_cursor=found.back,
        ),
        rows=found.items,
        area_name=names(uow, [code]).get(code, "") if code else "",
        area=code,
        on=wanted.on,
        today=today(),
        waiting=_waiting(uow, code, wanted.on),
        may_edit=current_actor().can(GRID_EDIT),
        may_print=current_actor().can(GRID_PRINT),
        may_file=current_actor().can(GRID_EXPORT),
        may_homes=current_actor().can(HOUSEHOLD_EXPORT),
        may_import=current_actor().can(GRID_EDIT) and current_actor().can(IMPORT_RUN),
        breach_words=breach_words,
        kind_words=kind_words,
        problems=PROBLEMS,
    )


def _waiting(uow: Uow, code: int, on: date) -> int:
    """Households of a village in no grid."""
    if not code % 1_000_000 or on < today() or not queries.any_grid(uow):
        return 0
    return queries_households.count_households(uow, queries_households.NONE, code, on)


@bp.route("/grids/export", methods=["GET", "POST"])
@requires(GRID_EXPORT)
def export_grids() -> Any:
    """The question what for; sent, the list as it stands as a spreadsheet."""
    uow, asked = current_uow(), asked_list()
    code = switch.asked_area(uow)
    wanted = queries.settled(uow, wanted_of(asked, code))

    def cells() -> Iterator[list[Any]]:
        for row in queries.each_grid(uow, wanted, sort=asked.order, limit=service_export.EXPORT_LIMIT + 1):
            shown = {
                "name": row["name"], "code": row["code"], "level": str(kind_words(row)), "area": row["area_name"],
                "households": row["size"].households, "registered": row["size"].registered,
                "living": row["size"].living, "size": str(breach_words(row)), "since": row["valid_from"],
                "leader": leader_words(row), "term": row["lead"]["term_until"] if row["lead"] else None,
            }  # fmt: skip
            yield [shown[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, on=wanted.on, area=code,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export grids"), of=_("Grids"), back=asked.url(url_for("grids.list_grids")),
        rows=queries.count_grids(uow, wanted), cells=cells, note=note, place=names(uow, [code]).get(code, ""),
        most=service_export.EXPORT_LIMIT,
    )  # fmt: skip
