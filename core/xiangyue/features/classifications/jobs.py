"""Background work: computing a classifier for an area, and marking the reviews that are due."""

from __future__ import annotations

from typing import Any

from xiangyue.db.scope import Scope
from xiangyue.features.classifications import compute, service_compute
from xiangyue.features.classifications.compute import Computed
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, COMPUTE_KIND, REVIEW_KIND
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobCancelled, JobContext, JobInterrupted, JobLost
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.registry import JobKind, Schedule
from xiangyue.runtime import offer_of

COMPUTING = _l("Computing proposals")
DAY = 86_400
_ENDS = (*FROM_OUTSIDE, JobCancelled, JobInterrupted, JobLost)


def run_compute(context: JobContext) -> dict[str, Any]:
    """Compute the classifier in ``params["classifier"]`` for ``params["area"]`` (0: wherever the actor may), town by
    town. Without a classifier, as the daily schedule starts it: all that the county has.

    Each town is kept by itself, so a cancel keeps what is done; a repeated run writes only what differs.
    """
    area = int(context.params.get("area") or 0)
    with context.uow() as uow:
        asked = context.params.get("classifier")
        keys = [str(asked)] if asked else list(offer_of(uow).classifiers)
        with uow.scoped(uow.actor.scope(CLASSIFICATION_COMPUTE)):
            parts = compute.parts(uow, area) if keys else []
    total, found = len(keys) * len(parts), Computed()
    context.progress(0, total, COMPUTING)
    failed: Exception | None = None
    for n, key in enumerate(keys):
        try:
            found.add(_one(context, key, area, parts, n * len(parts), total))
        except _ENDS:
            raise
        except Exception as error:
            if is_away(error):
                raise
            failed = failed or error  # the other rules are computed all the same
    if failed is not None:
        raise failed
    return found.numbers()


def _one(context: JobContext, key: str, area: int, parts: list[Scope], before: int, total: int) -> Computed:
    found = Computed()
    for done, part in enumerate(parts, 1):
        context.check_cancelled()
        with context.uow() as uow:
            found.add(service_compute.compute_part(uow, classifier=key, part=part))
        context.progress(before + done, total)
    with context.uow() as uow:
        service_compute.note_computed(uow, classifier=key, area=area, computed=found)
    return found


def run_review(context: JobContext) -> dict[str, int]:
    """Mark decisions whose review is due."""
    with context.uow() as uow:
        return {"due": service_compute.mark_due_reviews(uow)}


COMPUTE = JobKind(COMPUTE_KIND, _l("Computing classifications"), run_compute, permission=CLASSIFICATION_COMPUTE)
REVIEW = JobKind(REVIEW_KIND, _l("Marking reviews that are due"), run_review)
SCHEDULES = (Schedule(COMPUTE_KIND, COMPUTE_KIND, DAY), Schedule(REVIEW_KIND, REVIEW_KIND, DAY))
