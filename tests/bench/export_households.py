"""``export_households``: a whole county's list exported by its job, against a cursor of psycopg written as CSV."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.measure import Result, paired
from bench.servers import environment, free_port
from bench.stage import Stage
from xiangyue.access.actor import Actor
from xiangyue.features.households.pages.exporting import Wanted
from xiangyue.features.households.service_export import start_export
from xiangyue.jobs.actors import account_actor

ROUNDS = 3
COLUMNS = "size,away,marks,address,income,code"

#: As a worker's child runs it; in a process of its own, so that its memory is its own.
_CHILD = """
import json, resource, sys, time
from xiangyue.config import Settings
from xiangyue.jobs.run import run_with
from xiangyue.runtime import Runtime

runtime = Runtime(Settings.load())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
state = run_with(runtime, int(sys.argv[1]), int(sys.argv[2]))
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"state": state, "seconds": seconds, "before": before / 1024, "peak": peak / 1024}))
"""
#: What the columns of the list hold, without rights, areas' names or words.
_PLAIN = """
SELECT h.head_name, h.area_code, h.person_count,
       (SELECT count(*) FROM person a WHERE a.tenant_id = h.tenant_id AND a.household_id = h.id AND a.away),
       (SELECT string_agg(DISTINCT k.mark_key, ', ') FROM person_mark k
         WHERE k.tenant_id = h.tenant_id AND k.household_id = h.id AND k.valid_to IS NULL),
       h.address,
       (SELECT i.amount FROM household_income i WHERE i.tenant_id = h.tenant_id AND i.household_id = h.id
         ORDER BY i.year DESC LIMIT 1),
       h.code
  FROM household h WHERE h.tenant_id = %s AND h.state = 'active' ORDER BY h.sort_key, h.id
"""


def export_households(stage: Stage) -> Result:
    people, county = stage.many, stage.county()
    memory: dict[str, list[float]] = {}
    rate: dict[str, list[float]] = {}

    def job(format: str) -> float:
        found = _run(stage, format)
        memory.setdefault(format, []).append(found["peak"])
        rate.setdefault(format, []).append(people.households / found["seconds"])
        return float(people.households / found["seconds"])

    def reference() -> float:
        begin = time.perf_counter()
        rows = _plain(stage.settings.migration_database_url, county.id, stage.settings.home / "plain.csv")
        assert rows == people.households
        return rows / (time.perf_counter() - begin)

    job("xlsx")
    result = paired(
        "export_households",
        lambda: job("csv"),
        reference,
        unit="rows/s",
        rounds=ROUNDS,
        about={
            "ours": f"job households.export of the whole list, columns name, place, {COLUMNS}, as .csv, with watermark,"
            " file kept and audit entry, in a process of its own",
            "reference": "one statement by a server-side cursor as the owning role (no row-level security, rights,"
            " names of areas or words), written by csv.writer",
            **{key: value for key, value in stage.about.items() if key != "web workers"},
        },
    )
    result.about["largest memory of the process (MiB)"] = ", ".join(
        f".{format} {max(found):.0f}" for format, found in memory.items()
    )
    result.about["rows/s as .xlsx"] = f"{rate['xlsx'][0]:,.0f}"
    return result


def _run(stage: Stage, format: str) -> dict[str, Any]:
    """One job from asking to the kept file; how long and how much memory its process took."""
    county = stage.county()
    with stage.runtime.uow(county.id) as uow:
        uow.actor = _clerk(stage)
        wanted = Wanted("household", f"cols={COLUMNS}", 0, format, "bench", "BENC-HXXX")
        job = start_export(uow, params=wanted.params())
        id = job.id
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(county.id), str(id)],
        env=environment(stage.settings, free_port()),
        cwd=stage.settings.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["state"] == "succeeded", done.stderr[-2000:]
    return found


def _clerk(stage: Stage) -> Actor:
    county = stage.county()
    with stage.runtime.uow(county.id) as uow:
        return account_actor(uow, stage.clerk, tenant_area=county.area_code)


def _plain(owner_url: str, tenant_id: int, path: Path) -> int:
    count = 0
    with (
        psycopg.connect(owner_url) as connection,
        connection.cursor(name="plain") as cursor,
        path.open("w", newline="", encoding="utf-8-sig") as file,
    ):
        writer = csv.writer(file)
        cursor.itersize = 1000
        for row in cursor.execute(_PLAIN, [tenant_id]):
            writer.writerow(row)
            count += 1
    return count
