"""Rows of imports are cleared away when nobody needs them any more: what is written stands in the register."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, literal_column, or_, select, update

from xiangyue.features.households.models_change import ImportChange
from xiangyue.features.households.origins import forget_repeated
from xiangyue.features.imports.models import ImportBatch, ImportRepair, ImportRow
from xiangyue.features.imports.policy import CLEAR_KIND, KEEP_CHANGES_DAYS, KEEP_ROWS_DAYS, KEEP_UNWRITTEN_DAYS
from xiangyue.features.imports.release import drop_batch
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind, Schedule


def run(context: JobContext) -> dict[str, int]:
    """Delete the rows of what was written a week ago, drop what nobody wrote for two months, and forget after a year
    what imports found where they changed something: they can no longer be undone."""
    now = datetime.now(UTC)
    with context.uow() as uow:
        forgotten = select(ImportBatch).where(
            ImportBatch.state.in_(("checked", "mapping")),
            ImportBatch.checked_at < now - timedelta(days=KEEP_UNWRITTEN_DAYS),
        )
        dropped = 0
        for batch in uow.session.scalars(forgotten.with_for_update(skip_locked=True)):
            drop_batch(uow, batch)
            dropped += 1
        done = select(ImportBatch.id).where(
            or_(
                ImportBatch.committed_at < now - timedelta(days=KEEP_ROWS_DAYS),
                ImportBatch.state.in_(("failed", "cancelled")),
            )
        )
        # What was mended holds values of the rows.
        uow.session.execute(
            delete(ImportRepair).where(ImportRepair.batch_id.in_(done)),
            execution_options={"synchronize_session": False},
        )
        result = uow.session.execute(
            delete(ImportRow).where(ImportRow.batch_id.in_(done)), execution_options={"synchronize_session": False}
        )
        # The examples of changes name people: they go with the rows.
        counts = ImportBatch.counts.op("-")("samples").op("#-")(literal_column("'{written,samples}'"))
        uow.session.execute(
            update(ImportBatch).where(ImportBatch.id.in_(done), ImportBatch.counts != {}).values(counts=counts),
            execution_options={"synchronize_session": False},
        )
        year = now - timedelta(days=KEEP_CHANGES_DAYS)
        forget_repeated(uow, year)
        old = ImportBatch.committed_at < year
        uow.session.execute(
            delete(ImportChange).where(ImportChange.batch_id.in_(select(ImportBatch.id).where(old))),
            execution_options={"synchronize_session": False},
        )
        for batch in uow.session.scalars(select(ImportBatch).where(old, ImportBatch.written.is_not(None))):
            batch.written = None
        return {"dropped": dropped, "rows": result.rowcount}  # type: ignore[attr-defined]


CLEAR = JobKind(CLEAR_KIND, _l("Clearing away rows of old imports"), run)
DAILY = Schedule(CLEAR_KIND, CLEAR.key, 86_400)
