"""A town or the whole county is planned in the background: a draft for every village."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound, XiangyueError
from xiangyue.features.areas.queries import area_choices
from xiangyue.features.drafts.policy import GRID_PLAN, PLAN_KIND
from xiangyue.features.drafts.service import checked_joining, plan_draft
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobCancelled, JobContext, JobInterrupted, JobLost
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.registry import JobKind

log = structlog.get_logger()
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
    """Each village in a transaction of its own: what was planned before a cancel stays, and one that fails does
    not stop the others; the result names it."""
    params = context.params
    with context.uow() as uow:
        villages = [area.area_code for area in area_choices(uow, parent=int(params["area"]))]
    failed: list[dict[str, Any]] = []
    counts = {"villages": 0, "grids": 0, "in_rule": 0, "without_households": 0}
    for number, village in enumerate(villages):
        context.progress(number, len(villages), PLANNING)
        context.check_cancelled()
        try:
            with context.uow() as uow:
                draft = plan_draft(uow, village=village, name=params["name"], joining=params["joining"])
                grids, in_rule = draft.grids, draft.in_rule
        except Conflict:
            counts["without_households"] += 1
        except (JobCancelled, JobInterrupted, JobLost, OperationalError):
            raise  # nothing of the village: the job is to stop, or the database is away and the next would fail too
        except Exception as error:
            log.exception("village not planned", village=village, job=context.job_id)
            failed.append({"village": village, "why": _why(error)})
            if len(failed) == len(villages):
                raise
        else:
            counts["villages"] += 1
            counts["grids"] += grids
            counts["in_rule"] += in_rule
    context.progress(len(villages), len(villages))
    return {**counts, "failed": failed}


def _why(error: Exception) -> str:
    """What may be told: words of ours, else the kind of error; the log has the rest."""
    return str(error.message) if isinstance(error, XiangyueError) else type(error).__name__


def result_text(job: Job) -> Any:
    """How many villages and grids; and those that failed."""
    result = job.result or {}
    if "villages" not in result:
        return None
    failed = [str(one["village"] // 1000) for one in result.get("failed", ())]
    if failed:
        return _l(
            "%(villages)s villages, %(grids)s grids, %(in_rule)s of them within the rule. Not planned, for something"
            " went wrong: %(failed)s. Plan these once more by themselves.",
            failed=join_words(failed[:10]) + (" …" if len(failed) > 10 else ""), villages=result["villages"],
            grids=f"{result['grids']:,}", in_rule=f"{result['in_rule']:,}",
        )  # fmt: skip
    return _l("%(villages)s villages, %(grids)s grids, %(in_rule)s of them within the rule.",
              villages=result["villages"], grids=f"{result['grids']:,}", in_rule=f"{result['in_rule']:,}")  # fmt: skip


PLAN = JobKind(PLAN_KIND, _l("Planning grids"), run_plan, permission=GRID_PLAN, result_text=result_text)
