"""Undo of a written register: what each record was before is handed back to whoever declared it, all or nothing."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import delete, func, select

from xiangyue.access.crypto import TenantKeys, decrypt
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Unavailable
from xiangyue.features.households.models_change import ImportChange
from xiangyue.features.households.undo_built import Built
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.register_hand import CHUNK, Hand
from xiangyue.features.imports.register_write import RECORD, change_context, reach
from xiangyue.features.imports.registers import require_register
from xiangyue.features.imports.schemas_undo import ENTITY, WHAT
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registers import ImportRegister, RegisterChange
from xiangyue.runtime import runtime_of

UNDOING = _l("Taking the rows back")


def count_undone(uow: Uow, batch: ImportBatch) -> dict[str, int]:
    """``records`` that would go, ``records_back`` that would get back what stood before: as the writing counted."""
    written = batch.counts.get("written") or {}
    return {
        "records": int(written.get("records_new") or 0),
        "records_back": int(written.get("records_changed") or 0),
    }


def built_on(uow: Uow, batch: ImportBatch) -> list[Built]:
    """Records that cannot be taken back, by id, each with the register's own reason. Raises Conflict when its plugin is
    off or fails."""
    hand, keys = _hand(uow, batch)
    found = []
    for changes in _changes(uow, keys, batch.id, hand.register):
        reasons = hand.built(changes)
        found += [
            Built(WHAT, ENTITY, change.record, change.name, "", None, 0, None, reasons[change.record])
            for change in changes
            if change.record in reasons
        ]
    return sorted(found, key=lambda one: one.key)


def undo_register(context: JobContext, uow: Uow, batch: ImportBatch) -> dict[str, int]:
    """Take back what the locked batch wrote; returns the numbers. Raises Conflict when something was built on it, or
    when its plugin is off or fails."""
    hand, keys = _hand(uow, batch)
    total = int(uow.session.scalar(select(func.count()).select_from(ImportChange).where(*_own(batch.id))) or 0)
    done = 0
    counts = {"records": 0, "records_back": 0}
    for changes in _changes(uow, keys, batch.id, hand.register):
        context.progress(done, total, UNDOING)
        context.check_cancelled()
        if built := hand.built(changes):
            raise Conflict(
                _l(
                    "Something was built on this import since: %(n)d rows. Nothing was undone. Its page lists them.",
                    n=len(built),
                )
            )
        hand.undo(changes)
        made = sum(change.before is None for change in changes)
        counts["records"] += made
        counts["records_back"] += len(changes) - made
        done += len(changes)
    uow.session.execute(delete(ImportChange).where(*_own(batch.id)), execution_options={"synchronize_session": False})
    return counts


def _hand(uow: Uow, batch: ImportBatch) -> tuple[Hand, TenantKeys]:
    found = require_register(uow, batch)
    if found[1].undo is None:
        raise Conflict(_l("Imports into this register cannot be undone."))
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Imports need a running instance."))
    return Hand(uow, *found, reach(uow, batch, found[1])), runtime.tenant_keys(uow)


def _own(batch_id: int) -> tuple[Any, ...]:
    return ImportChange.batch_id == batch_id, ImportChange.kind == RECORD


def _changes(uow: Uow, keys: TenantKeys, batch_id: int, register: ImportRegister) -> Iterator[Sequence[RegisterChange]]:
    """The last records first."""
    dates = {column.key for column in register.columns if column.kind == "date"}
    context = change_context(uow.tenant_id)
    before: int | None = None
    while True:
        statement = select(ImportChange.id, ImportChange.before).where(*_own(batch_id))
        if before is not None:
            statement = statement.where(ImportChange.id < before)
        found = uow.session.execute(statement.order_by(ImportChange.id.desc()).limit(CHUNK)).all()
        made = []
        for id, sealed in found:
            told = orjson.loads(decrypt(keys, b64decode((sealed or {})["sealed"]), context))
            was, now = (_values(told[side], dates) for side in ("before", "after"))
            made.append(RegisterChange(id, told["name"], was, now or {}))
        if made:
            yield made
            before = made[-1].record
        if len(found) < CHUNK:
            return


def _values(values: dict[str, Any] | None, dates: set[str]) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        key: date.fromisoformat(value) if key in dates and isinstance(value, str) else value
        for key, value in values.items()
    }
