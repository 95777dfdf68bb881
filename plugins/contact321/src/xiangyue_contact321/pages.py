"""Pages under ``/p/contact321/``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for

from xiangyue.sdk.access import requires
from xiangyue.sdk.classifications import last_computed
from xiangyue.sdk.i18n import _
from xiangyue.sdk.register import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_VIEW,
    area_names,
    code_text,
    page_area,
    request_compute,
)
from xiangyue.sdk.settings import plugin_settings
from xiangyue.sdk.web import current_actor, current_uow, flash, page
from xiangyue_contact321 import policy, queries
from xiangyue_contact321.rule import CLASSIFIER

bp = Blueprint("contact321", __name__, template_folder="templates")


@bp.get("/")
@requires(policy.VIEW)
def overview() -> Any:
    """Colours by village (of a whole county by town), what they lack, and the way to the decisions."""
    uow, actor = current_uow(), current_actor()
    area, elsewhere = page_area(uow)
    if elsewhere is not None:
        return redirect(elsewhere)
    lines, by_town = queries.shown(uow, area)
    chosen = plugin_settings(uow, policy.NAME)
    marks, unknown = queries.grounds(uow, chosen)
    return page(
        "contact321/overview.html",
        lines=lines,
        by_town=by_town,
        total=queries.summed(lines),
        outcomes=CLASSIFIER.outcomes,
        classifier=CLASSIFIER.key,
        chosen=chosen,
        marks=marks,
        unknown=unknown,
        area=code_text(area) if area else "all",
        area_name=area_names(uow, [area]).get(area, "") if area else "",
        computed=last_computed(uow, policy.COLOUR),
        may_compute=actor.can(CLASSIFICATION_COMPUTE),
        may_list=actor.can(CLASSIFICATION_VIEW),
        code_text=code_text,
        steps=[step for step in CLASSIFIER.steps if actor.can(step.permission)],
    )


@bp.post("/recompute")
@requires(CLASSIFICATION_COMPUTE)
def recompute() -> Any:
    """Compute the area shown anew, as a job."""
    uow = current_uow()
    area, _elsewhere = page_area(uow)
    job = request_compute(uow, classifier=policy.COLOUR, area=area)
    flash(_("Colours are being computed. This page shows them when the work is done."))
    return redirect(url_for("jobs.show_job", id=job.id), 303)
