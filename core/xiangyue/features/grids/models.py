"""Grids, what they were when, which household lay where, and the changes that made it so."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk

#: What a change of grids may be; ``register`` followed from an act of the register or an import.
CHANGE_KINDS = (
    "create", "rename", "recode", "close", "split", "merge", "move_households", "plan", "boundary", "register",
)  # fmt: skip


def _one_of(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _once_a_day(table: str, column: str) -> ExcludeConstraint:
    return ExcludeConstraint(
        ("tenant_id", "="),
        (column, "="),
        (text("daterange(valid_from, valid_to)"), "&&"),
        name=f"ex_{table}_one_a_day",
        using="gist",
    )


class Grid(Timestamps, Versioned, AreaBound, Base):
    """网格. What it is called and what it covers stands in its versions, by day; ``area_code`` is that of the newest.

    ``code``: the present one; all it ever had are in ``grid_code``. ``special_kind``: of a special grid (专属网格), a
    word of ``policy.SPECIAL_KINDS`` or the county's own.
    """

    __tablename__ = "grid"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "token"),
        CheckConstraint("kind in ('area', 'special')", name="kind"),
    )

    code: Mapped[str] = mapped_column(CText)
    kind: Mapped[str] = mapped_column(CText, default="area", server_default="area")
    special_kind: Mapped[str] = mapped_column(default="", server_default="")
    #: Of its public board: random, so that nobody can go from one to the next.
    token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, server_default=text("gen_random_uuid()"))


class GridVersion(AreaBound, Base):
    """A grid from ``valid_from`` until before ``valid_to`` (null: it stands). ``level``: 1 to 3, 0 of a special grid.
    ``leaf``: households may lie in it; so it is as long as no grid lies below it. ``boundary``: a GeoJSON geometry in
    degrees (WGS 84, which CGCS2000 equals within centimetres), where the county has one. One version a day."""

    __tablename__ = "grid_version"
    __table_args__ = (
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        tenant_fk("parent_id", "grid"),
        Index(None, "tenant_id", "grid_id"),
        Index(None, "tenant_id", "area_code"),
        Index(None, "tenant_id", "parent_id"),
        Index(None, "tenant_id", "sort_key", "id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        _once_a_day("grid_version", "grid_id"),
    )

    grid_id: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    level: Mapped[int] = mapped_column(SmallInteger)
    parent_id: Mapped[int | None]
    leaf: Mapped[bool]
    boundary: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    opened_by: Mapped[int]
    ended_by: Mapped[int | None]


class GridCode(TenantOwned, Base):
    """A code that a grid has or had: never given to another, and it still finds the grid."""

    __tablename__ = "grid_code"
    __table_args__ = (
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "code"),
        Index(None, "tenant_id", "grid_id"),
    )

    code: Mapped[str] = mapped_column(CText)
    grid_id: Mapped[int]
    since: Mapped[date] = mapped_column(Date)


class GridHousehold(AreaBound, Base):
    """A household in a leaf grid from ``valid_from`` until before ``valid_to``. ``area_code`` is the household's, as it
    is now. The exclusion constraint holds a household to one grid at most on any day."""

    __tablename__ = "grid_household"
    __table_args__ = (
        tenant_fk("household_id", "household", ondelete="CASCADE"),
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        Index(None, "tenant_id", "grid_id"),
        Index(None, "tenant_id", "household_id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        _once_a_day("grid_household", "household_id"),
    )

    household_id: Mapped[int]
    grid_id: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    opened_by: Mapped[int]
    ended_by: Mapped[int | None]


class GridSize(TenantOwned, Base):
    """How many households lie in a leaf today, and how many persons these have on both bases (`kept_sizes`).
    ``until``: the first day on which something else lies in it by what is arranged; from then on the row does not
    count any more."""

    __tablename__ = "grid_size"
    __table_args__ = (
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "grid_id"),
        Index(None, "tenant_id", "until", postgresql_where=text("until IS NOT NULL")),
    )

    grid_id: Mapped[int]
    households: Mapped[int] = mapped_column(Integer)
    registered: Mapped[int] = mapped_column(Integer)
    living: Mapped[int] = mapped_column(Integer)
    until: Mapped[date | None] = mapped_column(Date)


class GridChange(Timestamps, Versioned, AreaBound, Base):
    """网格调整: a change of a village's grids on a day, which may be to come. ``area_code`` is the village's.

    ``request``: what was asked for; ``changes``: exactly what to put back. ``act_id``: the act of the register that a
    change of the kind ``register`` followed from, null where it was an import or a plain form.
    """

    __tablename__ = "grid_change"
    __table_args__ = (
        Index(None, "tenant_id", "area_code", "on_date"),
        Index(None, "tenant_id", "act_id", postgresql_where=text("act_id IS NOT NULL")),
        CheckConstraint(f"kind in ({_one_of(CHANGE_KINDS)})", name="kind"),
        CheckConstraint("state in ('done', 'undone')", name="state"),
    )

    kind: Mapped[str] = mapped_column(CText)
    on_date: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(CText, default="done", server_default="done")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    request: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    changes: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    act_id: Mapped[int | None]
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    undone_at: Mapped[datetime | None]
    undone_by_name: Mapped[str] = mapped_column(default="", server_default="")
    undone_reason: Mapped[str] = mapped_column(default="", server_default="")


class GridSizeNote(Timestamps, AreaBound, Base):
    """Why a grid is larger or smaller than the rule, with its size and the rule of that day. ``change_id``: the change
    that made it so; null where the register did and the reason was given afterwards."""

    __tablename__ = "grid_size_note"
    __table_args__ = (
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        tenant_fk("change_id", "grid_change"),
        Index(None, "tenant_id", "grid_id"),
        Index(None, "tenant_id", "change_id"),
    )

    grid_id: Mapped[int]
    on_date: Mapped[date] = mapped_column(Date)
    households: Mapped[int] = mapped_column(Integer)
    persons: Mapped[int] = mapped_column(Integer)
    rule: Mapped[Json]
    reason: Mapped[str]
    change_id: Mapped[int | None]
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")


class GridSetting(Timestamps, Versioned, TenantOwned, Base):
    """A county's rule for grids: ``size1`` to ``size3`` (`policy.SizeRule`), ``code`` (`policy.CodeTemplate`)."""

    __tablename__ = "grid_setting"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    value: Mapped[Json] = mapped_column(default=dict, server_default="{}")


