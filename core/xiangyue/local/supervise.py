"""``xiangyue demo``: one supervisor that prepares everything, runs it, and leaves no process behind.

Signals only set a flag, looked at between and during all steps: a stop while starting unwinds like any other.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from xiangyue.config import Settings, SettingsError
from xiangyue.local.children import Child, Program, end_process, open_process
from xiangyue.local.layout import open_log, prepare_home
from xiangyue.local.locks import FileLock
from xiangyue.local.plan import Plan, banner, demo_plan, environ_of
from xiangyue.local.problems import LocalServerError, log_tail
from xiangyue.local.servers import EmbeddedServers, joined

__all__ = ["banner", "serve_demo", "supervise"]

READY_SECONDS = 180.0
EARLY_DEATHS = 3
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked us to end."""


def serve_demo(settings: Settings) -> int:
    """Run the whole demo until Ctrl-C or SIGTERM. Returns the exit status: 0 once stopped, 1 if it failed."""
    try:
        plan = demo_plan(settings)
    except SettingsError as error:
        say(str(error))
        return 1
    return supervise(replace(settings, demo=True), plan)


def supervise(settings: Settings, plan: Plan) -> int:
    """Servers, steps and services of ``plan``; see ``serve_demo``. Main thread only (it handles signals)."""
    with _signal_flag() as flag:
        try:
            home = prepare_home(settings.home)
            with _only_one(home) as taken_over:
                _require_port(settings, patience=10.0 if taken_over else 0.0)
                flag.check()
                with joined(settings) as (live, servers):
                    _Demo(live, servers, plan, home, flag).run()
        except Stopped:
            say("stopped")
            return 0
        except (LocalServerError, SettingsError) as error:
            say(str(error))
            return 1
    return 0


def say(text: str) -> None:
    """A line for the person at the terminal, who may have gone."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


class _Flag:
    """How often we were asked to end; the second time means at once."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def check(self) -> None:
        if self.count:
            raise Stopped

    def hurry(self) -> bool:
        return self.count > 1


@contextmanager
def _signal_flag() -> Iterator[_Flag]:
    flag = _Flag()
    # What is ignored stays so: nohup, and Ctrl-C for jobs in the background.
    numbers = [n for n in _SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, flag) for number in numbers}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_one(home: Path) -> Iterator[bool]:
    """Hold the home for one demo. Yields whether the last one ended uncleanly."""
    lock = FileLock(home / "run" / "demo.lock")
    try:
        if not lock.try_exclusive():
            raise LocalServerError(
                f"A demo already runs in XIANGYUE_HOME={home} (process {lock.read()}). Stop it, or give this "
                "one a folder and a port of its own: XIANGYUE_HOME=… PORT=… make demo"
            )
        killed = bool(lock.read())
        lock.write(str(os.getpid()))
        yield killed
        lock.write("")
    except (Stopped, LocalServerError, SettingsError):
        if lock.read() == str(os.getpid()):
            lock.write("")
        raise
    finally:
        lock.close()


def _require_port(settings: Settings, *, patience: float) -> None:
    """Raise LocalServerError when the port cannot be had, after ``patience`` seconds for its old holder."""
    deadline = time.monotonic() + patience
    host = settings.bind.strip("[]")
    while True:
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, settings.port))
            return
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise LocalServerError(
                f"Port {settings.port} on {host} cannot be used ({error.strerror}). Choose another with the "
                f"variable PORT, for example: PORT={_free_port_near(settings.port)} make demo"
            ) from error


def _free_port_near(port: int) -> int:
    for candidate in range(port + 1 if port >= 1024 else 8000, 65_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", candidate)) != 0:
                return candidate
    return 8000


class _Demo:
    def __init__(
        self,
        settings: Settings,
        servers: EmbeddedServers | None,
        plan: Plan,
        home: Path,
        flag: _Flag,
    ) -> None:
        self.settings = settings
        self.servers = servers
        self.plan = plan
        self.home = home
        self.logs = home / "logs"
        self.flag = flag
        self.environ = environ_of(settings)
        self.children: list[Child] = []

    def run(self) -> None:
        for step in self.plan.every_time:
            self._step(step)
        self._prepare_once()
        try:
            for program in self.plan.services:
                self.flag.check()
                child = Child(program, self.environ, open_log(self.logs, program.name), say)
                self.children.append(child)
                child.start()
            self._wait_ready()
            for line in self.plan.banner(self.settings):
                say(line)
            say("ready")
            while True:
                self._tend()
                time.sleep(0.1)
        finally:
            for child in self.children:
                child.stop(self.flag.hurry)

    def _prepare_once(self) -> None:
        marker = self.home / "demo-ready"
        if marker.exists() and marker.read_text().strip() == self.plan.fingerprint:
            return
        for step in self.plan.once:
            self._step(step)
        marker.write_text(self.plan.fingerprint + "\n")

    def _step(self, step: Program) -> None:
        """Run a program to its end. Raises LocalServerError with the end of its output when it fails."""
        self.flag.check()
        log = open_log(self.logs, "setup")
        with log.open("ab") as output:
            output.write(f"--- {step.name}\n".encode())
        say(f"{step.name} …")
        begun = time.monotonic()
        process = open_process(step, self.environ, log)
        try:
            while process.poll() is None:
                self.flag.check()
                time.sleep(0.02)
        finally:
            end_process(process, step.stop_seconds, self.flag.hurry)
        if process.returncode != 0:
            raise LocalServerError(f"{step.name} failed. The end of {log}:\n{log_tail(log)}")
        say(f"{step.name}: done in {time.monotonic() - begun:.1f} s")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            self._tend()
            for child in self.children:
                if child.deaths >= EARLY_DEATHS:
                    raise LocalServerError(
                        f"{child.program.name} does not start. The end of {child.log}:\n{log_tail(child.log)}"
                    )
            if time.monotonic() > deadline:
                raise LocalServerError(
                    f"The web server did not become ready within {READY_SECONDS:.0f} s. Logs: {self.logs}"
                )
            time.sleep(0.1)

    def _answers(self) -> bool:
        host = self.settings.bind.strip("[]")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Host": self.settings.base_domain})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _tend(self) -> None:
        self.flag.check()
        for child in self.children:
            child.tend()
        if self.servers is not None and self.servers.dead():
            for name in self.servers.revive():
                say(f"{name} had ended; it runs again. Its log: {self.logs / f'{name}.log'}")
