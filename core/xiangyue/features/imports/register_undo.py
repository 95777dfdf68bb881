"""Undo of a written register: what each record was before is handed back to whoever declared it, all or nothing."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
#: Records that a register is asked about for a page; the undo itself asks about all.
LOOKED_AT = 10 * CHUNK


@dataclass(slots=True)
class Look:
    """Some records of an import, the last first. ``built``: those that cannot be taken back, each with the register's
    own reason; ``onward``: the records before this one were not looked at, None where all were."""

    built: list[Built]
    onward: int | None


def count_undone(uow: Uow, batch: ImportBatch) -> dict[str, int]:
    """``records`` that would go, ``records_back`` that would get back what stood before: as the writing counted."""
    written = batch.counts.get("written") or {}
    return {
        "records": int(written.get("records_new") or 0),
        "records_back": int(written.get("records_changed") or 0),
    }


def look(uow: Uow, batch: ImportBatch, *, before: int | None = None, limit: int | None = None) -> Look:
    """The next `LOOKED_AT` records before this one, or until more than ``limit`` are in the way. Raises Conflict when
    the register's plugin is off or fails."""
    made, looked = Look([], before), 0
    hand, keys = _hand(uow, batch)
    for changes in _changes(uow, keys, batch.id, hand.register, before):
        made.built += _built(hand, changes)
        made.onward = changes[-1].record
        looked += len(changes)
        if looked >= LOOKED_AT or (limit is not None and len(made.built) > limit):
            break
    else:
        made.onward = None
    return made


def each_built_on(uow: Uow, batch: ImportBatch, looked: Callable[[int], None] | None = None) -> Iterator[Built]:
    """All of them. ``looked``: is told block by block how many records were looked at. Raises Conflict, see `look`."""
    hand, keys = _hand(uow, batch)
    return _each_built(hand, _changes(uow, keys, batch.id, hand.register), looked)


def _each_built(
    hand: Hand, blocks: Iterator[Sequence[RegisterChange]], looked: Callable[[int], None] | None
) -> Iterator[Built]:
    number = 0
    for changes in blocks:
        yield from _built(hand, changes)
        number += len(changes)
        if looked is not None:
            looked(number)


def _built(hand: Hand, changes: Sequence[RegisterChange]) -> list[Built]:
    reasons = hand.built(changes)
    return [
        Built(WHAT, ENTITY, change.record, change.name, "", None, 0, None, reasons[change.record])
        for change in changes
        if change.record in reasons
    ]


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


def _changes(
    uow: Uow, keys: TenantKeys, batch_id: int, register: ImportRegister, before: int | None = None
) -> Iterator[Sequence[RegisterChange]]:
    """The last records first; ``before``: those before this one."""
    dates = {column.key for column in register.columns if column.kind == "date"}
    context = change_context(uow.tenant_id)
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
