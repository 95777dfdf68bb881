"""An import whose worker is killed outright is done again: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from imports_kit import batch_of, checked, empty, job_of, register, synthetic

from bench.killing import KINDS, Killing
from bench.stage import Stage
from xiangyue.features.imports import service
from xiangyue.features.imports.commands import make_roster
from xiangyue.jobs.worker import serve
from xiangyue.local.plan import environ_of
from xiangyue.testing.fixtures import County

#: Names the moments of this run; another time it is others.
SEED = int(os.environ.get("XIANGYUE_SEED") or random.SystemRandom().randrange(10**6))
HOUSEHOLDS = 400


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


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    """An import of some thousand rows on servers of its own, with fsync as in a deployment."""
    stage = Stage()
    file = tmp_path_factory.mktemp("roster") / "roster.xlsx"
    try:
        make_roster(stage.runtime, stage.county(), file, households=HOUSEHOLDS, seed=1)
        made = Killing(stage, file, SEED)
        try:
            yield made
        finally:
            made.close()
    finally:
        stage.close()


@pytest.mark.parametrize("number", range(5))
def test_an_import_that_is_killed_at_any_moment_leaves_the_register_of_an_undisturbed_one(
    killing: Killing, number: int
) -> None:
    print(f"seed {SEED}", killing.point(KINDS[number % 2]))


def test_a_cancelled_import_leaves_no_row(killing: Killing) -> None:
    print(f"seed {SEED}", killing.cancel())


def test_a_worker_that_is_told_to_stop_gives_its_import_back(
    hanyin: County, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    empty(hanyin)
    nothing = register(hanyin)
    batch = checked(hanyin, synthetic(hanyin, tmp_path, 6000).read_bytes())
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    until(lambda: job_of(hanyin, batch.id).done > 0)
    worker.terminate()
    assert worker.wait(60) == 0
    job = job_of(hanyin, batch.id)
    assert (job.state, job.attempts) == ("queued", 0)
    assert register(hanyin) == nothing
    serve(hanyin.runtime, burst=True)
    assert batch_of(hanyin, batch.id).state == "committed"
    assert register(hanyin)[1] == 6000
