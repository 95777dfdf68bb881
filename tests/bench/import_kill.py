"""``import_kill``: worker or database killed at random moments of an import; the register is always the same."""

from __future__ import annotations

import os
import random
from collections import Counter

from bench.killing import Killing, Point
from bench.measure import Result
from bench.stage import Stage
from xiangyue.features.imports.commands import make_roster

ROWS = 20_000
POINTS = 50
CANCELS = 5


def import_kill(stage: Stage) -> Result:
    """``XIANGYUE_SEED`` repeats a run; without it each run has its own."""
    seed = int(os.environ.get("XIANGYUE_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed {seed} (XIANGYUE_SEED={seed} repeats it)", flush=True)
    file = stage.settings.home / "roster.xlsx"
    rows = make_roster(stage.runtime, stage.county(), file, households=ROWS * 4 // 10, seed=1)
    killing = Killing(stage, file, seed)
    points: list[Point] = []
    cancelled: list[str] = []
    try:
        for number in range(POINTS):
            points.append(killing.point())
            print(f"{number + 1:3} {points[-1]}", flush=True)
        cancelled += [killing.cancel() for _ in range(CANCELS)]
    finally:
        killing.close()
    struck = Counter(f"{point.kind} while {point.state}" for point in points)
    return Result(
        "import_kill",
        len(points),
        POINTS,
        len(points) / POINTS,
        "kills",
        1,
        0.0,
        {
            "ours": "kills after which the register had the checksum of an undisturbed import, and after the undo that"
            " of the register before; an import that did not ended the run",
            "seed": seed,
            "rows": f"{rows:,} in one .xlsx; upload, check, writing and undo take {killing.length:.1f} s undisturbed",
            "struck": ", ".join(f"{what}: {n}" for what, n in sorted(struck.items())),
            "longest from a kill to the end": f"{max(point.seconds for point in points):.1f} s",
            "cancelled without a row left": ", ".join(cancelled),
            "cut short": "the minute without a heartbeat, the seconds before the next attempt, the minutes until a lost"
            " message is sent again",
            **{key: value for key, value in stage.versions.items() if key != "web workers"},
        },
    )
