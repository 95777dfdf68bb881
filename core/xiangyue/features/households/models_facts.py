"""Whose a fact is: where a value came from when not from its record, and values that wait for a decision."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, TenantOwned, Timestamps, Versioned


class FactOrigin(TenantOwned, Base):
    """Where a fact of a person comes from, only where that is not where the record came from. ``kind``: form (a person
    changed it, by page or API), decision (somebody chose it among two)."""

    __tablename__ = "fact_origin"
    __table_args__ = (
        UniqueConstraint("tenant_id", "owner_id", "field"),
        CheckConstraint("kind in ('form', 'decision')", name="kind"),
    )

    #: The person's id.
    owner_id: Mapped[int]
    field: Mapped[str] = mapped_column(CText)
    kind: Mapped[str] = mapped_column(CText)
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class FactConflict(Timestamps, Versioned, TenantOwned, Base):
    """冲突值: what an import says otherwise than what somebody had put right by hand. It was not written; it waits.

    ``value`` as text; of a citizen number or phone "" and the encrypted ``cipher``. ``digest``: keyed hash of the
    value; a value that was not wanted is not asked about again. It lies where its person does.
    """

    __tablename__ = "fact_conflict"
    __table_args__ = (
        UniqueConstraint("tenant_id", "owner_id", "field", "digest"),
        Index(None, "tenant_id", "state", "id"),
        CheckConstraint("state in ('open', 'kept', 'taken')", name="state"),
    )

    owner_id: Mapped[int]
    field: Mapped[str] = mapped_column(CText)
    value: Mapped[str] = mapped_column(default="", server_default="")
    cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    batch_id: Mapped[int | None]
    source: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    decided_name: Mapped[str] = mapped_column(default="", server_default="")


__all__ = ["FactConflict", "FactOrigin"]
