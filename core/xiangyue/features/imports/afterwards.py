"""What other features say on the page of a written import: work that follows it and is not done yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from xiangyue.db.uow import Uow
from xiangyue.jobs.models import OPEN_STATES, Job
from xiangyue.plugin.dispatch import EVENT

#: ``(uow, state of the job that follows)`` -> a sentence for the page, or None.
Says = Callable[[Uow, str], Any]

#: Who follows rosters looks at all of the register every day, also for what an event that failed left undone.
_LOOKED_AGAIN = timedelta(days=1)
_FOLLOWERS: dict[str, Says] = {}


def add_follower(feature: str, says: Says) -> None:
    """Have it asked while the feature's ``import_commit_happened`` has not been done. A second time changes nothing."""
    _FOLLOWERS[feature] = says


def sentences(uow: Uow, batch_id: int) -> list[Any]:
    """What is still to come of an import, one sentence of each feature that has something to say."""
    hook, of = Job.params["hook"].astext, Job.params["arguments"]["batch_id"].as_integer()
    failed = Job.state.in_(("failed", "cancelled")) & (Job.finished_at > datetime.now(UTC) - _LOOKED_AGAIN)
    outstanding = select(Job).where(
        Job.kind == EVENT,
        or_(Job.state.in_(OPEN_STATES), failed),
        hook == "import_commit_happened",
        of == batch_id,
    )
    states = {job.params["plugin"]: job.state for job in uow.session.scalars(outstanding.order_by(Job.id))}
    found = (says(uow, states[feature]) for feature, says in _FOLLOWERS.items() if feature in states)
    return [sentence for sentence in found if sentence is not None]
