"""What the tests of imports share: small rosters, accounts' actors, and a checksum of a county's register."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter
from python_calamine import CalamineWorkbook

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


def upload(county: County, data: bytes, actor: Actor | None = None, name: str = "花名册.xlsx") -> ImportBatch:
    with county.uow(actor) as uow:
        return service.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data), name=name, source="村级台账", purpose="建立户档"
        )


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


def checked(county: County, data: bytes, actor: Actor | None = None) -> ImportBatch:
    return work(county, upload(county, data, actor).id)


def commit(county: County, batch: ImportBatch, actor: Actor | None = None, *, valid_only: bool = False) -> ImportBatch:
    with county.uow(actor) as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version, valid_only=valid_only)
    return work(county, batch.id)


_REGISTER = (
    "SELECT h.code, h.area_code, h.head_name, h.sort_key, h.person_count, h.registered_count, h.living_count,"
    " h.address, h.state FROM household h WHERE h.tenant_id = %(t)s ORDER BY 1",
    "SELECT h.code, p.name, p.sort_key, p.relation, p.sex, p.birth_date, p.nationality, p.area_code, p.away, p.state,"
    " encode(p.id_number_index, 'hex'), encode(p.phone_index, 'hex'), p.id_number IS NULL, p.phone IS NULL"
    " FROM person p JOIN household h ON h.tenant_id = p.tenant_id AND h.id = p.household_id"
    " WHERE p.tenant_id = %(t)s ORDER BY 1, 2, 11",
    "SELECT p.name, encode(p.id_number_index, 'hex'), h.code, m.area_code, m.registered, m.living, m.relation,"
    " m.valid_from, m.valid_to FROM household_member m"
    " JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id"
    " JOIN household h ON h.tenant_id = m.tenant_id AND h.id = m.household_id"
    " WHERE m.tenant_id = %(t)s ORDER BY 2, 1, 8, 3",
    "SELECT p.name, encode(p.id_number_index, 'hex'), m.mark_key, m.area_code FROM person_mark m"
    " JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id WHERE m.tenant_id = %(t)s ORDER BY 2, 3, 1",
    "SELECT h.code, i.year, i.amount FROM household_income i"
    " JOIN household h ON h.tenant_id = i.tenant_id AND h.id = i.household_id WHERE i.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT h.code, s.suffix FROM name_suffix s"
    " JOIN household h ON h.tenant_id = s.tenant_id AND h.id = s.household_id WHERE s.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT h.code, a.award_key, a.year, a.awarded FROM household_award a"
    " JOIN household h ON h.tenant_id = a.tenant_id AND h.id = a.household_id WHERE a.tenant_id = %(t)s"
    " ORDER BY 1, 2, 3",
    "SELECT f.entity, f.key, coalesce(h.code, encode(p.id_number_index, 'hex'), p.name), v.area_code, v.text_value,"
    " v.int_value, v.date_value FROM custom_value v"
    " JOIN custom_field f ON f.tenant_id = v.tenant_id AND f.id = v.field_id"
    " LEFT JOIN household h ON h.tenant_id = v.tenant_id AND h.id = v.owner_id AND f.entity = 'household'"
    " LEFT JOIN person p ON p.tenant_id = v.tenant_id AND p.id = v.owner_id AND f.entity = 'person'"
    " WHERE v.tenant_id = %(t)s ORDER BY 1, 2, 3, 5",
    "SELECT h.code, l.piece, l.area_code FROM household_piece l"
    " JOIN household h ON h.tenant_id = l.tenant_id AND h.id = l.id WHERE l.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT DISTINCT s.suffix, s.piece FROM piece_suffix s WHERE s.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT a.area_code, a.name FROM area a WHERE a.tenant_id = %(t)s ORDER BY 1",
)
_TABLES = (
    "import_change",
    "household_piece",
    "piece_suffix",
    "custom_value",
    "household_award",
    "household_income",
    "person_mark",
    "name_suffix",
    "person",
    "household",
)


def register(county: County) -> tuple[str, int]:
    """(checksum over everything an import writes, number of households) as the owning role sees it."""
    digest = hashlib.sha256()
    with psycopg.connect(county.runtime.settings.migration_database_url) as connection:
        for statement in _REGISTER:
            for row in connection.execute(statement, {"t": county.info.id}):
                digest.update(repr(row).encode())
        found = connection.execute("SELECT count(*) FROM household WHERE tenant_id = %s", [county.info.id]).fetchone()
    assert found is not None
    return digest.hexdigest(), found[0]


def empty(county: County) -> None:
    """Take the register's households away, past every rule."""
    with psycopg.connect(county.runtime.settings.migration_database_url) as connection:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [county.info.id])
        connection.execute("DELETE FROM area WHERE tenant_id = %s AND level = 'group'", [county.info.id])
