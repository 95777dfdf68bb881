"""How long what was uploaded is kept: the file itself, and the rows of its sheet. Nothing breaks when they are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from xiangyue.access.lawful import BASES
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.policy import KEEP_ROWS_DAYS, KEEP_UNWRITTEN_DAYS
from xiangyue.features.privacy.queries_consent import notice_of
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.field_owners import DEPARTMENTS


def file_kept(batch: ImportBatch) -> bool:
    """Whether the uploaded file can still be read."""
    return batch.file_expires_at is None or batch.file_expires_at > datetime.now(UTC)


def rows_kept(uow: Uow, batch: ImportBatch) -> bool:
    """Whether the rows of the sheet are still there: the error workbook is made of them."""
    return uow.session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch.id).limit(1)).first() is not None


def rows_until(batch: ImportBatch) -> datetime | None:
    """When the rows are deleted; None while nobody knows."""
    if batch.committed_at is not None:
        return batch.committed_at + timedelta(days=KEEP_ROWS_DAYS)
    if batch.state in ("checked", "mapping") and batch.checked_at is not None:
        return batch.checked_at + timedelta(days=KEEP_UNWRITTEN_DAYS)
    return None


def shown(uow: Uow, batch: ImportBatch) -> dict[str, Any]:
    """For the page of a batch: on what ground it was taken in, what is still there of it, and until when."""
    return {
        "department": DEPARTMENTS.get(batch.department, ""),
        "basis": BASES.get(batch.lawful_basis, ""),
        "named": notice_of(uow, batch.notice_version_id),
        "file_kept": file_kept(batch),
        "rows_kept": rows_kept(uow, batch),
        "rows_until": rows_until(batch),
    }


def check_file_kept(batch: ImportBatch) -> None:
    """Raises Conflict when the file is gone: it cannot be read anew."""
    if not file_kept(batch):
        raise Conflict(
            _l(
                "The uploaded file was deleted on %(day)s as announced. Upload it again.",
                day=_day(batch.file_expires_at),
            )
        )


def check_rows_kept(uow: Uow, batch: ImportBatch) -> None:
    """Raises Conflict when the rows are gone: there is nothing left to write down."""
    if not rows_kept(uow, batch):
        raise Conflict(_l("The rows of this file were deleted as announced. Upload the file again to see its errors."))


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(TIMEZONE).date().isoformat()
