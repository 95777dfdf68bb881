"""Pairs that may be one, and merges with what puts them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Json, TenantOwned, Timestamps, Versioned


class DuplicatePair(Timestamps, Versioned, TenantOwned, Base):
    """疑似重复: two records of one kind, ``first_id`` the smaller id. Who may see both may see the pair, so it has no
    area of its own.

    ``facts`` is a digest of what was compared: a pair said to be different comes back only when it changed.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "first_id", "second_id"),
        Index("ix_duplicate_pair_open", "tenant_id", "kind", "score", postgresql_where=text("state = 'open'")),
        CheckConstraint("kind in ('person', 'household')", name="kind"),
        CheckConstraint("state in ('open', 'different', 'merged')", name="state"),
        CheckConstraint("first_id < second_id", name="order"),
    )

    kind: Mapped[str] = mapped_column(CText)
    first_id: Mapped[int]
    second_id: Mapped[int]
    score: Mapped[int] = mapped_column(SmallInteger)
    #: Keys of ``policy.REASONS``, with a bar before and after each: ``|name_birth|phone_name|``.
    reasons: Mapped[str] = mapped_column(CText)
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    decided_name: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")


class RecordMerge(Timestamps, Versioned, TenantOwned, Base):
    """合并: the loser became part of the survivor. ``changes`` is exactly what to put back; identifiers never stand in
    it, they are exchanged between the two rows."""

    __tablename__ = "record_merge"
    __table_args__ = (
        Index(None, "tenant_id", "kind", "survivor_id"),
        Index(None, "tenant_id", "kind", "loser_id"),
        CheckConstraint("kind in ('person', 'household')", name="kind"),
        CheckConstraint("state in ('done', 'undone')", name="state"),
    )

    kind: Mapped[str] = mapped_column(CText)
    survivor_id: Mapped[int]
    loser_id: Mapped[int]
    pair_id: Mapped[int]
    state: Mapped[str] = mapped_column(CText, default="done", server_default="done")
    changes: Mapped[Json] = mapped_column(default=dict)
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    account_id: Mapped[int | None]
    undone_at: Mapped[datetime | None]
    undone_name: Mapped[str] = mapped_column(default="", server_default="")


__all__ = ["DuplicatePair", "RecordMerge"]
