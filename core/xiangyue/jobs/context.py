"""What a running job holds: its parameters, units of work, progress, and the questions "shall I go on?"."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from xiangyue.access.actor import Actor
from xiangyue.db.uow import Uow
from xiangyue.i18n import LazyText
from xiangyue.jobs.models import Job
from xiangyue.runtime import Runtime

log = structlog.get_logger()

#: Seconds between two looks at the job row: progress is written, and a wish to cancel is seen, this often.
PULSE_SECONDS = 0.5
#: Without news the heartbeat is written this often.
HEARTBEAT_SECONDS = 5.0


class JobCancelled(Exception):
    """Somebody asked to stop the job: undo and end."""


class JobInterrupted(Exception):
    """The worker is being stopped: undo; the job goes back to the queue."""


class JobLost(Exception):
    """The job was given to another worker meanwhile: undo and write nothing more."""


class JobContext:
    """Given to ``JobKind.run``. ``uow()`` opens units of work as the job's actor; the job commits by leaving them."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        tenant_id: int,
        job_id: int,
        params: dict[str, Any],
        actor: Actor,
        attempt: int = 1,
        stop: threading.Event | None = None,
    ) -> None:
        self.runtime = runtime
        self.tenant_id = tenant_id
        self.job_id = job_id
        self.params = params
        self.actor = actor
        self.attempt = attempt
        self.step: str = ""
        self.done = 0
        self.total = 0
        self.stop = stop or threading.Event()
        self.cancelled = threading.Event()
        self.lost = threading.Event()

    @contextmanager
    def uow(self) -> Iterator[Uow]:
        """A new unit of work: committed at the end, rolled back on any error (a cancel is one)."""
        with self.runtime.uow(self.tenant_id, actor=self.actor) as uow:
            yield uow

    def progress(self, done: int, total: int, step: LazyText | str = "") -> None:
        """Say how far the work is (``done`` of ``total`` units) and what it does now; cheap, call it often.

        ``step`` is an English message id (or a lazy text without values); "" keeps the last one.
        """
        self.done, self.total = int(done), int(total)
        if step:
            self.step = str(step.message if isinstance(step, LazyText) else step)

    def check_cancelled(self) -> None:
        """Raise when the job must not go on: JobCancelled, JobInterrupted or JobLost. Call it between chunks."""
        if self.lost.is_set():
            raise JobLost
        if self.cancelled.is_set():
            raise JobCancelled
        if self.stop.is_set():
            raise JobInterrupted


class Pulse:
    """A thread that writes progress and heartbeat in short transactions of its own and brings back bad news."""

    def __init__(self, context: JobContext, *, parent: int | None = None) -> None:
        self._context = context
        self._parent = parent
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-pulse", daemon=True)
        self._written: tuple[Any, ...] = ()
        self._last = 0.0

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(PULSE_SECONDS):
            if self._parent is not None and os.getppid() != self._parent:
                self._context.stop.set()  # the worker was killed; a job without one must not run on alone
            try:
                self._beat()
            except SQLAlchemyError as error:
                log.warning("job_pulse_missed", job=self._context.job_id, error=type(error).__name__)

    def _beat(self) -> None:
        context = self._context
        values = (context.done, context.total, context.step)
        changes: dict[str, Any] = {}
        if values != self._written or time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            changes = {"heartbeat_at": func.now(), **dict(zip(("done", "total", "step"), values, strict=True))}
        with context.runtime.uow(context.tenant_id) as uow:
            wanted = _look(uow, context, changes)
        if wanted is None:
            context.lost.set()
        elif wanted:
            context.cancelled.set()
        if changes:
            self._written, self._last = values, time.monotonic()


def _look(uow: Uow, context: JobContext, changes: dict[str, Any]) -> bool | None:
    """Whether a cancel is wanted; None when the row is no longer this attempt's."""
    mine = (Job.id == context.job_id, Job.state == "running", Job.attempts == context.attempt)
    if changes:
        statement: Any = update(Job).where(*mine).values(changes).returning(Job.cancel_requested)
    else:
        statement = select(Job.cancel_requested).where(*mine)
    found: bool | None = uow.session.scalars(statement, execution_options={"synchronize_session": False}).one_or_none()
    return found


#: What ``JobKind.run`` is.
Run = Callable[[JobContext], dict[str, Any] | None]
