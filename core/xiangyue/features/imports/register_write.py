"""The writing of a checked register, in the transaction of its job: everything or nothing. What each record was before
is kept, encrypted, for the undo."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import func, select

from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys, column_context, encrypt
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households.models_change import ImportChange
from xiangyue.features.households.undo_built import Written
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.queries import import_ranges
from xiangyue.features.imports.register_hand import Hand
from xiangyue.features.imports.register_judge import batch_scope
from xiangyue.features.imports.register_trial import Comparer, Tried, in_chunks, note
from xiangyue.features.imports.registers import cut, require_register
from xiangyue.features.imports.staging import ready_rows
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registers import ImportRegister, RegisterChange, RegisterRow, RowOutlook

WRITING = _l("Writing the rows")
#: Kind of the changes of such records in ``import_change``; ids are the register's own.
RECORD = "record"


def write_register(context: JobContext, uow: Uow, batch: ImportBatch) -> dict[str, int]:
    """Write the rows of the locked batch; returns the numbers. Raises Conflict when its plugin is off or fails, or when
    rows no longer fit, Forbidden without the right to import into it."""
    found = require_register(uow, batch)
    keys = context.runtime.tenant_keys(uow)
    comparer = Comparer(uow, keys, found, reach(uow, batch, found[1]), batch)
    total = int(batch.counts.get("valid_households", 0))
    made, changed, misfits = Tried(), _Changes(uow, keys, batch.id), 0
    context.progress(0, total, WRITING)
    for chunk in in_chunks(ready_rows(uow, keys, batch.id)):
        context.check_cancelled()
        good, errors = comparer.compare(chunk)
        misfits += len({error.row for error in errors})
        if misfits:
            continue
        made.rows += len(good)
        for row, outlook in good:
            note(made, found[1], outlook, row.number)
        changed.keep(_written(comparer.hand, good))
        context.progress(made.rows, total, WRITING)
    if misfits:
        raise Conflict(
            _l(
                "The register or your rights have changed since the check: %(n)d rows no longer fit. Nothing was "
                "written. Cancel this import and upload the file again.",
                n=misfits,
            )
        )
    _settle(uow, batch, found[1], made)
    context.check_cancelled()
    return dict(made.numbers)


def reach(uow: Uow, batch: ImportBatch, register: ImportRegister) -> Scope:
    """Where the uploader could import and the actor can now."""
    own = import_ranges(uow.actor, register.permission)
    return Scope(uow.tenant_id, cut(batch_scope(uow, batch).ranges, own))


def _written(hand: Hand, good: Sequence[tuple[RegisterRow, RowOutlook]]) -> list[RegisterChange]:
    """Write what is due and look whether it stands as it was said."""
    due = [(replace(row, record=outlook.record), outlook) for row, outlook in good if not outlook.unchanged]
    hand.write([row for row, _outlook in due])
    after = hand.check([replace(row, record=None) for row, _outlook in due])
    changes = []
    for (row, before), now in zip(due, after, strict=True):
        same = now.record is not None and before.record in (None, now.record)
        if not same or now.faults or not now.unchanged or now.record is None:
            hand.blame("write", f"row {row.number} does not stand as its check said")
        changes.append(
            RegisterChange(
                int(now.record or 0),
                now.name or before.name,
                None if before.record is None else before.before,
                before.after,
            )
        )
    return changes


class _Changes:
    """Keeps what the import does."""

    def __init__(self, uow: Uow, keys: TenantKeys, batch_id: int) -> None:
        self.uow, self.keys, self.batch_id = uow, keys, batch_id
        self.context = change_context(uow.tenant_id)

    def keep(self, changes: Sequence[RegisterChange]) -> None:
        for change in changes:
            told = {"name": change.name, "before": change.before, "after": change.after}
            sealed = b64encode(encrypt(self.keys, orjson.dumps(told), self.context)).decode()
            self.uow.session.add(
                ImportChange(batch_id=self.batch_id, kind=RECORD, id=change.record, before={"sealed": sealed})
            )
        self.uow.session.flush()
        for one in [one for one in self.uow.session if isinstance(one, ImportChange)]:
            self.uow.session.expunge(one)  # a large import must not gather them


def change_context(tenant_id: int) -> bytes:
    return column_context(tenant_id, "import_change.before")


def _settle(uow: Uow, batch: ImportBatch, register: ImportRegister, made: Tried) -> None:
    at = uow.session.scalars(select(func.now())).one()
    batch.state = "committed"
    batch.committed_at = datetime.now(UTC)
    batch.written = None if register.undo is None else Written(batch.id, at).as_dict()
    batch.version += 1
    numbers: dict[str, Any] = dict(made.numbers)
    batch.counts = {**batch.counts, "written": {**numbers, "rows": made.rows}}
    audit(
        uow,
        action="import.written",
        obj=batch,
        label=batch.file_name,
        after={"register": register.key, **numbers, "source": batch.source},
        purpose=batch.purpose,
    )
