"""Several jobs at the same time: fair between counties, stopped and killed without a process or a job left over."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import select

from xiangyue.features.jobs.commands import worker
from xiangyue.jobs.models import Job, OutboxMessage
from xiangyue.jobs.outbox import relay
from xiangyue.jobs.pool import serve_pool
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import JobKind
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.homes import wait_until


def meet(context: Any) -> dict[str, int]:
    """Waits until as many of its kind run at the same time as it is told."""
    place, wanted = Path(context.params["place"]), int(context.params["wanted"])
    (place / str(context.job_id)).touch()
    deadline = time.monotonic() + 20
    while len(list(place.iterdir())) < wanted:
        if time.monotonic() > deadline:
            raise AssertionError("it was alone")
        context.stop.wait(0.02)
        context.check_cancelled()
    return {"worker": os.getppid()}


@pytest.fixture(autouse=True)
def kinds(runtime: Runtime, redis_server: str) -> Iterator[None]:
    original = runtime.registry.contributors
    offered = {"jobs": (JobKind("planted", "planted", meet, max_attempts=1),)}
    runtime.registry.take([Contributor("planted", sys.modules[__name__], offered=offered)])
    yield
    runtime.registry.take(original)
    client = Redis.from_url(redis_server)
    for key in client.scan_iter(f"rq:*{runtime.settings.instance}*"):
        client.delete(key)
    for tenant in runtime.directory.all():
        with runtime.uow(tenant.id) as uow:
            for model in (OutboxMessage, Job):
                for row in uow.session.scalars(select(model)):
                    uow.session.delete(row)


def enqueue(county: County, place: Path, *, wanted: int = 0) -> int:
    with county.uow() as uow:
        return enqueue_job(uow, kind="planted", params={"place": str(place), "wanted": wanted}).id


def jobs(county: County) -> list[Job]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(Job).order_by(Job.id)))


@pytest.mark.parametrize("by", ["option", "setting"])
def test_jobs_run_at_the_same_time(runtime: Runtime, hanyin: County, tmp_path: Path, by: str) -> None:
    for _ in range(2):
        enqueue(hanyin, tmp_path, wanted=2)
    told, arguments = runtime, ["--burst", "--processes", "2"]
    if by == "setting":
        told, arguments = Runtime(replace(runtime.settings, worker_processes=2)), ["--burst"]
        told.registry.take(runtime.registry.contributors)
    result = CliRunner().invoke(worker, arguments, obj=lambda: nullcontext(told))
    assert (result.exit_code, result.exception) == (0, None)
    done = jobs(hanyin)
    assert [job.state for job in done] == ["succeeded", "succeeded"]
    assert len({(job.result or {})["worker"] for job in done}) == 2


def test_a_county_with_many_jobs_does_not_take_every_process(
    runtime: Runtime, hanyin: County, tongyu: County, tmp_path: Path
) -> None:
    many = [enqueue(hanyin, tmp_path) for _ in range(30)]
    while relay(runtime, hanyin.info.id):
        pass
    few = [enqueue(tongyu, tmp_path) for _ in range(3)]
    serve_pool(runtime, 2, burst=True)
    theirs = [job.started_at for job in jobs(tongyu)]
    ours = [job.started_at for job in jobs(hanyin)]
    assert (len(theirs), len(ours)) == (len(few), len(many))
    assert {job.state for job in (*jobs(tongyu), *jobs(hanyin))} == {"succeeded"}
    # Each process takes one of each in turn: three of theirs have begun before many of ours have.
    before = [at for at in ours if at is not None and at < max(t for t in theirs if t is not None)]
    assert len(before) <= 8


@pytest.fixture
def pool(runtime: Runtime) -> Iterator[Callable[[], Any]]:
    """A pool of two in a process of its own, with what it started."""
    started: list[Any] = []

    def start() -> Any:
        process = multiprocessing.get_context("fork").Process(target=serve_pool, args=(runtime, 2))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.is_alive():
            process.kill()
        process.join(10)


def family(process: Any) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def running(county: County) -> int:
    return sum(job.state == "running" for job in jobs(county))


def test_stopped_it_gives_its_jobs_back_and_leaves_nothing(hanyin: County, tmp_path: Path, pool: Any) -> None:
    for _ in range(2):
        enqueue(hanyin, tmp_path, wanted=3)
    process = pool()
    wait_until(lambda: running(hanyin) == 2)
    everyone = family(process)
    assert len(everyone) == 4  # two workers, each with the child that does the job
    process.terminate()
    process.join(25)
    assert process.exitcode == 0
    assert gone(everyone)
    assert [(job.state, job.attempts) for job in jobs(hanyin)] == [("queued", 0), ("queued", 0)]


def test_a_dead_worker_is_started_again_and_a_killed_pool_leaves_none(
    hanyin: County, tmp_path: Path, pool: Any
) -> None:
    process = pool()
    wait_until(lambda: len(family(process)) == 2)
    first = family(process)[0]
    first.kill()
    wait_until(lambda: gone([first]) and len([p for p in family(process) if not gone([p])]) == 2)
    enqueue(hanyin, tmp_path)
    wait_until(lambda: jobs(hanyin)[0].state == "succeeded")
    everyone = family(process)
    process.kill()
    process.join(10)
    wait_until(lambda: gone(everyone))
