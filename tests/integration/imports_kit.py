"""What the tests of imports share: small rosters, accounts' actors, and a checksum of a county's register."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from register_kit import checksum, clear
from xiangyue.access.actor import Actor
from xiangyue.features.imports import service, undoing
from xiangyue.features.imports.commands import make_roster
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.queries import batch_job
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.jobs.actors import account_actor
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County

KEYS = [column.key for column in STANDARD_COLUMNS]
HEADERS = [column.zh for column in STANDARD_COLUMNS]

Row = dict[str, Any]


def synthetic(county: County, folder: Path, households: int, seed: int = 7) -> Path:
    """A synthetic roster of the county as a file."""
    path = folder / f"roster-{county.info.slug}-{households}-{seed}.xlsx"
    make_roster(county.runtime, county.info, path, households=households, seed=seed, year=2025)
    return path


def rows_of(path: Path) -> list[Row]:
    """Its rows by column key."""
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return [dict(zip(KEYS, values, strict=True)) for values in sheet[1:]]


def workbook(rows: list[Row]) -> bytes:
    """An .xlsx of these rows."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADERS)
    for number, row in enumerate(rows, 1):
        for position, key in enumerate(KEYS):
            value = row.get(key)
            if value not in (None, ""):
                sheet.write(number, position, value)
    book.close()
    return stream.getvalue()


def actor_of(county: County, account: Any) -> Actor:
    with county.uow() as uow:
        return account_actor(uow, account.id, tenant_area=county.info.area_code)


def upload(
    county: County, data: bytes, actor: Actor | None = None, name: str = "花名册.xlsx", **said: str
) -> ImportBatch:
    with county.uow(actor) as uow:
        words = {"source": "村级台账", "purpose": "建立户档", **said}
        return service.upload_roster(uow, county.runtime.storage, stream=io.BytesIO(data), name=name, **words)


def batch_of(county: County, batch_id: int) -> ImportBatch:
    with county.uow() as uow:
        return uow.get(ImportBatch, batch_id)


def job_of(county: County, batch_id: int) -> Job:
    with county.uow() as uow:
        job = batch_job(uow, uow.get(ImportBatch, batch_id))
        assert job is not None
        return job


def work(county: County, batch_id: int) -> ImportBatch:
    """Run the batch's job here; returns the batch afterwards."""
    run_with(county.runtime, county.info.id, job_of(county, batch_id).id)
    return batch_of(county, batch_id)


def undo(county: County, batch: ImportBatch, actor: Actor | None = None) -> ImportBatch:
    with county.uow(actor) as uow:
        undoing.request_undo(uow, batch_id=batch.id, version=batch.version)
    return work(county, batch.id)


def checked(county: County, data: bytes, actor: Actor | None = None, **said: str) -> ImportBatch:
    return work(county, upload(county, data, actor, **said).id)


def commit(county: County, batch: ImportBatch, actor: Actor | None = None, *, valid_only: bool = False) -> ImportBatch:
    with county.uow(actor) as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version, valid_only=valid_only)
    return work(county, batch.id)


def put(county: County, batch: ImportBatch) -> ImportBatch:
    """Write a file of which every row is right."""
    assert batch.state == "checked", batch.problem
    batch = commit(county, batch)
    assert batch.state == "committed", job_of(county, batch.id).error
    return batch


def register(county: County) -> tuple[str, int]:
    """(checksum over everything an import writes, number of households) as the owning role sees it."""
    return checksum(county.runtime.settings.migration_database_url, county.info.id)


def empty(county: County) -> None:
    """Take the register's households away, past every rule."""
    clear(county.runtime.settings.migration_database_url, county.info.id)
