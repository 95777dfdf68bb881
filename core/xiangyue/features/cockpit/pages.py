"""The cockpit's page and its downloads."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request

from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import code_text
from xiangyue.features.areas.switch import page_area
from xiangyue.features.cockpit import figures
from xiangyue.features.cockpit.board import look, share
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.features.cockpit.queries import narrowed
from xiangyue.features.cockpit.service import export_cockpit
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.web.access import requires
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow
from xiangyue.web.points import Panel, panels
from xiangyue.web.shell import page

bp = Blueprint("cockpit", __name__, template_folder="templates")


@bp.get("/cockpit")
@requires(COCKPIT_VIEW)
def show_cockpit() -> Any:
    uow = current_uow()
    area, elsewhere = page_area(uow)
    if elsewhere is not None:
        return redirect(elsewhere)
    cockpit = look(uow, area)
    may_list = current_actor().can(HOUSEHOLD_VIEW)
    return page(
        "cockpit/show.html",
        cockpit=cockpit,
        figures=figures.figures(cockpit, may_list=may_list),
        charts=figures.charts(cockpit, may_list=may_list),
        may_list=may_list,
        level=figures.LEVEL_NAMES[cockpit.level],
        down_url=figures.down_url,
        households_url=figures.households_url,
        share=share,
        percent=figures.percent,
        area_text=code_text(area) if area else "all",
        cards=cards(uow, area),
    )


def cards(uow: Uow, area: int) -> list[Panel]:
    """Cards of plugins and other features, of this area alone whatever they ask for."""
    with uow.scoped(narrowed(uow, area) if area else uow.scope):
        return panels(uow, "dashboard_cards", lambda card: card.build(uow, area))


@bp.get("/cockpit/export")
@requires(COCKPIT_VIEW)
def export() -> Any:
    uow = current_uow()
    area, _elsewhere = page_area(uow)
    format = "csv" if request.args.get("format") == "csv" else "xlsx"
    made = export_cockpit(uow, area=area, format=format)
    name = f"overview-{current_tenant().slug}{f'-{code_text(area)}' if area else ''}"
    return send_written(made, name)
