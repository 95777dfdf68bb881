"""``import_roster``: 100,000 persons from upload to register by the real worker, against COPY into a bare table."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.import_plain import cells_of, copied
from bench.measure import Result, paired
from bench.stage import Stage
from xiangyue.access.actor import system_actor
from xiangyue.features.imports import commands, service
from xiangyue.features.imports.models import ImportBatch
from xiangyue.jobs.models import Job
from xiangyue.local.plan import environ_of
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo

#: ``XIANGYUE_ROWS`` makes a smaller one to look at.
ROWS = int(os.environ.get("XIANGYUE_ROWS") or 100_000)
ROUNDS = 3
WANTED, MEMORY = 8_000, 400
_TEMPLATE = "bench_roster"


def import_roster(stage: Stage) -> Result:
    stage.empty_counties(_TEMPLATE)
    file = stage.settings.home / "roster100.xlsx"
    with stage.copy_of(_TEMPLATE) as runtime:
        rows = commands.make_roster(runtime, _county(runtime), file, households=ROWS * 4 // 10, seed=1)
        rows = commands.make_roster(runtime, _county(runtime), file, households=ROWS * 4 // 10 * ROWS // rows, seed=1)
    cells = cells_of(file.read_bytes())
    runs: list[_Run] = []

    def ours() -> float:
        with stage.copy_of(_TEMPLATE) as runtime:
            runs.append(_Run(runtime, file, rows))
        return rows / runs[-1].seconds

    result = paired(
        "import_roster",
        ours,
        lambda: rows / copied(stage, cells),
        unit="rows/s",
        rounds=ROUNDS,
        about={
            "ours": "upload of the file, check (every cell, grouping, dry run against the register), writing of"
            " households, persons, memberships, marks, incomes, villager groups and search rows; by a worker of its"
            " own, as deployed; into an empty county",
            "reference": f"COPY of the same {len(cells[0])} columns as text, from memory into an unindexed table"
            " without row-level security, as the owning role",
            "rows": f"{rows:,} persons, one .xlsx of {file.stat().st_size // 1024:,} KiB",
            "wanted": f"{WANTED:,} rows/s, and the worker with its child under {MEMORY} MiB",
            **{key: value for key, value in stage.versions.items() if key != "web workers"},
        },
    )
    measured = runs[1:]  # the first is to warm up
    result.about["seconds by step (medians)"] = ", ".join(
        f"{step} {sorted(run.steps.get(step, 0.0) for run in measured)[len(measured) // 2]:.1f}"
        for step in ("upload", "check", "writing")
    )
    result.about["memory of the worker"] = (
        f"{max(run.memory for run in measured):.0f} MiB resident at most in the child that does the job; worker and"
        f" child together {max(run.together for run in measured):.0f} MiB without counting shared pages twice"
    )
    return result


class _Run:
    """One import by a worker: seconds in all and by step, MiB."""

    def __init__(self, runtime: Runtime, file: Path, rows: int) -> None:
        self.runtime, self.county = runtime, _county(runtime)
        self.steps: dict[str, float] = {}
        self.memory = self.together = 0.0
        with self._worker() as worker:
            end = threading.Event()
            watch = threading.Thread(target=self._watch, args=(worker, end))
            watch.start()
            try:
                begin = time.perf_counter()
                with self._uow() as uow, file.open("rb") as stream:
                    batch = service.upload_roster(
                        uow, runtime.storage, stream=stream, name=file.name, source="bench", purpose="bench"
                    ).id
                self._mark("upload", begin)
                checked = self._until(batch, "checked")
                self._mark("check", begin)
                with self._uow() as uow:
                    service.request_commit(uow, batch_id=batch, version=checked.version)
                done = self._until(batch, "committed")
                self._mark("writing", begin)
                self.seconds = time.perf_counter() - begin
            finally:
                end.set()
                watch.join()
        assert done.counts["written"]["persons_new"] == rows, done.counts

    def _mark(self, step: str, begin: float) -> None:
        self.steps[step] = time.perf_counter() - begin - sum(self.steps.values())

    def _uow(self) -> Any:
        return self.runtime.uow(self.county.id, actor=system_actor(self.county.id))

    def _until(self, id: int, state: str) -> ImportBatch:
        while True:
            with self._uow() as uow:
                batch: ImportBatch = uow.get(ImportBatch, id)
                job = uow.get(Job, batch.job_id)
                assert job.state not in ("failed", "cancelled"), job.error
                assert job.attempts <= 1, "it broke off once"
                assert batch.state not in ("failed", "mapping"), batch.problem
            # The job's end is written a moment after the batch's.
            if batch.state == state and job.state == "succeeded":
                return batch
            time.sleep(0.1)

    @contextmanager
    def _worker(self) -> Iterator[psutil.Process]:
        settings = self.runtime.settings
        with subprocess.Popen([sys.executable, "-m", "xiangyue.cli", "worker"], env=environ_of(settings)) as process:
            time.sleep(3)  # it starts once for many imports
            try:
                yield psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(30)

    def _watch(self, worker: psutil.Process, end: threading.Event) -> None:
        """Seldom enough not to be in the way: a look at shared pages costs milliseconds."""
        looks = 0
        while not end.wait(0.2):
            looks += 1
            try:
                children = worker.children(recursive=True)
                self.memory = max([self.memory, *(child.memory_info().rss / 2**20 for child in children)])
                if looks % 5 == 0:
                    shares = [one.memory_full_info().pss for one in (worker, *children)]
                    self.together = max(self.together, sum(shares) / 2**20)
            except psutil.NoSuchProcess:
                continue


def _county(runtime: Runtime) -> TenantInfo:
    found = runtime.directory.by_slug("hanyin")
    assert found is not None
    return found
