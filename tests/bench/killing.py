"""An import in whose middle the worker or the database is killed, and what becomes of it.

A worker runs as a process of its own, as in a deployment; this process is the person at the page and the scheduler.
Waiting times that a deployment has (a minute without a heartbeat, seconds before the next attempt, minutes until a
lost message is sent again) are cut short, nothing else is helped along.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from bench.stage import Stage
from register_kit import checksum
from xiangyue.access.actor import system_actor
from xiangyue.features.imports import service, undoing
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.queries import batch_job
from xiangyue.jobs.models import Job, OutboxMessage
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.service import request_cancel
from xiangyue.local.plan import environ_of

KINDS = ("worker", "database")
#: An import that takes longer than this after a kill is lost.
DEADLINE = 300.0
_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Point:
    """Where it was killed: ``state`` of the batch then; ``seconds`` until all was done after the kill."""

    kind: str
    state: str
    attempts: int
    seconds: float


class Killing:
    """One roster, imported and undone again and again in one county."""

    def __init__(self, stage: Stage, file: Path, seed: int) -> None:
        self.stage, self.file = stage, file
        self.runtime, self.county = stage.runtime, stage.county()
        self.rng = random.Random(seed)
        self.worker: subprocess.Popen[bytes] | None = None
        self.nothing = self.checksum()
        self.worker_start()
        batch = self.upload()
        # The worker's own start is no part of an import.
        self.wait(lambda: self.batch(batch).state != "uploaded")
        begin = time.monotonic()
        self.until(batch, "committed")
        #: What the register is to be each time, and how long an import takes from the upload to the end of its undo.
        self.wanted = self.checksum()
        self.until(batch, "undone")
        self.length = time.monotonic() - begin
        assert self.checksum() == self.nothing, "the undo left something"
        assert self.wanted != self.nothing

    # -- one import

    def point(self, kind: str | None = None) -> Point:
        """Kill at a random moment of an import; afterwards all must be as without it. Raises AssertionError."""
        kind = kind or self.rng.choice(KINDS)
        moment = self.rng.uniform(0.0, self.length)
        batch, begin = self.upload(), time.monotonic()
        killed: list[tuple[str, float]] = []

        def strike() -> None:
            if not killed and time.monotonic() - begin >= moment:
                killed.append((self.batch(batch).state, time.monotonic()))
                self.kill(kind)

        self.until(batch, "committed", strike)
        assert self.checksum() == self.wanted, f"the register differs after a kill of the {kind}"
        self.until(batch, "undone", strike)
        if not killed:
            strike_late = time.monotonic()
            killed.append(("undone", strike_late))
            self.kill(kind)
        assert self.checksum() == self.nothing, f"the undo left something after a kill of the {kind}"
        state, at = killed[0]
        return Point(kind, state, self.job(batch).attempts, time.monotonic() - at)

    def cancel(self) -> str:
        """Cancel at a random moment of check or writing; no row may stay. Returns the batch's state then."""
        moment = self.rng.uniform(0.0, self.length / 2)
        batch, begin = self.upload(), time.monotonic()
        while time.monotonic() - begin < moment and self.batch(batch).state != "committed":
            self.go_on(batch, "committed")
            time.sleep(_STEP)
        state = self.batch(batch).state
        with self.uow() as uow:
            job = batch_job(uow, uow.get(ImportBatch, batch))
            assert job is not None
            request_cancel(uow, job_id=job.id)
        self.wait(lambda: self.job(batch).state in ("succeeded", "cancelled", "failed"))
        if self.batch(batch).state == "committed":
            self.until(batch, "undone")  # too late: it was written
        assert self.checksum() == self.nothing, "a cancelled import left rows"
        return state

    def upload(self) -> int:
        with self.uow() as uow, self.file.open("rb") as stream:
            batch = service.upload_roster(
                uow, self.runtime.storage, stream=stream, name=self.file.name, source="bench", purpose="bench"
            )
            return batch.id

    def until(self, batch: int, state: str, each: Callable[[], None] = lambda: None) -> None:
        """Do what a person and the scheduler do until the batch is there."""

        def there() -> bool:
            each()
            self.go_on(batch, state)
            # Search rows are kept right after everything else, and an import's end is its job's.
            return self.batch(batch).state == state and self.job(batch).state == "succeeded"

        self.wait(there)

    def go_on(self, batch: int, state: str) -> None:
        found = self.batch(batch)
        assert found.state not in ("failed", "cancelled"), (found.state, found.problem, self.job(batch).error)
        job = self.job(batch)
        assert job.state != "failed", job.error
        with self.uow() as uow:
            if found.state == "checked" and job.state == "succeeded":
                service.request_commit(uow, batch_id=batch, version=found.version)
            elif found.state == "committed" and state == "undone" and job.state == "succeeded":
                undoing.request_undo(uow, batch_id=batch, version=found.version)

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        ticked = 0.0
        while True:
            with suppress(DBAPIError):
                if done():
                    return
            if time.monotonic() - ticked > 0.5:
                ticked = time.monotonic()
                with suppress(DBAPIError):
                    self.hurry()
                    Scheduler(self.runtime).tick()
            assert time.monotonic() < deadline, "the import did not go on"
            time.sleep(_STEP)

    def hurry(self) -> None:
        """Take away the seconds before the next attempt, and the minutes until a message that went down with the
        worker or could not be read is sent again."""
        long_ago = datetime.now(UTC) - timedelta(seconds=301)
        with self.uow() as uow:
            waiting = select(Job.id).where(Job.state == "queued")
            uow.session.execute(
                update(OutboxMessage)
                .where(
                    OutboxMessage.sent_at.is_not(None),
                    OutboxMessage.payload["job_id"].as_integer().in_(waiting),
                )
                .values(sent_at=long_ago),
                execution_options={"synchronize_session": False},
            )
            uow.session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.sent_at.is_(None), OutboxMessage.payload.has_key("not_before"))
                .values(payload=OutboxMessage.payload.op("-")("not_before")),
                execution_options={"synchronize_session": False},
            )

    # -- kills

    def kill(self, kind: str) -> None:
        """At once and without a word; what a supervisor starts again is started again."""
        if kind == "worker":
            self.worker_kill()
            # A minute without a heartbeat, without waiting for it.
            long_ago = datetime.now(UTC) - timedelta(seconds=61)
            with self.uow() as uow:
                uow.session.execute(
                    update(Job).where(Job.state == "running").values(heartbeat_at=long_ago),
                    execution_options={"synchronize_session": False},
                )
            self.worker_start()
            return
        postgres = self.stage.servers.postgres
        postmaster = postgres.postmaster()
        assert postmaster is not None
        postmaster.send_signal(signal.SIGQUIT)  # an immediate stop: no session ends, nothing is written out
        postmaster.wait(30)
        self.stage.servers.revive()

    def worker_start(self) -> None:
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "xiangyue.cli", "worker"],
            env=environ_of(self.runtime.settings),
            start_new_session=True,
        )

    def worker_kill(self) -> None:
        """The worker and the child that does the job."""
        process, self.worker = self.worker, None
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        process.wait()

    close = worker_kill

    # -- reading

    def uow(self) -> Any:
        return self.runtime.uow(self.county.id, actor=system_actor(self.county.id))

    def batch(self, id: int) -> ImportBatch:
        with self.uow() as uow:
            found: ImportBatch = uow.get(ImportBatch, id)
            return found

    def job(self, batch: int) -> Job:
        with self.uow() as uow:
            found = batch_job(uow, uow.get(ImportBatch, batch))
            assert found is not None
            return found

    def checksum(self) -> tuple[str, int]:
        return checksum(self.runtime.settings.migration_database_url, self.county.id)
