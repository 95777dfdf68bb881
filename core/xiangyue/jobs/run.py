"""Runs one job by its row. Messages only say "look at job 7": a repeated one finds the row taken or done."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from gevent import GreenletExit
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from xiangyue.access.actor import system_actor
from xiangyue.config import Settings
from xiangyue.db.uow import Uow
from xiangyue.errors import Forbidden, Unavailable, XiangyueError
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.actors import job_actor
from xiangyue.jobs.context import JobCancelled, JobContext, JobInterrupted, JobLost, Pulse
from xiangyue.jobs.metrics import observe_job
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import end_job, requeue_job
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.dispatch import folder_of
from xiangyue.plugin.faults import Nonsense, error_line, trace_of, write_fault
from xiangyue.plugin.metrics import gathering, timed
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import JobKind
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy.directory import TenantInfo

log = structlog.get_logger()
R = TypeVar("R")

#: Seconds before the second, third, … attempt.
RETRY_DELAYS = (5.0, 30.0, 120.0, 300.0)
#: How long the end of a job is tried to be written while PostgreSQL is away; then the scheduler finds the job.
SETTLE_SECONDS = 40.0

#: Set in a worker's child when the worker is being stopped.
STOP = threading.Event()
_process: dict[str, Any] = {}


def use(runtime: Runtime, *, child_of: int | None = None) -> None:
    """Make ``runtime`` that of this process. ``child_of``: the worker whose child we are, whose end is ours."""
    _process["runtime"] = runtime
    _process["parent"] = child_of


def process_runtime() -> Runtime:
    """The runtime given by ``use``, or one from the environment (under a plain ``rq worker``)."""
    if "runtime" not in _process:
        use(Runtime(Settings.load()))
    runtime: Runtime = _process["runtime"]
    return runtime


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours to run: what its row said when we took it."""

    tenant: TenantInfo
    id: int
    kind: str
    params: dict[str, Any]
    locale: str
    attempt: int
    max_attempts: int


def run_job(tenant_id: int, job_id: int) -> None:
    """Run the job if it still waits. Never raises for what the job does: its row tells how it ended."""
    run_with(process_runtime(), tenant_id, job_id)


def run_with(runtime: Runtime, tenant_id: int, job_id: int) -> str | None:
    """The same with a given runtime; returns the job's state afterwards, None when it was not ours to run."""
    tenant = _soon(partial(runtime.directory.by_id, tenant_id))
    if tenant is None or tenant.state != "active":
        return None  # the row stays queued; the scheduler sends it again once the county is back
    claim = _soon(partial(_claim, runtime, tenant, job_id))
    if claim is None:
        return None
    with structlog.contextvars.bound_contextvars(tenant=tenant_id, job=job_id, kind=claim.kind):
        begun = time.monotonic()
        with gathering() as spent:
            state = _run(runtime, claim)
        seconds = time.monotonic() - begun
        log.info("job", state=state, attempt=claim.attempt, seconds=round(seconds, 3))
        observe_job(runtime, claim.kind, state, seconds, spent)
    return state


def _soon(read: Callable[[], R]) -> R:
    """What ``read`` answers, waiting for PostgreSQL for a while if it is away: the message is in our hands only, and
    the scheduler would miss it minutes later."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            return read()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or STOP.is_set():
                raise
            time.sleep(0.5)


def _claim(runtime: Runtime, tenant: TenantInfo, job_id: int) -> Claim | None:
    with runtime.uow(tenant.id) as uow:
        job = _locked(uow, job_id)
        if job is None or job.state != "queued":
            return None
        now = datetime.now(UTC)
        job.state = "running"
        job.attempts += 1
        job.error = ""
        job.started_at = job.started_at or now
        job.heartbeat_at = now
        return Claim(tenant, job.id, job.kind, dict(job.params), job.locale, job.attempts, job.max_attempts)


def _locked(uow: Uow, job_id: int) -> Job | None:
    return uow.session.scalars(
        select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def _run(runtime: Runtime, claim: Claim) -> str:
    context = JobContext(
        runtime,
        tenant_id=claim.tenant.id,
        job_id=claim.id,
        params=claim.params,
        actor=system_actor(claim.tenant.id),
        attempt=claim.attempt,
        stop=STOP,
    )
    with in_locale(claim.locale):
        owner: Contributor | None = None
        try:
            owner, kind = _kind(runtime, claim, context)
            with Pulse(context, parent=_process.get("parent")), _counted(owner, kind):
                result = _fit(kind.run(context))
        except JobLost:
            return "lost"
        except JobCancelled:
            return _settle(context, "cancelled")
        except JobInterrupted:
            return _settle(context, "queued", counted=False)
        except XiangyueError as error:
            if isinstance(error, Unavailable) and claim.attempt < claim.max_attempts:
                return _settle(context, "queued", delay=retry_delay(claim.attempt))
            log.warning("job_refused", error=type(error).__name__)
            return _settle(context, "failed", error=str(error))
        except (KeyboardInterrupt, GreenletExit):
            raise
        except BaseException as error:  # a SystemExit of its code is as good as any other error
            log.exception("job_broke", attempt=claim.attempt)
            _note_fault(context, owner, claim.kind, error)
            if claim.attempt < claim.max_attempts:
                return _settle(context, "queued", delay=retry_delay(claim.attempt))
            return _settle(context, "failed", error=broken_text(claim, error))
        return _settle(context, "succeeded", result=result)


def _counted(owner: Contributor, kind: JobKind) -> AbstractContextManager[None]:
    return nullcontext() if owner.core else timed(owner.key, f"jobs:{kind.key}")


def _fit(result: Any) -> dict[str, Any] | None:
    """What a job answers is kept as JSON. Raises Nonsense."""
    if result is not None and not isinstance(result, dict):
        raise Nonsense(f"answered {type(result).__name__}, not dict")
    try:
        json.dumps(result)
    except (TypeError, ValueError, RecursionError) as error:
        raise Nonsense("its answer cannot be written as JSON") from error
    return result


def _note_fault(context: JobContext, owner: Contributor | None, kind: str, error: BaseException) -> None:
    """Put what a plugin's job broke off with on the plugins page of the county."""
    if owner is None or owner.core or isinstance(error, FROM_OUTSIDE) or is_away(error):
        return
    line, trace = error_line(error, near=folder_of(owner)), trace_of(error)
    write_fault(context.runtime.engine, context.tenant_id, owner.key, f"jobs:{kind}", line, trace)


