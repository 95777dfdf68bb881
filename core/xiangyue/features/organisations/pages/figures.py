"""Figures over those who hold posts in the organisations of the list, and their export."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import redirect, request, url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.organisations import policy, service_export, view
from xiangyue.features.organisations.figures import COLUMNS, figures
from xiangyue.features.organisations.pages import bp
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

FIGURES = "organisations.show_figures"


def _view() -> ListView:
    may = current_actor().can(policy.EXPORT)
    return ListView(
        columns=COLUMNS,
        filters=[one for one in view.filters(current_uow()) if one.name != "q"],
        args=switch.args_without_all(),
        path=url_for(FIGURES),
        export_url=url_for("organisations.export_figures") if may else None,
    )


@bp.get("/organisations/figures")
@requires(policy.VIEW)
def show_figures() -> Any:
    """How many people sit in organisations, how many of them women, and how old they are."""
    uow = current_uow()
    area, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = _view()
    if onward := without_problems(asked):
        return onward
    wanted = view.wanted(request.args, area)
    return page(
        "organisations/figures.html",
        view=asked,
        rows=figures(uow, wanted),
        on=wanted.on,
        area_name=names(uow, [area]).get(area, "") if area else "",
    )


@bp.route("/organisations/figures/export", methods=["GET", "POST"])
@requires(policy.EXPORT)
def export_figures() -> Any:
    """The figures as they are shown: the question what for, then the spreadsheet."""
    uow, asked = current_uow(), _view()
    area = switch.asked_area(uow)
    rows = figures(uow, view.wanted(request.args, area))

    def note(taken: Taken) -> None:
        service_export.note_export(uow, **asdict(taken), seen=Ids())  # numbers alone: nobody is in it

    return export_list(
        asked,
        title=_("Export the figures"),
        of=_("Figures over office holders"),
        back=asked.url(url_for(FIGURES)),
        cells=lambda: ([_cell(one.value(column.key)) for column in asked.visible] for one in rows),
        note=note,
        rows=len(rows),
        place=names(uow, [area]).get(area, "") if area else "",
    )


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else str(value)
