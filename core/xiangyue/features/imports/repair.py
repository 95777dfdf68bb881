"""Mending the rows of a checked import before they are written: one cell, all alike, rows left out, the error workbook;
each taken back at will. The uploaded file stays as it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, BinaryIO

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Stale, Unavailable
from xiangyue.features.imports import alike as alikes
from xiangyue.features.imports import rework_sql
from xiangyue.features.imports.alike import Alike
from xiangyue.features.imports.models import ImportBatch, ImportRepair
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.features.imports.queries import columns_for, get_batch
from xiangyue.features.imports.queries_rows import get_row
from xiangyue.features.imports.repair_work import (
    do_or_queue,
    get_repair,
    list_repairs,
    rows_of,
    seal_value,
    start_job,
    values_of,
)
from xiangyue.features.imports.rework import touch, touch_by
from xiangyue.features.imports.roster_check import shown
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_places import row_text, sheet_names
from xiangyue.features.imports.roster_upload import check_roster
from xiangyue.features.imports.staging import seal_upload
from xiangyue.files.service import in_days, store_file
from xiangyue.files.storage import Storage
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import runtime_of
from xiangyue.tenancy.own import own_settings
from xiangyue.text.folding import cell_text

#: Longest text that a cell may be given: longer than any that is taken.
MAX_CELL = 300
_HOUSEHOLD = """
SELECT m.row_no FROM import_row r JOIN import_row m ON m.batch_id = r.batch_id AND m.household_n = r.household_n
 WHERE {tenant:r} AND {tenant:m} AND r.batch_id = :batch AND r.row_no = ANY(:rows) AND m.action <> 'out'
