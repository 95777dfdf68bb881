"""Writes: compute proposals for an area or one household, mark reviews that are due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.classifications import compute
from xiangyue.features.classifications.compute import Computed, own_area
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, COMPUTE_KIND
from xiangyue.features.households.models import Household
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.registry import Classifier
from xiangyue.runtime import offer_of

Progress = Callable[[int, int], None]


@acts(CLASSIFICATION_COMPUTE)
def request_compute(uow: Uow, *, classifier: str, area: int = 0) -> Job:
    """Start computing a classifier for an area (0: all that the actor may) as a job; one that runs already is
    returned. Raises NotFound, Conflict for an area below a village."""
    _offered(uow, classifier)
    compute.parts(uow, area)
    params = {"classifier": classifier, "area": area}
    who = uow.actor.account_id or 0
    return enqueue_job(uow, kind=COMPUTE_KIND, params=params, unique_key=f"{COMPUTE_KIND}:{classifier}:{area}:{who}")


@acts(CLASSIFICATION_COMPUTE)
def compute_part(uow: Uow, *, classifier: str, part: Scope, on: date | None = None) -> Computed:
    """One town's worth (see ``compute.parts``): for the job, which commits each by itself."""
    return compute.compute_part(uow, _offered(uow, classifier), part.within(uow.scope), on or compute.today())


@acts(CLASSIFICATION_COMPUTE)
def compute_area(
    uow: Uow, *, classifier: str, area: int = 0, on: date | None = None, progress: Progress | None = None
) -> Computed:
    """Compute a classifier for a whole area in this transaction, a statement for each town.

    ``on``: the day whose rule holds, today when missing. ``progress(done, total)`` is told after each town. A decision
    in force is never touched; rows that stay as they are are not written. Raises NotFound, Conflict, XiangyueError.
    """
    rule, found = _offered(uow, classifier), Computed()
    cut = compute.parts(uow, area)
    for done, part in enumerate(cut, 1):
        found.add(compute.compute_part(uow, rule, part, on or compute.today()))
        if progress is not None:
            progress(done, len(cut))
    note_computed(uow, classifier=classifier, area=area, computed=found)
    return found


@acts(CLASSIFICATION_COMPUTE)
def note_computed(uow: Uow, *, classifier: str, area: int, computed: Computed) -> None:
    """Put a computation into the audit trail, in numbers."""
    audit(
        uow,
        action="classification.compute",
        object_type="classifier",
        label=classifier,
        area_code=area or own_area(uow),
        after=computed.numbers(),
    )


@acts(None)
def compute_household(uow: Uow, *, household_id: int, classifier: str = "", on: date | None = None) -> Computed:
    """Compute one household anew, by one classifier or all that the county has: called after what they look at has
    changed, by whoever changed it. Raises NotFound for a household outside the scope, XiangyueError."""
    household = uow.get(Household, household_id)
    chosen = [_offered(uow, classifier)] if classifier else list(offer_of(uow).classifiers.values())
    found = Computed()
    uow.session.flush()
    with uow.tenant_wide("a rule compares the household with its village, of which the actor may see a part"):
        part = compute.village_of(uow, household.area_code)
        for rule in chosen:
            found.add(compute.compute_part(uow, rule, part, on or compute.today(), household_id=household_id))
    return found


def _offered(uow: Uow, key: str) -> Classifier:
    """A classifier of the county's plugins. Raises NotFound."""
    found = offer_of(uow).classifiers.get(key)
    if found is None:
        raise NotFound(_l("There is no such classification."))
    return found


@acts(CLASSIFICATION_COMPUTE)
def mark_due_reviews(uow: Uow, *, on: date | None = None) -> int:
    """Decisions whose review is due become ``due`` and stay in force. Returns how many."""
    keys = list(offer_of(uow).classifiers)
    found = compute.due_reviews(uow, keys, on or compute.today()) if keys else 0
    if found:
        audit(uow, action="classification.review", object_type="classifier", after={"rows": found})
    return found
