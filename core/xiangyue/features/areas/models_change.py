"""Changes of areas: what was asked for, what it changed, and where everything was before."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk

#: What a change may be.
KINDS = ("rename", "recode", "move", "merge", "split", "create", "close")
#: draft: nothing has changed; arranged: to be put in force on its day; working, undoing: its job has it; done, undone.
STATES = ("draft", "arranged", "working", "done", "undoing", "undone")


def _one_of(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


class AreaChange(Timestamps, Versioned, AreaBound, Base):
    """区划变更. ``area_code``: the area it begins with (of a merge the one that stays, of a new one that above it).

    ``request``: what was asked for (`changes.asked`); ``basis``: version of each area that stood when the dry run was
    looked at; ``changes``: exactly what to put back to undo it; ``counts``: what it moved, in numbers. ``arranged_by``:
    account that arranged it for a day to come; ``refused``: why it could not be put in force when that day came, as
    `changes.refusal` keeps it.
    """

    __tablename__ = "area_change"
    __table_args__ = (
        Index(None, "tenant_id", "state", "area_code"),
        CheckConstraint(f"kind in ({_one_of(KINDS)})", name="kind"),
        CheckConstraint(f"state in ({_one_of(STATES)})", name="state"),
    )

    kind: Mapped[str] = mapped_column(CText)
    on_date: Mapped[date] = mapped_column(Date)
    #: By whose decision: number and day of the document.
    reason: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="draft", server_default="draft")
    request: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    basis: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    changes: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    counts: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    job_id: Mapped[int | None]
    made_by: Mapped[int | None]
    made_name: Mapped[str] = mapped_column(default="", server_default="")
    arranged_by: Mapped[int | None]
    arranged_name: Mapped[str] = mapped_column(default="", server_default="")
    refused: Mapped[str] = mapped_column(default="", server_default="")
    done_at: Mapped[datetime | None]
    done_name: Mapped[str] = mapped_column(default="", server_default="")
    undone_at: Mapped[datetime | None]
    undone_name: Mapped[str] = mapped_column(default="", server_default="")
    undo_reason: Mapped[str] = mapped_column(default="", server_default="")


class AreaChangePart(TenantOwned, Base):
    """An area (15 digits) that a change in force touched: what is dated before it, or undone below it, stands in its
    way."""

    __tablename__ = "area_change_part"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "area_code", "id"),
        tenant_fk("id", "area_change", ondelete="CASCADE"),
        Index(None, "tenant_id", "id"),
    )

    area_code: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    #: The change's.
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class AreaVersion(AreaBound, Base):
    """What an area was called, and its kind, until before ``until``, when a change gave it what comes after."""

    __tablename__ = "area_version"
    __table_args__ = (
        Index(None, "tenant_id", "area_code", "until"),
        tenant_fk("change_id", "area_change"),
    )

    name: Mapped[str]
    official_name: Mapped[str] = mapped_column(default="", server_default="")
    kind: Mapped[str]
    until: Mapped[date] = mapped_column(Date)
    change_id: Mapped[int]


class AreaMove(TenantOwned, Base):
    """A household that a change put into another area: where it was on an earlier day is answered by this. It lies
    where its household does."""

    __tablename__ = "area_move"
    __table_args__ = (
        Index(None, "tenant_id", "household_id", "on_date"),
        Index(None, "tenant_id", "change_id"),
        tenant_fk("household_id", "household"),
        tenant_fk("change_id", "area_change"),
    )

    household_id: Mapped[int]
    change_id: Mapped[int]
    on_date: Mapped[date] = mapped_column(Date)
    from_code: Mapped[int]
    to_code: Mapped[int]


class AreaMovedRow(TenantOwned, Base):
    """A row that hangs on no household and went along with its area. ``table_name``: ``schema.table``."""

    __tablename__ = "area_moved_row"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "change_id", "table_name", "id"),
        tenant_fk("change_id", "area_change"),
    )

    change_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    table_name: Mapped[str] = mapped_column(CText, primary_key=True)
    #: The row's.
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    from_code: Mapped[int]
    to_code: Mapped[int]


__all__ = ["KINDS", "STATES", "AreaChange", "AreaChangePart", "AreaMove", "AreaMovedRow", "AreaVersion"]
