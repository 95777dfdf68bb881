"""What an import found where it changed something, so that the whole import can be undone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Json, TenantOwned, tenant_fk

#: Kinds of things, by their tables.
TABLES = {
    "household": "household",
    "person": "person",
    "mark": "person_mark",
    "income": "household_income",
    "award": "household_award",
    "value": "custom_value",
}


class ImportChange(TenantOwned, Base):
    """A thing that stood before an import and was changed by it, or was added to one that stood before.

    ``id`` is the thing's; ``kind`` a key of `TABLES`. ``before``: the columns that differ, as they were (bytes as
    ``\\x…``, identifiers therefore encrypted); None for what the import added. ``version``: what the import left, by
    which a later change is seen. What hangs on households and persons that the import made has no row here.

    ``lost_value`` and ``lost_income`` are whole rows that the import took away, because its file cleared them.

    Of an undone import rows of the kinds ``same_…`` stay: ``version`` of the thing, which its undo left, is the same
    as the version 1 of the import that made it, which may therefore be undone too.
    """

    __tablename__ = "import_change"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "batch_id", "kind", "id"),
        tenant_fk("batch_id", "import_batch", ondelete="CASCADE"),
    )

    batch_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(CText, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    version: Mapped[int | None] = mapped_column(Integer)
    before: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


__all__ = ["TABLES", "ImportChange"]
