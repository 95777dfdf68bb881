"""What the database knows of plugins: which county has which on, what went wrong in them, what is installed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Global, Json, TenantOwned, Timestamps, Versioned


class TenantPlugin(Timestamps, Versioned, TenantOwned, Base):
    """A plugin in a county. ``settings`` are kept while it is off; ``position`` is its turn among the others.

    ``profile`` is what the county's profile last said of it (enabled, settings), None when it never did: what the
    county changed itself stands until its profile says something else.
    """

    __tablename__ = "tenant_plugin"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(CText)
    enabled: Mapped[bool]
    settings: Mapped[Json] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    profile: Mapped[Json | None]


class PluginFault(TenantOwned, Base):
    """Something a plugin did wrong, counted while it is the same. ``trace`` is code only: no values, no rows."""

    __tablename__ = "plugin_fault"
    __table_args__ = (
        UniqueConstraint("tenant_id", "plugin", "hook", "error"),
        Index(None, "tenant_id", "last_at"),
    )

    plugin: Mapped[str] = mapped_column(CText)
    hook: Mapped[str] = mapped_column(CText)
    error: Mapped[str] = mapped_column(CText)
    trace: Mapped[str] = mapped_column(default="", server_default="")
    count: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    first_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PluginInstallation(Global, Base):
    """How far a plugin's tables are: written by the runner of migrations, read when a process starts.

    ``revision`` is "" when it has no tables (any more); ``error`` says why its last migration failed.
    """

    __tablename__ = "plugin_installation"
    runtime_grants = "SELECT"

    name: Mapped[str] = mapped_column(CText, primary_key=True)
    version: Mapped[str] = mapped_column(default="", server_default="")
    revision: Mapped[str] = mapped_column(default="", server_default="")
    migrated_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="", server_default="")
