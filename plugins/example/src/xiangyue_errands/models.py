"""Tables of the plugin."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.sdk.db import AreaBound, CText, Timestamps, Versioned, plugin_base, tenant_fk

Base: Any = plugin_base("errands")


class Errand(Timestamps, Versioned, AreaBound, Base):
    """代办事项 for a household. ``area_code`` is the household's, and follows it when it moves."""

    __tablename__ = "errand"
    __table_args__ = (
        UniqueConstraint("tenant_id", "source"),
        Index(None, "tenant_id", "household_id"),
        Index(None, "tenant_id", "state", "due_on", "id"),
        tenant_fk("household_id", "household"),
        CheckConstraint("state in ('open', 'done')", name="state"),
    )

    household_id: Mapped[int]
    kind: Mapped[str] = mapped_column(CText)
    title: Mapped[str]
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    due_on: Mapped[date] = mapped_column(Date)
    done_on: Mapped[date | None] = mapped_column(Date)
    #: Something changed in the household: ask whether it is still wanted.
    ask_again: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: What it came from (a client's UUID, a roster, a decision), so that a repeat is the same errand.
    source: Mapped[str | None] = mapped_column(CText)


class Station(AreaBound, Base):
    """代办点 of a village: every village has one as long as it is in the county's profile."""

    __tablename__ = "station"
    __table_args__ = (UniqueConstraint("tenant_id", "area_code"),)

    name: Mapped[str]
    #: When it is open: a key of `words.HOURS`, "" where nobody said.
    hours: Mapped[str] = mapped_column(CText, default="", server_default="")
    opened_on: Mapped[date | None] = mapped_column(Date)
    desk_phone: Mapped[str] = mapped_column(CText, default="", server_default="")
