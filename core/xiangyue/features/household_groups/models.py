"""Groups, what they were when, which household belonged where, who was the head, and the changes that made it so."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, Timestamps, Versioned, tenant_fk

CHANGE_KINDS = ("create", "divide", "members", "rename", "close", "explain", "follow")


def _once_a_day(table: str, column: str) -> ExcludeConstraint:
    return ExcludeConstraint(
        ("tenant_id", "="),
        (column, "="),
        (text("daterange(valid_from, valid_to)"), "&&"),
        name=f"ex_{table}_one_a_day",
        using="gist",
    )


class HouseholdGroup(Timestamps, Versioned, AreaBound, Base):
    """十户组. What it is called and in which grid it lies stands in its versions; ``area_code``: the newest grid's."""

    __tablename__ = "household_group"
    __table_args__ = (Index(None, "tenant_id", "area_code"),)

    opened_by: Mapped[int]


class HouseholdGroupVersion(AreaBound, Base):
    """A group from ``valid_from`` until before ``valid_to`` (null: it stands), in one leaf grid."""

    __tablename__ = "household_group_version"
    __table_args__ = (
        tenant_fk("group_id", "household_group", ondelete="CASCADE"),
        tenant_fk("grid_id", "grid", ondelete="CASCADE"),
        Index(None, "tenant_id", "grid_id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        _once_a_day("household_group_version", "group_id"),
    )

    group_id: Mapped[int]
    grid_id: Mapped[int]
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    opened_by: Mapped[int]
    ended_by: Mapped[int | None]


class HouseholdGroupMember(AreaBound, Base):
    """A household in a group from ``valid_from`` until before ``valid_to``. The exclusion constraint holds it to one
    group at most on any day."""

    __tablename__ = "household_group_member"
    __table_args__ = (
        tenant_fk("household_id", "household", ondelete="CASCADE"),
        tenant_fk("group_id", "household_group", ondelete="CASCADE"),
        Index(None, "tenant_id", "group_id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        _once_a_day("household_group_member", "household_id"),
    )

    household_id: Mapped[int]
    group_id: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    opened_by: Mapped[int]
    ended_by: Mapped[int | None]


class HouseholdGroupHead(Timestamps, Versioned, AreaBound, Base):
    """十户长: a person of one of the group's households. ``account_id``: by which the head signs in, where there is
    one; ``name`` is the name when named. One head a day."""

    __tablename__ = "household_group_head"
    __table_args__ = (
        tenant_fk("group_id", "household_group", ondelete="CASCADE"),
        Index(None, "tenant_id", "person_id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        _once_a_day("household_group_head", "group_id"),
    )

    group_id: Mapped[int]
    person_id: Mapped[int]
    account_id: Mapped[int | None]
    name: Mapped[str]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    ended_reason: Mapped[str] = mapped_column(default="", server_default="")


class HouseholdGroupChange(Timestamps, Versioned, AreaBound, Base):
    """A change of a village's groups on a day. ``area_code`` is the village's; ``rows``: exactly what to put back;
    ``sizes``: groups that it left outside the county's size, with the size of that day. ``grid_change_id``: the change
    of grids that one of the kind ``follow`` followed from."""

    __tablename__ = "household_group_change"
    __table_args__ = (
        Index(None, "tenant_id", "area_code"),
        Index(None, "tenant_id", "grid_change_id", postgresql_where=text("grid_change_id IS NOT NULL")),
        CheckConstraint("kind in ('create', 'divide', 'members', 'rename', 'close', 'explain', 'follow')", name="kind"),
        CheckConstraint("state in ('done', 'undone')", name="state"),
    )

    kind: Mapped[str] = mapped_column(CText)
    on_date: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(CText, default="done", server_default="done")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    size_reason: Mapped[str] = mapped_column(default="", server_default="")
    sizes: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    rows: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    grid_change_id: Mapped[int | None]
    account_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    undone_at: Mapped[datetime | None]
    undone_by_name: Mapped[str] = mapped_column(default="", server_default="")
    undone_reason: Mapped[str] = mapped_column(default="", server_default="")
