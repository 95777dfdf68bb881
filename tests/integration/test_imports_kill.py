"""An import whose worker is killed outright is done again: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from imports_kit import batch_of, checked, commit, empty, job_of, register, synthetic
from sqlalchemy import update

from xiangyue.features.imports import service
from xiangyue.jobs.models import Job
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.worker import serve
from xiangyue.local.plan import environ_of
from xiangyue.testing.fixtures import County


@pytest.fixture
def worker(hanyin: County) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as a process of its own; killed with its children at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "xiangyue.cli", "worker"],
        env=environ_of(hanyin.runtime.settings),
        start_new_session=True,
    )
    yield process
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and the child that does the job, at once and without a word."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            os.kill(member.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    gate = psutil.Process()
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        gate.cpu_percent(interval=0.05)


def test_kill_9_in_the_writing_and_a_second_run_give_the_register_of_an_undisturbed_one(
    hanyin: County, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    data = synthetic(hanyin, tmp_path, 4500).read_bytes()
    nothing = register(hanyin)
    batch = checked(hanyin, data)
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    until(lambda: job_of(hanyin, batch.id).done > 0)
    job = job_of(hanyin, batch.id)
    assert job.state == "running"
    kill(worker)
    assert register(hanyin) == nothing
    assert batch_of(hanyin, batch.id).state == "committing"
    # A minute without a heartbeat, without waiting for it.
    long_ago = datetime.now(UTC) - timedelta(seconds=61)
    with hanyin.uow() as uow:
        uow.session.execute(update(Job).where(Job.id == job.id).values(heartbeat_at=long_ago))
    assert Scheduler(hanyin.runtime).tick()
    serve(hanyin.runtime, burst=True)
    resumed = batch_of(hanyin, batch.id)
    assert resumed.state == "committed"
    assert job_of(hanyin, batch.id).attempts == 2
    after_the_kill = register(hanyin)
    empty(hanyin)
    assert register(hanyin) == nothing
    assert commit(hanyin, checked(hanyin, data)).state == "committed"
    assert register(hanyin) == after_the_kill
    assert after_the_kill[1] == 4500


def test_a_worker_that_is_told_to_stop_gives_its_import_back(
    hanyin: County, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    empty(hanyin)
    nothing = register(hanyin)
    batch = checked(hanyin, synthetic(hanyin, tmp_path, 4500).read_bytes())
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    until(lambda: job_of(hanyin, batch.id).done > 0)
    worker.terminate()
    assert worker.wait(20) == 0
    job = job_of(hanyin, batch.id)
    assert (job.state, job.attempts) == ("queued", 0)
    assert register(hanyin) == nothing
    serve(hanyin.runtime, burst=True)
    assert batch_of(hanyin, batch.id).state == "committed"
    assert register(hanyin)[1] == 4500
