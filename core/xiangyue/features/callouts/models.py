"""Calls, the groups and households they went to, and every answer. Names and addresses are read from the register and
from posts in grids: a call keeps no copy of them."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, Timestamps, Versioned, tenant_fk

_STATES = "state in ('waiting', 'reached', 'not_reached', 'help')"


class Callout(Timestamps, Versioned, AreaBound, Base):
    """叫应. ``area_code``: of what it went to. ``client_id``: the sender's UUID; sent again it is the same call.
    ``drill``: 演练. ``escalate_at``: when unanswered groups go on to grid leaders. ``summary``: counts at the end;
    ``keep_until``: the last day it is kept, once it has ended."""

    __tablename__ = "callout"
    __table_args__ = (
        UniqueConstraint("tenant_id", "client_id"),
        Index(None, "tenant_id", "state", "area_code"),
        CheckConstraint("state in ('open', 'ended')", name="state"),
    )

    client_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(CText)
    drill: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    message: Mapped[str]
    place: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    escalate_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    summary: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    keep_until: Mapped[date | None] = mapped_column(Date)


class CalloutGroup(Versioned, AreaBound, Base):
    """A ten-household group in a call. ``group_id`` null: households of a village that are in no group; the village
    reaches them itself. ``head_person_id``, ``head_account_id``: the head then, where there was one.
    ``leader_post_id``: of the grid leader to whom it went on."""

    __tablename__ = "callout_group"
    __table_args__ = (
        tenant_fk("callout_id", "callout", ondelete="CASCADE"),
        Index(None, "tenant_id", "callout_id"),
        Index(None, "tenant_id", "head_account_id", postgresql_where=text("head_account_id IS NOT NULL")),
    )

    callout_id: Mapped[int]
    group_id: Mapped[int | None]
    grid_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(default="", server_default="")
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    head_person_id: Mapped[int | None]
    head_account_id: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    leader_post_id: Mapped[int | None]


class CalloutHousehold(AreaBound, Base):
    """A household in a call and what is known of it now. ``on_behalf``: somebody else said it (代为确认)."""

    __tablename__ = "callout_household"
    __table_args__ = (
        tenant_fk("callout_group_id", "callout_group", ondelete="CASCADE"),
        tenant_fk("household_id", "household", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "callout_group_id", "household_id"),
        CheckConstraint(_STATES, name="state"),
    )

    callout_group_id: Mapped[int]
    household_id: Mapped[int]
    state: Mapped[str] = mapped_column(CText, default="waiting", server_default="waiting")
    on_behalf: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    at: Mapped[datetime | None]


class CalloutAnswer(AreaBound, Base):
    """An answer as it came, appended and never changed. ``client_id``: of the phone that sent it; come again it does
    nothing. ``households``: state by household id."""

    __tablename__ = "callout_answer"
    __table_args__ = (
        tenant_fk("callout_group_id", "callout_group", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "client_id"),
        Index(None, "tenant_id", "callout_group_id"),
    )

    callout_group_id: Mapped[int]
    client_id: Mapped[uuid.UUID]
    households: Mapped[Json]
    number: Mapped[int] = mapped_column(Integer)
    on_behalf: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime]