#: Who may have a post in a grid.
ROLES = ("leader", "deputy", "worker", "representative")


class GridPost(Timestamps, Versioned, AreaBound, Base):
    """网格任职: somebody in charge of a grid from ``valid_from`` until before ``valid_to`` (null: still).
    ``term_until``: the last day of the term, where there is one. ``principal``: of several leaders the one who answers
    for the grid.

    ``person_id``: of the register; null for somebody from outside, whose name and ``unit`` stand here. ``name`` is the
    name when appointed. ``office_phone`` is made known on the board; the person's own number never is. The exclusion
    constraint holds a grid to one principal leader on any day. ``warnings``: what rules of plugins had against it then
    (`dispatch.consult`); ``warning_reason``: why it was done all the same. ``account_id``: by which he or she signs in,
    to be told when the term ends.
    """

    __tablename__ = "grid_post"
    __table_args__ = (
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        Index(None, "tenant_id", "grid_id"),
        Index(None, "tenant_id", "person_id", postgresql_where=text("person_id IS NOT NULL")),
        CheckConstraint(f"role in ({_one_of(ROLES)})", name="role"),
        CheckConstraint("valid_to > valid_from", name="period"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("grid_id", "="),
            (text("daterange(valid_from, valid_to)"), "&&"),
            name="ex_grid_post_one_principal",
            using="gist",
            where=text("role = 'leader' AND principal"),
        ),
    )

    grid_id: Mapped[int]
    role: Mapped[str] = mapped_column(CText)
    principal: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    person_id: Mapped[int | None]
    name: Mapped[str]
    unit: Mapped[str] = mapped_column(default="", server_default="")
    office_phone: Mapped[str] = mapped_column(default="", server_default="")
    valid_from: Mapped[date] = mapped_column(Date)
    term_until: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    ended_reason: Mapped[str] = mapped_column(default="", server_default="")
    warnings: Mapped[list[Json]] = mapped_column(JSONB, default=list, server_default="[]")
    warning_reason: Mapped[str] = mapped_column(default="", server_default="")
    account_id: Mapped[int | None]
