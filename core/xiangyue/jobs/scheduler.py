"""The scheduler: sends what waits in the outbox, finds jobs whose worker died, starts recurring work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import redis
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.jobs.alive import SignOfLife
from xiangyue.jobs.models import Job, OutboxMessage
from xiangyue.jobs.outbox import JOB_TOPIC, relay
from xiangyue.jobs.queues import is_waiting
from xiangyue.jobs.service import end_job, enqueue_job, requeue_job
from xiangyue.plugin.registry import Schedule
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy.directory import TenantInfo

log = structlog.get_logger()

#: A running job without a heartbeat for so long has lost its worker.
STALE_SECONDS = 60.0
#: A queued job whose message left so long ago is looked for in the queue: Redis may have lost it, or a worker that died
#: with it before it had claimed the job.
FORGOTTEN_SECONDS = 300.0
#: Advisory lock of the one scheduler that acts; held for the length of a round.
LOCK_KEY = 0x7869_616E_6779_7565

TICK_SECONDS = 1.0
_EVERY = {"relay": 1.0, "stale": 10.0, "forgotten": 60.0, "schedules": 10.0}


class Scheduler:
    """``tick()`` does what is due; ``run(stop)`` ticks every second. ``clock`` gives seconds since 1970."""

    def __init__(self, runtime: Runtime, *, clock: Callable[[], float] = time.time) -> None:
        self.runtime = runtime
        self.clock = clock
        self._due: dict[str, float] = {}
        #: Last slot of a schedule known to be started, by (tenant, schedule): spares a query per round.
        self._started: dict[tuple[int, str], int] = {}

    def run(self, stop: Event) -> None:
        """Until ``stop`` is set. PostgreSQL or Redis away: the next round tries again."""
        life = SignOfLife(self.runtime.settings, "scheduler")
        while not stop.is_set():
            life.beat()
            try:
                self.tick()
            except SQLAlchemyError as error:
                log.warning("scheduler_round_missed", error=type(error).__name__)
            stop.wait(TICK_SECONDS)

    def tick(self) -> bool:
        """One round over all active tenants; False when another scheduler is at it."""
        with self._alone() as alone:
            if not alone:
                return False
            due = [part for part in _EVERY if self._due.get(part, 0.0) <= self.clock()]
            for tenant in self.runtime.directory.all():
                if tenant.state == "active":
                    for part in due:
                        self._part(part, tenant)
            for part in due:
                self._due[part] = self.clock() + _EVERY[part]
        return True

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        # A lock of the transaction, not of the session: that one would not survive a pooler.
        with self.runtime.engine.begin() as connection:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK_KEY))))

    def _part(self, part: str, tenant: TenantInfo) -> None:
        act: dict[str, Callable[[TenantInfo], object]] = {
            "relay": lambda t: relay(self.runtime, t.id),
            "stale": self.recover_stale,
            "forgotten": self.resend_forgotten,
            "schedules": self.start_due,
        }
        try:
            act[part](tenant)
        except (SQLAlchemyError, redis.RedisError) as error:
            log.warning("scheduler_part_missed", part=part, tenant=tenant.id, error=type(error).__name__)

    def recover_stale(self, tenant: TenantInfo) -> int:
        """Running jobs without heartbeat wait again, or have failed when their attempts are used up."""
        limit = datetime.now(UTC) - timedelta(seconds=STALE_SECONDS)
        statement = (
            select(Job).where(Job.state == "running", Job.heartbeat_at < limit).with_for_update(skip_locked=True)
        )
        with self.runtime.uow(tenant.id) as uow:
            jobs = uow.session.scalars(statement).all()
            for job in jobs:
                log.warning("job_stale", tenant=tenant.id, job=job.id, attempt=job.attempts)
                if job.cancel_requested:
                    end_job(uow, job, "cancelled")
                elif job.attempts < job.max_attempts:
                    requeue_job(uow, job)
                else:
                    with in_locale(job.locale):
                        error = _(
                            "The worker that did it ended without a word, %(n)d times. Nothing half done was "
                            "kept. Repeat it; if it fails again, tell your administrator.",
                            n=job.attempts,
                        )
                    end_job(uow, job, "failed", error=error)
        return len(jobs)

    def resend_forgotten(self, tenant: TenantInfo) -> int:
        """Messages of waiting jobs that left long ago and are not on the queue any more are sent again."""
        limit = datetime.now(UTC) - timedelta(seconds=FORGOTTEN_SECONDS)
        newest = (
            select(func.max(OutboxMessage.id))
            .where(
                OutboxMessage.topic == JOB_TOPIC,
                OutboxMessage.payload["job_id"].as_integer() == Job.id,
                OutboxMessage.tenant_id == Job.tenant_id,
            )
            .correlate(Job)
            .scalar_subquery()
        )
        statement = select(OutboxMessage).where(
            OutboxMessage.id.in_(select(newest).where(Job.state == "queued")),
            OutboxMessage.sent_at < limit,
        )
        with self.runtime.uow(tenant.id) as uow:
            lost = [m for m in uow.session.scalars(statement) if not is_waiting(self.runtime, tenant.id, m.id)]
            for message in lost:
                message.sent_at = None
        return relay(self.runtime, tenant.id) if lost else 0

    def start_due(self, tenant: TenantInfo) -> int:
        """Jobs of the schedules whose period has come; each period at most one, however many schedulers there were."""
        return sum(self._start(tenant, schedule) for schedule in self._schedules(tenant))

    def _schedules(self, tenant: TenantInfo) -> list[Schedule]:
        """The core's, and those of the plugins that are on in the county."""
        registry = self.runtime.registry
        if all(contributor.core for contributor, _schedule in registry.each("schedules")):
            return registry.schedules
        with self.runtime.uow(tenant.id) as uow:
            return offer_of(uow).schedules

    def _start(self, tenant: TenantInfo, schedule: Schedule) -> int:
        slot = int(self.clock() // schedule.every_seconds)
        if self._started.get((tenant.id, schedule.key), -1) >= slot:
            return 0
        with self.runtime.uow(tenant.id) as uow, in_locale(tenant.locale):
            params = {"schedule": schedule.key, "slot": slot}
            done = uow.session.scalars(
                select(Job.id)
                .where(
                    Job.kind == schedule.job_kind,
                    Job.params["schedule"].as_string() == schedule.key,
                    Job.params["slot"].as_integer() >= slot,
                )
                .limit(1)
            ).one_or_none()
            if done is None:
                # While the one of the period before still runs, this one is left out.
                enqueue_job(uow, kind=schedule.job_kind, params=params, unique_key=f"schedule:{schedule.key}")
        self._started[(tenant.id, schedule.key)] = slot
        return int(done is None)