"""


def cell_seen(keys: TenantKeys, row_no: int, column: str, cell: Any) -> str:
    """What a form carries to tell whether somebody else has changed the cell since."""
    return blind_index(keys, "import.cell", f"{row_no}:{column}:{cell_text(cell)}").hex()[:16]


@acts(IMPORT_RUN)
def repair_cell(
    uow: Uow,
    keys: TenantKeys,
    *,
    batch_id: int,
    row_no: int,
    column: str,
    value: str,
    seen: str = "",
    version: int | None = None,
    suggested: bool = False,
) -> ImportRepair:
    """Put a value into a cell; "" empties it. What is wrong then is told as before.

    ``seen``: see `cell_seen`; ``version``: of the batch. Raises Conflict unless the batch is checked and not yet
    written, NotFound for a row or column that is not there, Invalid (field value), Stale when the cell (or, with
    ``version``, anything of the batch) was changed meanwhile.
    """
    batch = _open_batch(uow, batch_id, version)
    known = _column(uow, batch, column)
    value, place = _text(value), row_text(row_no, sheet_names(batch.header))
    cells = get_row(uow, keys, batch.id, row_no).cells
    if seen and seen != cell_seen(keys, row_no, column, cells.get(column)):
        raise Stale(
            _l("Row %(row)s, %(column)s was mended by somebody else meanwhile. Look at it again.", row=place,
               column=known.label),
            theirs={"value": shown(column, cells.get(column))},
        )  # fmt: skip
    repair = _new(uow, batch, "cell", row_no=row_no, column=column, suggested=suggested)
    repair.old_value, repair.new_value = (seal_value(uow, keys, cell_text(t)) for t in (cells.get(column), value))
    before, after = ({"column": known.zh, "value": shown(column, text)} for text in (cells.get(column), value))
    _audit(uow, batch, before, {"row": place, **after})
    do_or_queue(uow, keys, batch, repair, touch(uow, [row_no]))
    return repair


@acts(IMPORT_RUN)
def repair_alike(
    uow: Uow,
    keys: TenantKeys,
    *,
    batch_id: int,
    wrong: Alike,
    value: str,
    rows: int | None = None,
    version: int | None = None,
    suggested: bool = False,
) -> ImportRepair:
    """Put a value into all cells that are wrong in the same way. ``rows``: in how many that was announced.

    Raises as `repair_cell`; NotFound when no cell is wrong so any more, Stale when it is another number of rows.
    """
    batch = _open_batch(uow, batch_id, version)
    known = _column(uow, batch, wrong.column)
    value = _text(value)
    found = touch_by(uow, alikes.ROWS, {"batch": batch.id, **wrong._asdict()})
    if not found:
        raise NotFound(_l("No cell is wrong in this way any more."))
    if rows is not None and found != rows:
        raise Stale(
            _l("By now %(n)s rows have this value. Look at them and mend them again.", n=found), theirs={"rows": found}
        )
    repair = _new(uow, batch, "alike", column=wrong.column, suggested=suggested)
    repair.old_value, repair.new_value = seal_value(uow, keys, wrong.value), seal_value(uow, keys, value)
    repair.result = {"code": wrong.code, "town": wrong.town, "word": wrong.word}
    before, after = ({"column": known.zh, "value": shown(known.key, text)} for text in (wrong.value, value))
    _audit(uow, batch, before, {"rows": found, **after})
    do_or_queue(uow, keys, batch, repair, found)
    return repair


@acts(IMPORT_RUN)
def leave_out(
    uow: Uow,
    keys: TenantKeys,
    *,
    batch_id: int,
    rows: Sequence[int],
    households: bool = False,
    version: int | None = None,
) -> ImportRepair:
    """Leave rows out as if the file did not have them; ``households``: with all of their households. At most 500 rows
    are named at a time. Raises Conflict, NotFound, Stale as `repair_cell`."""
    batch = _open_batch(uow, batch_id, version)
    wanted = sorted(set(rows))[:500]
    if households:
        found = scoped_rows(uow.session, _HOUSEHOLD, {"batch": batch.id, "rows": wanted})
        wanted = sorted({row_no for (row_no,) in found})
    there = scoped_rows(uow.session, rework_sql.PAYLOADS, {"batch": batch.id, "rows": wanted})
    if not wanted or len(there) < len(wanted):
        raise NotFound(_l("The file has no such row."))
    repair = _new(uow, batch, "out", row_no=wanted[0] if len(wanted) == 1 else None)
    repair.result = {"named": wanted}
    _audit(uow, batch, None, {"left_out": ", ".join(map(str, wanted[:20]))})
    do_or_queue(uow, keys, batch, repair, touch(uow, wanted))
    return repair


@acts(IMPORT_RUN)
def return_workbook(
    uow: Uow, storage: Storage, *, batch_id: int, stream: BinaryIO, name: str, version: int | None = None
) -> ImportRepair:
    """Take a corrected error workbook back: a job reads what was changed in it as one repair.

    The file is kept encrypted as long as uploads are. Raises Invalid (field file), TooLarge, Conflict and Stale as
    `repair_cell`. Rows that are not taken stand in the repair's result."""
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Imports need a running instance."))
    batch = _open_batch(uow, batch_id, version)
    upload = check_roster(stream, name, max_bytes=runtime.settings.max_upload_bytes)
    file = store_file(
        uow,
        storage,
        stream=io.BytesIO(seal_upload(uow, runtime, stream.read())),
        name=upload.name,
        media_type=upload.media_type,
        purpose="import.roster",
        permission=IMPORT_RUN,
        expires_at=in_days(own_settings(uow).import_file_days),
    )
    repair = _new(uow, batch, "workbook")
    repair.result = {"file_id": file.id, "file_name": upload.name}
    _audit(uow, batch, None, {"file": upload.name, "size": upload.size})
    start_job(uow, batch, repair)
    return repair


@acts(IMPORT_RUN)
def undo_repair(
    uow: Uow, keys: TenantKeys, *, batch_id: int, repair_id: int, version: int | None = None
) -> ImportRepair:
    """Take a repair back in all rows it changed; later repairs of the same cells stay. A row left out comes back.

    Raises Conflict when it was taken back before or the batch cannot be mended any more, NotFound, Stale."""
    batch = _open_batch(uow, batch_id, version)
    repair = get_repair(uow, batch, repair_id)
    if repair.state != "done":
        raise Conflict(_l("This repair was taken back before."))
    _audit(uow, batch, None, _told(uow, batch, keys, repair), action="import.repair_undo")
    repair.state, repair.undone_by_name = "undoing", uow.actor.name or uow.actor.login
    do_or_queue(uow, keys, batch, repair, rows_of(uow, keys, batch, repair))
    return repair


