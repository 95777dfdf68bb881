"""A live instance for browser tests: gunicorn, worker and scheduler as processes of their own, and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from xiangyue.runtime import Runtime

ROOT = Path(__file__).resolve().parents[3]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def wait_for(condition: Callable[[], Any], *, seconds: float = 30.0, what: str = "the condition") -> Any:
    """Poll until ``condition()`` is true and return its value; TimeoutError names ``what`` otherwise."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not come about within {seconds:g} s")


@dataclass
class LiveServer:
    """Addresses of a running instance. ``log`` is the file all its processes write to."""

    port: int
    log: Path

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def answers(self, path: str = "/readyz") -> bool:
        """Whether this address answers 200 now."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(runtime: Runtime, port: int) -> dict[str, str]:
    s = runtime.settings
    return {
        **os.environ,
        "XIANGYUE_HOME": str(s.home),
        "XIANGYUE_DATABASE_URL": s.database_url,
        "XIANGYUE_MIGRATION_DATABASE_URL": s.migration_database_url,
        "XIANGYUE_REDIS_URL": s.redis_url,
        "XIANGYUE_PORT": str(port),
        "XIANGYUE_PLUGINS": ",".join(s.plugins),
        "XIANGYUE_WEB_WORKERS": "1",
        "XIANGYUE_INSTANCE": runtime.settings.cookie_suffix,
    }


@pytest.fixture(scope="module")
def live(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The module's runtime, served: one web worker, one job worker, the scheduler."""
    with serve(runtime, tmp_path_factory.mktemp("live") / "processes.log") as server:
        yield server


@contextmanager
def serve(
    runtime: Runtime, log: Path, *, ready: str = "/readyz", extra: Mapping[str, str] | None = None
) -> Iterator[LiveServer]:
    """The processes of an instance on ``runtime``'s database, ended at exit.

    ``extra`` are environment variables that go before the runtime's own settings; ``ready`` is the address that must
    answer 200 before anybody may come in. Raises RuntimeError with the log's end when a process ends early.
    """
    port = _free_port()
    binaries = Path(sys.executable).parent
    commands = [
        [str(binaries / "gunicorn"), "-c", "python:xiangyue.gunicorn_conf", "xiangyue.wsgi:app"],
        [str(binaries / "xiangyue"), "worker"],
        [str(binaries / "xiangyue"), "scheduler"],
    ]
    server = LiveServer(port, log)
    environment = {**_environment(runtime, port), **(extra or {})}
    processes: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as output:
        try:
            for command in commands:
                processes.append(
                    subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
                )
            # On a busy machine three processes take their time; one that ended is noticed at once.
            wait_for(lambda: _ready(server, ready, processes), seconds=180, what="the live server")
            yield server
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _ready(server: LiveServer, path: str, processes: list[subprocess.Popen[bytes]]) -> bool:
    if any(process.poll() is not None for process in processes):
        raise RuntimeError(f"a process ended early:\n{server.log.read_text(errors='replace')[-3000:]}")
    return server.answers(path)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of the machine, headless; ``make test`` installs it where it can."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium on this machine: run `make browser`")
    arguments = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=[*arguments, "--disable-sync"])
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """``new_page(width=1440, locale="zh-CN")``: a page in a browser context of its own; closed after the test."""
    contexts = []

    def make(width: int = 1440, height: int = 900, locale: str = "zh-CN") -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    yield make
    for context in contexts:
        context.close()
