"""How a repair is done, at once or by a job, and how it is taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys, column_context, decrypt_text, encrypt
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Unavailable
from xiangyue.features.imports import alike as alikes
from xiangyue.features.imports import release
from xiangyue.features.imports.alike import replace_word
from xiangyue.features.imports.models import ImportBatch, ImportRepair
from xiangyue.features.imports.policy import REPAIR_AT_ONCE, REPAIR_KIND
from xiangyue.features.imports.register_judge import judge_of
from xiangyue.features.imports.rework import WHOLE_ROW, Change, MendedRow, Rework, touch, touch_by
from xiangyue.features.imports.roster_check import shown
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import runtime_of
from xiangyue.text.folding import cell_text

_ALL_MENDED = "SELECT r.row_no FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch AND r.mended <> '[]'"
_MENDED_BY = (
    "SELECT r.row_no FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch AND r.mended @> CAST(:repair AS jsonb)"
)


class AtOnce:
    """For work that nobody watches: its page waits for it."""

    def progress(self, done: int, total: int, step: LazyText | str = "") -> None: ...

    def check_cancelled(self) -> None: ...


def seal_value(uow: Uow, keys: TenantKeys, text: str) -> bytes:
    return encrypt(keys, text, _value_context(uow))


def _value_context(uow: Uow) -> bytes:
    return column_context(uow.tenant_id, "import_repair.value")


def list_repairs(uow: Uow, batch_id: int, *, limit: int | None = 50, before: int | None = None) -> list[ImportRepair]:
    """Repairs of a batch the caller may see, the last first; ``before``: the id after which the page begins."""
    statement = select(ImportRepair).where(ImportRepair.batch_id == batch_id)
    if before is not None:
        statement = statement.where(ImportRepair.id < before)
    return list(uow.session.scalars(statement.order_by(ImportRepair.id.desc()).limit(limit)))


def get_repair(uow: Uow, batch: ImportBatch, repair_id: int) -> ImportRepair:
    statement = select(ImportRepair).where(ImportRepair.batch_id == batch.id, ImportRepair.id == repair_id)
    repair = uow.session.scalars(statement).one_or_none()
    if repair is None:
        raise NotFound(_l("There is no such repair."))
    return repair


def values_of(uow: Uow, keys: TenantKeys, repair: ImportRepair) -> tuple[str, str]:
    """(before, after) of a repair's cell, masked as errors show them."""
    context = _value_context(uow)
    before, after = (
        "" if sealed is None else decrypt_text(keys, sealed, context) for sealed in (repair.old_value, repair.new_value)
    )
    return shown(repair.column_key, before), shown(repair.column_key, after)


def change_of(uow: Uow, keys: TenantKeys, repair: ImportRepair | None) -> Change:
    """What a repair does to a row, or its undoing; None: the undoing of all."""
    if repair is None:
        return MendedRow.take_all
    id = repair.id
    if repair.state == "undoing":
        return lambda row: row.take(id)
    if repair.kind in ("out", "back"):
        out = repair.kind == "out"
        return lambda row: row.put(id, WHOLE_ROW, out)
    context, column = _value_context(uow), repair.column_key
    new = decrypt_text(keys, repair.new_value or b"", context)
    if repair.kind == "alike" and repair.result.get("word"):
        old = decrypt_text(keys, repair.old_value or b"", context)
        return lambda row: row.put(id, column, replace_word(cell_text(row.cells.get(column)), old, new))
    return lambda row: row.put(id, column, new)


def rows_of(uow: Uow, keys: TenantKeys, batch: ImportBatch, repair: ImportRepair | None) -> int:
    """Name again the rows that a waiting repair is about (`rework.touch`); returns their number."""
    if repair is None:
        return touch_by(uow, _ALL_MENDED, {"batch": batch.id})
    if repair.state == "undoing":
        return touch_by(uow, _MENDED_BY, {"batch": batch.id, "repair": f"[{repair.id}]"})
    if repair.kind == "out":
        return touch(uow, repair.result["named"])
    if repair.kind in ("cell", "back"):
        return touch(uow, [repair.row_no or 0])
    old = decrypt_text(keys, repair.old_value or b"", _value_context(uow))
    same = {key: repair.result[key] for key in ("code", "town", "word")}
    return touch_by(uow, alikes.ROWS, {"batch": batch.id, "column": repair.column_key, "value": old, **same})


def settle(uow: Uow, batch: ImportBatch, repair: ImportRepair | None, rows: int) -> None:
    """Note that the work is done."""
    done = [repair] if repair is not None else list_repairs(uow, batch.id, limit=None)
    for one in done:
        if one.state == "undoing":
            one.state, one.undone_at = "undone", datetime.now(UTC)
        elif one.state == "waiting":
            one.state = "done"
            one.result = {**{k: v for k, v in one.result.items() if k != "named"}, "rows": rows}
    if repair is not None:
        known = list(batch.header.get("columns", ()))
        new = [key for key in [repair.column_key, *repair.result.get("columns", ())] if key and key not in known]
        if new:
            batch.header = {**batch.header, "columns": [*known, *new]}
    batch.state = "checked"


def do_or_queue(uow: Uow, keys: TenantKeys, batch: ImportBatch, repair: ImportRepair | None, rows: int) -> None:
    """Do it now where little is to be looked at, else in a job."""
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Imports need a running instance."))
    if rows <= REPAIR_AT_ONCE:
        change = change_of(uow, keys, repair)
        rework = Rework(AtOnce(), uow, keys, batch, judge_of(runtime, uow, batch))
        if rework.foresee(change) <= REPAIR_AT_ONCE:
            rework.apply(change)
            settle(uow, batch, repair, rows)
            uow.session.flush()
            return
    start_job(uow, batch, repair)


def start_job(uow: Uow, batch: ImportBatch, repair: ImportRepair | None) -> None:
    batch.state = "checking"
    release.start_job(uow, batch, REPAIR_KIND, repair_id=None if repair is None else repair.id)
