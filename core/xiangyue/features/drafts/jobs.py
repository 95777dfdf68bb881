"""A town or the whole county is planned in the background: a draft for every village."""

from __future__ import annotations

from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.areas.queries import area_choices
from xiangyue.features.drafts.policy import GRID_PLAN, PLAN_KIND
from xiangyue.features.drafts.service import checked_joining, plan_draft
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.registry import JobKind

PLANNING = _l("Planning village by village")


@acts(GRID_PLAN)
def request_plan(uow: Uow, *, area: int, name: str = "", joining: str = "none") -> Job:
    """Plan every village of an area (15 digits; 0: all I may plan). Raises Invalid, NotFound for no village."""
    checked_joining(joining)
    if not area_choices(uow, parent=area):
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    params = {"area": area, "name": name, "joining": joining}
    return enqueue_job(uow, kind=PLAN_KIND, params=params, unique_key=f"{PLAN_KIND}:{area}")


def run_plan(context: JobContext) -> dict[str, Any]:
    """Each village in a transaction of its own: what was planned before a cancel stays."""
    params = context.params
    with context.uow() as uow:
        villages = [area.area_code for area in area_choices(uow, parent=int(params["area"]))]
    counts = {"villages": 0, "grids": 0, "in_rule": 0, "without_households": 0}
    for number, village in enumerate(villages):
        context.progress(number, len(villages), PLANNING)
        context.check_cancelled()
        with context.uow() as uow:
            try:
                draft = plan_draft(uow, village=village, name=params["name"], joining=params["joining"])
            except Conflict:
                counts["without_households"] += 1
                continue
            counts["villages"] += 1
            counts["grids"] += draft.grids
            counts["in_rule"] += draft.in_rule
    context.progress(len(villages), len(villages))
    return counts


PLAN = JobKind(PLAN_KIND, _l("Planning grids"), run_plan, permission=GRID_PLAN)
