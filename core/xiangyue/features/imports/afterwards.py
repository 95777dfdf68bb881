"""What other features say on the page of a written import: work that follows it and is not done yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.jobs.models import OPEN_STATES, Job
from xiangyue.plugin.dispatch import EVENT

#: ``(uow, state of the job that follows)`` -> a sentence for the page, or None.
Says = Callable[[Uow, str], Any]

_NOT_DONE = (*OPEN_STATES, "failed", "cancelled")
_FOLLOWERS: dict[str, Says] = {}


def add_follower(feature: str, says: Says) -> None:
    """Have it asked while the feature's ``import_commit_happened`` has not been done. A second time changes nothing."""
    _FOLLOWERS[feature] = says


def sentences(uow: Uow, batch_id: int) -> list[Any]:
    """What is still to come of an import, one sentence of each feature that has something to say."""
    hook, of = Job.params["hook"].astext, Job.params["arguments"]["batch_id"].as_integer()
    outstanding = select(Job).where(
        Job.kind == EVENT, Job.state.in_(_NOT_DONE), hook == "import_commit_happened", of == batch_id
    )
    states = {job.params["plugin"]: job.state for job in uow.session.scalars(outstanding.order_by(Job.id))}
    found = (says(uow, states[feature]) for feature, says in _FOLLOWERS.items() if feature in states)
    return [sentence for sentence in found if sentence is not None]