def _kind(runtime: Runtime, claim: Claim, context: JobContext) -> tuple[Contributor, JobKind]:
    """Whose the job's kind is, and the kind; gives the context its actor. Raises Forbidden or XiangyueError when
    it may not run."""
    with runtime.uow(claim.tenant.id) as uow:
        found = next((pair for pair in offer_of(uow).each("jobs") if pair[1].key == claim.kind), None)
        if found is None:
            raise XiangyueError(_why_not(runtime, claim.kind))
        owner, kind = found
        job = uow.get(Job, claim.id)
        context.actor = job_actor(uow, job, tenant_area=claim.tenant.area_code)
    if kind.permission is not None and not context.actor.can(kind.permission):
        raise Forbidden(_l("Whoever started this work no longer has the right to it."))
    return owner, kind


def _why_not(runtime: Runtime, kind: str) -> Any:
    """Why a kind of job is none of this county's. A plugin's kinds begin with its name."""
    plugin = runtime.registry.installed.get(kind.partition(".")[0])
    if plugin is None:
        return _l("This kind of work (%(kind)s) is no longer installed.", kind=kind)
    if plugin.ready:
        return _l(
            "This work belongs to the plugin “%(plugin)s”, which is off in this county. Switch it on and repeat it.",
            plugin=plugin.label,
        )
    return _l(
        "This work belongs to the plugin “%(plugin)s”, which cannot be used now: %(reason)s",
        plugin=plugin.label,
        reason=plugin.reason,
    )


def retry_delay(attempt: int) -> float:
    """Seconds to wait after failed attempt number ``attempt`` (from 1)."""
    return RETRY_DELAYS[min(attempt, len(RETRY_DELAYS)) - 1]


def broken_text(claim: Claim, error: BaseException) -> str:
    """What people read of an error nobody foresaw: its kind only, since messages may quote personal data."""
    return _(
        "It broke off with an unexpected error (%(kind)s), %(n)d times. Nothing half done was kept. Repeat it; "
        "if it fails again, tell your administrator the number of this work: %(id)d.",
        kind=type(error).__name__,
        n=claim.attempt,
        id=claim.id,
    )


def _settle(
    context: JobContext,
    state: str,
    *,
    error: str = "",
    result: dict[str, Any] | None = None,
    delay: float = 0,
    counted: bool = True,
) -> str:
    """Write how the attempt ended, waiting for PostgreSQL for a while if it is away. Returns the state written."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            with context.runtime.uow(context.tenant_id) as uow:
                job = _locked(uow, context.job_id)
                if job is None or job.state != "running" or job.attempts != context.attempt:
                    return "lost"
                job.done, job.total, job.step = context.done, context.total, context.step
                if state != "queued":
                    job.result = result
                    end_job(uow, job, state, error=error)
                elif job.cancel_requested:
                    end_job(uow, job, "cancelled")
                else:
                    requeue_job(uow, job, delay=delay, counted=counted)
                return job.state
        except (OperationalError, InterfaceError) as away:
            if time.monotonic() > deadline:
                log.error("job_not_settled", state=state, error=type(away).__name__)
                return "lost"
            time.sleep(0.5)
