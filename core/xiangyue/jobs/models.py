"""Jobs and the outbox of one tenant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, Json, TenantOwned

#: States a job can still leave.
OPEN_STATES = ("queued", "running")
FINAL_STATES = ("succeeded", "failed", "cancelled")


class Job(TenantOwned, Base):
    """后台任务. Progress is ``done`` of ``total`` units; ``step`` says in an English message id what it does now."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
        Index(None, "tenant_id", "state"),
        UniqueConstraint("tenant_id", "unique_key"),
    )

    kind: Mapped[str]
    params: Mapped[Json] = mapped_column(default=dict)
    #: At most one open job has this key (kind and thing); emptied when the job ends.
    unique_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="queued", server_default="queued")
    step: Mapped[str] = mapped_column(default="", server_default="")
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    result: Mapped[Json | None]
    error: Mapped[str] = mapped_column(default="", server_default="")
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="", server_default="")
    locale: Mapped[str] = mapped_column(default="zh", server_default="zh")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    max_attempts: Mapped[int] = mapped_column(SmallInteger, default=3, server_default="3")
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class OutboxMessage(TenantOwned, Base):
    """What must leave after the commit: written in the same transaction, sent at least once, swept by the scheduler."""

    __tablename__ = "outbox_message"
    __table_args__ = (Index(None, "tenant_id", "id", postgresql_where=text("sent_at IS NULL")),)

    topic: Mapped[str] = mapped_column(Text(collation="C"))
    payload: Mapped[Json] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
