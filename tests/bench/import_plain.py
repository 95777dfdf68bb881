"""``import_plain``: a roster of 20,000 rows from file to register, against COPY of the same rows into a bare table."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from bench.measure import Result, paired
from bench.stage import Stage
from xiangyue.features.imports import commands, inline
from xiangyue.features.imports.roster_read import read_rows

ROWS = 20_000
ROUNDS = 3
_TEMPLATE = "bench_import"


def import_plain(stage: Stage) -> Result:
    stage.empty_counties(_TEMPLATE)
    file = stage.settings.home / "roster.xlsx"
    with stage.copy_of(_TEMPLATE) as runtime:
        county = runtime.directory.by_slug("hanyin")
        assert county is not None
        households = ROWS * 4 // 10
        rows = commands.make_roster(runtime, county, file, households=households, seed=1)
        # Families differ in size: the second file comes out at the wanted number of rows, give or take a few.
        households = round(households * ROWS / rows)
        rows = commands.make_roster(runtime, county, file, households=households, seed=1)
    cells = cells_of(file.read_bytes())
    assert len(cells) == rows

    def ours() -> float:
        with stage.copy_of(_TEMPLATE) as runtime:
            county = runtime.directory.by_slug("hanyin")
            assert county is not None
            begin = time.perf_counter()
            outcome = inline.import_roster(runtime, county, file, source="bench", purpose="bench")
            seconds = time.perf_counter() - begin
            assert (outcome.state, outcome.counts["written"]["persons_new"]) == ("committed", rows), outcome
        return rows / seconds

    def reference() -> float:
        return rows / copied(stage, cells)

    return paired(
        "import_plain",
        ours,
        reference,
        unit="rows/s",
        rounds=ROUNDS,
        about={
            "ours": "upload (sealed file), job that checks every cell and tries the rows against the register, job that"
            " writes households, persons, marks, incomes, search suffixes and villager groups; both jobs run in this"
            " process by the code of the worker; into an empty county",
            "reference": f"COPY of the same rows, {len(cells[0])} text columns, from memory into an unindexed table"
            " without row-level security, as the owning role",
            "rows": f"{rows:,} persons in {households:,} households, one .xlsx of {file.stat().st_size // 1024:,} KiB",
            **{key: value for key, value in stage.versions.items() if key != "web workers"},
        },
    )


def cells_of(data: bytes) -> list[tuple[Any, ...]]:
    sheet = read_rows(data)
    keys = list(sheet.columns)
    return [tuple(None if row.cells.get(k) is None else str(row.cells[k]) for k in keys) for row in sheet.rows]


def copied(stage: Stage, cells: list[tuple[Any, ...]]) -> float:
    columns = [f"c{i}" for i in range(len(cells[0]))]
    with psycopg.connect(stage.settings.migration_database_url) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_copy")
        connection.execute(f"CREATE TABLE bench_copy ({', '.join(f'{c} text' for c in columns)})")
        connection.commit()
        begin = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY bench_copy FROM STDIN") as copy:
            for row in cells:
                copy.write_row(row)
        connection.commit()
        return time.perf_counter() - begin
