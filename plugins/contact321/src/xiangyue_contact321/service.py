"""Writes: what the roster says of awards, and colours computed anew after something they rest on has changed."""

from __future__ import annotations

from xiangyue.sdk.access import acts, audit
from xiangyue.sdk.classifications import COMPUTE_KIND, compute_household
from xiangyue.sdk.db import Uow
from xiangyue.sdk.errors import NotFound
from xiangyue.sdk.jobs import enqueue_job
from xiangyue.sdk.register import CLASSIFICATION_COMPUTE, Household, compute_area, request_compute
from xiangyue_contact321 import policy

#: What changes a household's own colour alone, and what moves the mean or the years of its whole village.
OF_ONE = frozenset({"mark.add", "mark.end"})
OF_VILLAGE = frozenset(
    {"household.add", "household.move", "household.close", "household.reopen", "household.income", "household.award"}
    | {"person.add", "person.move", "person.leave", "person.return"}
)
VILLAGE = 1_000


@acts(CLASSIFICATION_COMPUTE)
def follow_change(uow: Uow, *, household_id: int, action: str) -> None:
    """Compute anew what a change bears on: the household, or its village. Told twice, it writes nothing more."""
    if action not in OF_ONE | OF_VILLAGE:
        return
    try:
        household = uow.get(Household, household_id)
    except NotFound:
        return
    if action in OF_ONE:
        compute_household(uow, household_id=household_id, classifier=policy.COLOUR)
    else:
        village = household.area_code - household.area_code % VILLAGE
        compute_area(uow, classifier=policy.COLOUR, area=village)


@acts(CLASSIFICATION_COMPUTE)
def recompute_all(uow: Uow, *, batch: int | None = None) -> None:
    """Have the county computed anew by a job, after an import (``batch``) or as the plugin is switched on. One occasion
    is told from another: a job that runs already may have passed the place where something has changed since."""
    job = request_compute(uow, classifier=policy.COLOUR)
    if job.state == "running":
        params = {"classifier": policy.COLOUR, "area": 0}
        enqueue_job(uow, kind=COMPUTE_KIND, params=params, unique_key=f"{policy.COLOUR}:{batch or 'on'}")
    after = {"batch": batch} if batch else {"why": "switched_on"}
    audit(uow, action="contact321.recompute", object_type="classifier", label=policy.COLOUR, after=after)
