"""What the benchmarks run against: embedded servers, a gunicorn of ours, a gunicorn of the bare reference."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from xiangyue.config import Settings

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    started_in: float

    def worker_memory(self) -> float:
        """Largest worker's resident memory in MiB."""
        return max(self.memory_of_workers())

    def memory_of_workers(self) -> list[float]:
        """Resident memory of each worker in MiB, shared libraries included."""
        children = psutil.Process(self.process.pid).children()
        return [child.memory_info().rss / 2**20 for child in children]


def environment(settings: Settings, port: int) -> dict[str, str]:
    """For a process of ours: this one's surroundings and the settings that matter."""
    return {
        **os.environ,
        "XIANGYUE_HOME": str(settings.home),
        "XIANGYUE_DATABASE_URL": settings.database_url,
        "XIANGYUE_MIGRATION_DATABASE_URL": settings.migration_database_url,
        "XIANGYUE_REDIS_URL": settings.redis_url,
        "XIANGYUE_PORT": str(port),
        "XIANGYUE_PLUGINS": ",".join(settings.plugins),
        "XIANGYUE_API_REQUESTS_PER_MINUTE": "1000000000",  # counted as in earnest, never reached
        "XIANGYUE_LOG_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "core")]),
        "XIANGYUE_INSTANCE": settings.instance,
    }


@contextmanager
def gunicorn(app: str, settings: Settings, **extra: str) -> Iterator[Server]:
    """A gunicorn with the product's own configuration (worker class gevent, two workers), until it answers."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("gunicorn")),
        "-c",
        "python:xiangyue.gunicorn_conf",
        app,
    ]
    begin = time.perf_counter()
    process = subprocess.Popen(command, env={**environment(settings, port), **extra}, cwd=settings.home)
    try:
        _wait(process, port)
        yield Server(process, port, time.perf_counter() - begin)
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError("gunicorn did not answer within 30 s")
