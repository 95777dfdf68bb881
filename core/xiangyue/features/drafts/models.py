"""Drafts, their parts and which household lies in which."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, Timestamps, Versioned, tenant_fk
from xiangyue.features.drafts.policy import STATES

_STATES = ", ".join(f"'{state}'" for state in STATES)


class GridDraft(Timestamps, Versioned, AreaBound, Base):
    """网格划分方案 of one village (``area_code``), drawn from the register as it was on ``base_date``.

    ``rule``: the size rule it is measured by (fields of ``planning.problem.SizeRule``, with ``source`` and
    ``joining``); ``planned``: what the planner answered (bound, chunking, what could not be met); ``fingerprint``: of
    the households and their groups on the base date, by which a move in between shows; ``last``: who did what last,
    to be told to whoever was slower; ``change_id``: the change of grids that put it in force on ``on_date``.
    """

    __tablename__ = "grid_draft"
    __table_args__ = (
        Index(None, "tenant_id", "area_code"),
        CheckConstraint(f"state in ({_STATES})", name="state"),
        CheckConstraint("origin in ('planner', 'present', 'copy')", name="origin"),
    )

    name: Mapped[str]
    base_date: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(CText, default="draft", server_default="draft")
    origin: Mapped[str] = mapped_column(CText, default="planner", server_default="planner")
    rule: Mapped[Json]
    planned: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    fingerprint: Mapped[str] = mapped_column(CText, default="", server_default="")
    last: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    #: Counted at every change, so that a list need not.
    grids: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    in_rule: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    households: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    #: Of the town: why it was returned, or what was said with the approval.
    answer: Mapped[str] = mapped_column(default="", server_default="")
    answered_by: Mapped[str] = mapped_column(default="", server_default="")
    on_date: Mapped[date | None] = mapped_column(Date)
    change_id: Mapped[int | None]


class GridDraftPart(AreaBound, Base):
    """A leaf grid of a draft. What it covers follows from its households. ``fixed``: planning anew leaves it as it is;
    ``leader``: who is proposed to look after it; ``kept``: of a draft in force level, area and households as they were
    when it was put in force (`queries.kept_part`)."""

    __tablename__ = "grid_draft_part"
    __table_args__ = (
        tenant_fk("draft_id", "grid_draft", ondelete="CASCADE"),
        Index(None, "tenant_id", "draft_id"),
    )

    draft_id: Mapped[int]
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    leader: Mapped[str] = mapped_column(default="", server_default="")
    fixed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    kept: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class GridDraftHousehold(AreaBound, Base):
    """A household in a part. ``area_code``: its villager group when the draft was drawn; ``moved``: by hand."""

    __tablename__ = "grid_draft_household"
    __table_args__ = (
        tenant_fk("draft_id", "grid_draft", ondelete="CASCADE"),
        tenant_fk("part_id", "grid_draft_part", ondelete="CASCADE"),
        tenant_fk("household_id", "household", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "draft_id", "household_id"),
        Index(None, "tenant_id", "part_id"),
        Index(None, "tenant_id", "household_id"),
    )

    draft_id: Mapped[int]
    part_id: Mapped[int]
    household_id: Mapped[int]
    moved: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
