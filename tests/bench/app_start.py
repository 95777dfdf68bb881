"""``app_start``: seconds from nothing to an application that can serve, in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.measure import Result, against_limit
from bench.servers import ROOT, environment, free_port
from bench.stage import Stage

LIMIT = 2.0
ROUNDS = 7

_PROGRAM = "from xiangyue.app import create_app; create_app(); print('ready', flush=True)"


def app_start(stage: Stage) -> Result:
    environ = environment(stage.settings, free_port())
    # An installed application is compiled; a shell that forbids it would measure the compiler.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def once() -> float:
        begin = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], env=environ, cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.perf_counter() - begin
        assert (line, process.returncode) == (b"ready\n", 0)
        return seconds

    once()  # compiles what has changed, and brings the files into memory
    return against_limit(
        "app_start",
        once,
        LIMIT,
        unit="s",
        rounds=ROUNDS,
        about={
            "ours": "a new Python process: the interpreter, imports (compiled), create_app() with every feature",
            "reference": f"the limit, {LIMIT:g} s",
            "versions": f"Python {sys.version.split()[0]}, {os.cpu_count()} processors; no database is touched",
        },
    )
