"""The sign of life that a container's probe looks at: it stays new while worker and scheduler come round."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xiangyue.config import Settings
from xiangyue.jobs.alive import SignOfLife
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.worker import serve
from xiangyue.runtime import Runtime

LONG_AGO = 1_000_000_000


def at_home(runtime: Runtime, home: Path, **changes: str) -> Runtime:
    return Runtime(replace(runtime.settings, home=home, **changes))


def test_a_worker_touches_its_file(runtime: Runtime, tmp_path: Path) -> None:
    own = at_home(runtime, tmp_path)

    serve(own, burst=True)

    assert (tmp_path / "run" / "worker.alive").is_file()


def test_a_worker_whose_queue_is_away_is_alive(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run" / "worker.alive"
    own = at_home(runtime, tmp_path, redis_url="redis://127.0.0.1:1/0")
    rounds: list[bool] = []

    def pause(_seconds: float) -> None:
        rounds.append(file.is_file())
        file.unlink()
        if len(rounds) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("xiangyue.jobs.worker.time.sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        serve(own)

    assert rounds == [True, True, True]


@pytest.mark.parametrize("change", [{}, {"database_url": "postgresql://nobody@127.0.0.1:1/none"}])
def test_a_scheduler_touches_its_file_also_without_database(
    runtime: Runtime, tmp_path: Path, change: dict[str, str]
) -> None:
    file = tmp_path / "run" / "scheduler.alive"
    own = at_home(runtime, tmp_path, **change)
    stop = threading.Event()
    thread = threading.Thread(target=Scheduler(own).run, args=(stop,))
    thread.start()
    try:
        until(file.is_file)
        os.utime(file, (LONG_AGO, LONG_AGO))
        until(lambda: file.stat().st_mtime > LONG_AGO)
    finally:
        stop.set()
        thread.join()
        own.engine.dispose()


def test_a_folder_that_cannot_be_written_stops_no_work(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, no folder")
    life = SignOfLife(replace(Settings.load({}), home=tmp_path), "worker")

    life.beat()
    life.beat()

    assert not life.path.exists()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("did not come about in time")
