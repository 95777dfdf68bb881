"""Whose a fact is: where a value came from when not from its record, and values that wait for a decision."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Json, TenantOwned, Timestamps, Versioned


class FactOrigin(TenantOwned, Base):
    """Where a fact of a person or household comes from, only where that is not where the record came from. ``kind``:
    form (a person changed it, by page or API), decision (somebody chose it among two). ``field``: as
    ``origins.FIELDS``, ``custom.<key>`` of an own field, ``income.<year>``."""

    __tablename__ = "fact_origin"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entity", "owner_id", "field"),
        CheckConstraint("entity in ('person', 'household')", name="entity"),
        CheckConstraint("kind in ('form', 'decision')", name="kind"),
    )

    entity: Mapped[str] = mapped_column(CText, default="person", server_default="person")
    #: The person's or household's id.
    owner_id: Mapped[int]
    field: Mapped[str] = mapped_column(CText)
    kind: Mapped[str] = mapped_column(CText)
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class FactDepartment(TenantOwned, Base):
    """An import that spoke for a department said these facts of a person or household, for which the department
    answers: who does not speak for it does not overwrite them. One row for each record of an import; it goes with the
    import's undo. ``fields``: as of `FactOrigin`, in a list."""

    __tablename__ = "fact_department"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entity", "owner_id", "batch_id"),
        Index(None, "tenant_id", "batch_id"),
        CheckConstraint("entity in ('person', 'household')", name="entity"),
    )

    entity: Mapped[str] = mapped_column(CText)
    owner_id: Mapped[int]
    batch_id: Mapped[int]
    department: Mapped[str] = mapped_column(CText)
    fields: Mapped[list[str]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class FactConflict(Timestamps, Versioned, TenantOwned, Base):
    """冲突值: what an import says otherwise than what somebody had put right by hand, or than the department said that
    answers for it. It was not written; it waits.

    ``value`` as text; of a citizen number or phone "" and the encrypted ``cipher``. ``digest``: keyed hash of the
    value; a value that was not wanted is not asked about again. ``batch_id``, ``source``, ``department`` (for which it
    spoke): of the last import that offered it; ``offers``: of those before, the first first, to which it belongs again
    when the last is undone. It lies where its person or household does.
    """

    __tablename__ = "fact_conflict"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entity", "owner_id", "field", "digest"),
        CheckConstraint("entity in ('person', 'household')", name="entity"),
        Index(None, "tenant_id", "state", "id"),
        CheckConstraint("state in ('open', 'kept', 'taken')", name="state"),
    )

    entity: Mapped[str] = mapped_column(CText, default="person", server_default="person")
    owner_id: Mapped[int]
    field: Mapped[str] = mapped_column(CText)
    value: Mapped[str] = mapped_column(default="", server_default="")
    cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    batch_id: Mapped[int | None]
    source: Mapped[str] = mapped_column(default="", server_default="")
    department: Mapped[str] = mapped_column(CText, default="", server_default="")
    offers: Mapped[list[Json]] = mapped_column(JSONB, default=list, server_default="[]")
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    decided_name: Mapped[str] = mapped_column(default="", server_default="")


__all__ = ["FactConflict", "FactDepartment", "FactOrigin"]
