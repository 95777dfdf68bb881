"""The demo's own processes: started, watched, restarted with back-off, and ended with all they spawned."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xiangyue.local import processes

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """A command line with the name under which messages and its log speak of it."""

    name: str
    argv: tuple[str, ...]
    stop_seconds: float = 12.0


def open_process(program: Program, environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own (Ctrl-C reaches only us), its output appended to ``log``."""
    parent = os.getpid()

    def die_with_parent() -> None:
        # Should we be killed outright, the kernel tells the child, and no web server keeps the port.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            program.argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def end_process(process: subprocess.Popen[bytes], seconds: float, hurry: Callable[[], bool]) -> None:
    """Ask the leader to end, wait ``seconds`` (not at all once ``hurry()``), then end its whole session."""
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
    # Stragglers: the leader if it did not listen, and what it left behind.
    processes.end_session(process.pid, 0.0 if hurry() else min(seconds, 1.0))
    process.wait()


class Child:
    """One service kept running."""

    def __init__(self, program: Program, environ: Mapping[str, str], log: Path, say: Callable[[str], None]) -> None:
        self.program = program
        self.log = log
        self.deaths = 0
        self._environ = environ
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._delay = FIRST_DELAY
        self._started = 0.0
        self._next_start = 0.0

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = open_process(self.program, self._environ, self.log)

    def tend(self) -> None:
        """Look after it: note a death and say so; start again when the back-off is over."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        processes.end_session(self._process.pid, 1.0)
        self._process = None
        self.deaths += 1
        if now - self._started > STEADY_AFTER:
            self._delay = FIRST_DELAY
        self._next_start = now + self._delay
        self._say(
            f"{self.program.name} ended ({_how(code)}); starting it again in {self._delay:g} s. Its log: {self.log}"
        )
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def stop(self, hurry: Callable[[], bool]) -> None:
        if self._process is not None:
            end_process(self._process, self.program.stop_seconds, hurry)
            self._process = None


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
