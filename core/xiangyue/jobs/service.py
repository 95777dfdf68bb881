"""Writes on jobs: put one in the queue, ask it to stop, run it again."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.i18n import current_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import FINAL_STATES, Job
from xiangyue.jobs.outbox import JOB_TOPIC, post
from xiangyue.plugin.dispatch import guarded, lend
from xiangyue.runtime import runtime_of

#: Where the rights of the token that started a job stand in its parameters.
TOKEN_SCOPES = "_token_scopes"  # noqa: S105 - a key, not a secret


@acts(None)
def enqueue_job(uow: Uow, *, kind: str, params: dict[str, Any], unique_key: str | None = None) -> Job:
    """Put a job of ``kind`` in the queue, in the caller's transaction; it leaves after the commit.

    It will run as the actor's account with the rights that account has then. With ``unique_key`` an open job of that
    key is returned instead of a second one. The caller has checked the right; job kinds check it again when they run.
    """
    return _enqueue(uow, kind, params, unique_key, 0)


@acts(None)
def enqueue_later(uow: Uow, *, kind: str, params: dict[str, Any], delay: float, unique_key: str | None = None) -> Job:
    """The same, but it leaves ``delay`` seconds later."""
    return _enqueue(uow, kind, params, unique_key, delay)


def _enqueue(uow: Uow, kind: str, params: dict[str, Any], unique_key: str | None, delay: float) -> Job:
    runtime = runtime_of(uow)
    known = runtime.registry.jobs.get(kind) if runtime is not None else None
    actor = uow.actor
    if actor.token_scopes is not None:
        params = {**params, TOKEN_SCOPES: sorted(actor.token_scopes)}
    values = {
        "tenant_id": uow.tenant_id,
        "kind": kind,
        "params": params,
        "unique_key": unique_key,
        "created_by": actor.account_id,
        "created_by_name": actor.name or actor.login,
        "locale": current_locale(),
        "max_attempts": known.max_attempts if known is not None else 3,
    }
    uow.session.flush()
    while True:
        new = insert(Job).values(values)
        if unique_key is not None:
            new = new.on_conflict_do_nothing(index_elements=["tenant_id", "unique_key"])
        job = uow.session.scalars(new.returning(Job)).one_or_none()
        if job is not None:
            post(uow, topic=JOB_TOPIC, payload={"job_id": job.id}, delay=delay)
            return job
        open_one = uow.session.scalars(select(Job).where(Job.unique_key == unique_key)).one_or_none()
        if open_one is not None:
            return open_one
        # It ended between the two statements: its key is free now.


lend(enqueue_job=enqueue_job)


@acts(None)
def enqueue_next(uow: Uow, *, kind: str, params: dict[str, Any], unique_key: str) -> Job:
    """Put the next of several works on one thing in the queue, of which one is done at a time.

    Raises Conflict while the last one is open: its result may stand already while it still tidies up, or is to be
    taken up again after its worker died, and it would be returned as if it were the new one.
    """
    job = enqueue_job(uow, kind=kind, params=params, unique_key=unique_key)
    asked = job.kind == kind and {key: job.params.get(key) for key in params} == params
    if job.state != "queued" or not asked:
        raise Conflict(_l("What was begun here before is still being finished. Try again in a moment."))
    return job


@acts(None)
def request_cancel(uow: Uow, *, job_id: int) -> Job:
    """Stop a job: at once when it waits, at its next step when it runs. A finished one stays as it is."""
    job = uow.get_for_update(Job, job_id)
    if job.state == "queued":
        end_job(uow, job, "cancelled")
    elif job.state == "running":
        job.cancel_requested = True
    uow.session.flush()
    return job


@acts(None)
def repeat_job(uow: Uow, *, job_id: int) -> Job:
    """Run a failed or cancelled job again, from the start. Raises Conflict for one that waits, runs or succeeded."""
    job = uow.get_for_update(Job, job_id)
    if job.state not in ("failed", "cancelled"):
        raise Conflict(_l("Only failed or cancelled work can be repeated."))
    job.state = "queued"
    job.attempts = 0
    job.cancel_requested = False
    job.error, job.step, job.done, job.total, job.result = "", "", 0, 0, None
    job.started_at = job.heartbeat_at = job.finished_at = None
    post(uow, topic=JOB_TOPIC, payload={"job_id": job.id})
    uow.session.flush()
    return job


def end_job(uow: Uow, job: Job, state: str, *, error: str = "") -> None:
    """Bring a locked job row to a final state; its unique key becomes free, its kind is told of a failure."""
    assert state in FINAL_STATES
    job.state = state
    job.error = error
    job.unique_key = None
    job.finished_at = datetime.now(UTC)
    runtime = runtime_of(uow)
    if state == "succeeded" or runtime is None:
        return
    # Also a plugin that was switched off meanwhile lets go of what its job held.
    for contributor, kind in runtime.registry.each("jobs"):
        if kind.key == job.kind and kind.ended is not None:
            guarded(uow, contributor, f"jobs:{kind.key}", partial(kind.ended, uow, job))


def requeue_job(uow: Uow, job: Job, *, delay: float = 0, counted: bool = True) -> None:
    """Send a locked, running job back to the queue; ``counted`` False gives its attempt back."""
    job.state = "queued"
    job.heartbeat_at = None
    if not counted:
        job.attempts -= 1
    post(uow, topic=JOB_TOPIC, payload={"job_id": job.id}, delay=delay)