@acts(IMPORT_RUN)
def take_back(uow: Uow, keys: TenantKeys, *, batch_id: int, row_no: int, version: int | None = None) -> ImportRepair:
    """Take a row back that was left out; other rows that were left out with it stay so.

    Raises Conflict when the row is not left out, and as `repair_cell`."""
    batch = _open_batch(uow, batch_id, version)
    if not get_row(uow, keys, batch.id, row_no).out:
        raise Conflict(_l("This row is not left out."))
    repair = _new(uow, batch, "back", row_no=row_no)
    _audit(uow, batch, None, {"row": row_no})
    do_or_queue(uow, keys, batch, repair, touch(uow, [row_no]))
    return repair


@acts(IMPORT_RUN)
def undo_all(uow: Uow, keys: TenantKeys, *, batch_id: int, version: int | None = None) -> int:
    """Take all repairs of a batch back: its rows are again as the file has them. Returns how many those were."""
    batch = _open_batch(uow, batch_id, version)
    repairs = [repair for repair in list_repairs(uow, batch.id, limit=None) if repair.state == "done"]
    if not repairs:
        raise Conflict(_l("There is no repair to take back."))
    for repair in repairs:
        repair.state, repair.undone_by_name = "undoing", uow.actor.name or uow.actor.login
    _audit(uow, batch, None, {"repairs": len(repairs)}, action="import.repair_undo")
    do_or_queue(uow, keys, batch, None, rows_of(uow, keys, batch, None))
    return len(repairs)


def _open_batch(uow: Uow, batch_id: int, version: int | None) -> ImportBatch:
    batch = get_batch(uow, batch_id, lock=True)
    if batch.state != "checked":
        raise Conflict(
            _l("The rows of this import are being worked on. Wait a moment.")
            if batch.state in ("uploaded", "checking", "committing")
            else _l("The rows of this import cannot be mended any more.")
        )
    if version is not None and version != batch.version:
        raise Stale(
            _l("The import has gone on in the meantime. Look at it again."),
            theirs={"state": batch.state, "version": batch.version},
        )
    return batch


def _column(uow: Uow, batch: ImportBatch, key: str) -> Column:
    for known in columns_for(uow, batch):
        if known.key == key:
            return known
    raise NotFound(_l("The roster has no such column."))


def _text(value: str) -> str:
    value = value.strip()
    if len(value) > MAX_CELL:
        raise Invalid({"value": [_l("At most %(n)d characters.", n=MAX_CELL)]})
    return value


def _new(uow: Uow, batch: ImportBatch, kind: str, **values: Any) -> ImportRepair:
    column = values.pop("column", "")
    repair = ImportRepair(
        batch_id=batch.id,
        kind=kind,
        state="waiting",
        column_key=column,
        result={},
        account_id=uow.actor.account_id,
        account_name=uow.actor.name or uow.actor.login,
        **values,
    )
    uow.session.add(repair)
    uow.session.flush()
    return repair


def _told(uow: Uow, batch: ImportBatch, keys: TenantKeys, repair: ImportRepair) -> dict[str, Any]:
    """What a repair did, for the trail of its undoing."""
    told: dict[str, Any] = {"row": repair.row_no} if repair.row_no else {"rows": repair.result.get("rows", 0)}
    if repair.column_key:
        zh = {column.key: column.zh for column in columns_for(uow, batch)}
        told |= {"column": zh.get(repair.column_key, repair.column_key), "value": values_of(uow, keys, repair)[1]}
    return told


def _audit(uow: Uow, batch: ImportBatch, before: Any, after: Any, action: str = "import.repair") -> None:
    audit(uow, action=action, obj=batch, label=batch.file_name, before=before, after=after, purpose=batch.purpose)
