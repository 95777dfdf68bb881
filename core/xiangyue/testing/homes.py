"""For tests of the machine's own servers: homes, programs run as processes, and waiting with a deadline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from xiangyue.local import processes
from xiangyue.local.servers import EmbeddedServers


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Poll until ``condition()`` holds; an AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def server_processes(home: Path) -> list[psutil.Process]:
    """Live processes of the servers of ``home``, whoever started them."""
    return [*processes.working_in(home / "postgres" / "data"), *processes.working_in(home / "redis")]


@contextmanager
def script(source: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Python source run as a process; what still runs at the end of the block is killed."""
    command = [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """The lines a process prints, up to and with ``wanted``; an AssertionError if it ends before."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == wanted:
            return lines
    raise AssertionError(f"ended without {wanted!r}:\n" + "\n".join(lines))


def _stop(home: Path) -> None:
    if (home / "run").exists():
        servers = EmbeddedServers(home, fast=True)
        servers.redis.stop()
        servers.postgres.stop()
        servers.layout.discard_sockets()


@pytest.fixture(scope="session")
def prepared_home() -> Iterator[Path]:
    """A home whose servers ran once, and which tests use in turn: making one is what takes the time."""
    # Not in pytest's own folder, which the servers' system user could not enter.
    root = Path(tempfile.mkdtemp(prefix="xy-", dir=tempfile.gettempdir()))
    root.chmod(0o711)
    servers = EmbeddedServers(root / "home", fast=True)
    servers.join()
    servers.leave()
    yield servers.layout.home
    shutil.rmtree(root)


@pytest.fixture
def homes(prepared_home: Path) -> Iterator[Callable[..., Path]]:
    """``homes()`` is the prepared home (stopped), ``homes("name")`` a copy of it, ``fresh=True`` an empty one.

    After the test nothing runs in any of them.
    """
    root = Path(tempfile.mkdtemp(prefix="xy-", dir=tempfile.gettempdir()))
    root.chmod(0o711)
    (prepared_home / "demo-ready").unlink(missing_ok=True)
    made = [prepared_home]

    def make(name: str = "", *, fresh: bool = False) -> Path:
        if not name:
            return prepared_home
        made.append(root / name)
        if not fresh:
            subprocess.run(["cp", "-a", prepared_home, made[-1]], check=True)
        return made[-1]

    yield make
    for home in made:
        _stop(home)
    shutil.rmtree(root)
