"""The register: who belongs to which household from when to when, and the acts by which that changed."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk

#: What an act may be.
KINDS = (
    "birth", "move_in", "move", "move_out", "leave", "return", "death", "head_change", "split", "merge", "close",
    "reopen",
)  # fmt: skip
ACT_STATES = ("reported", "done", "refused", "undone")


class HouseholdMember(Base, AreaBound):
    """户内成员: a person's belonging to a household from ``valid_from`` until before ``valid_to``; null: it stands.

    ``registered``: by the household register (户籍); ``living``: lives there (常住). One row says both where it is the
    same household. ``relation``: GB/T 4761 to that household's head. ``area_code`` is the household's. The acts that
    opened and ended it are null for an import or a plain registration; such a row begins with the person's birth, or
    on 1 January 1900 where that is unknown: since when is not known, only that it was so when it was recorded.

    The database holds a person to at most one registered and one living household on any day: an exclusion constraint
    over the periods of those who have more than one row (``several``), a unique index over all others. Which of the two
    it is stands with the person, and the foreign key lets no row say otherwise. Most people have one row for ever, and
    a unique index takes a tenth of the time. `memberships.room_for` sets ``several`` before a second row comes.
    """

    __tablename__ = "household_member"
    __table_args__ = (
        # The person before the id: the key is also how a person's rows are found.
        PrimaryKeyConstraint("tenant_id", "person_id", "id"),
        ForeignKeyConstraint(
            ["tenant_id", "person_id", "several"],
            ["person.tenant_id", "person.id", "person.several"],
            ondelete="CASCADE",
        ),
        # No cascade: a household goes after its members. It stands for `Person.household_id` too, which has none.
        tenant_fk("household_id", "household"),
        Index(None, "tenant_id", "household_id"),
        Index(
            "uq_household_member_the_only_one",
            "tenant_id",
            "person_id",
            unique=True,
            postgresql_where=text("NOT several"),
        ),
        CheckConstraint("registered OR living", name="base"),
        CheckConstraint("valid_to > valid_from", name="period"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("person_id", "="),
            (
                text("int4range(CASE WHEN registered THEN 0 ELSE 1 END, CASE WHEN living THEN 2 ELSE 1 END)"),
                "&&",
            ),
            (text("daterange(valid_from, valid_to)"), "&&"),
            name="ex_household_member_one_household",
            using="gist",
            where=text("several"),
        ),
    )

    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True, sort_order=-19)
    household_id: Mapped[int]
    registered: Mapped[bool]
    living: Mapped[bool]
    relation: Mapped[str] = mapped_column(CText, default="", server_default="")
    several: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    opened_by: Mapped[int | None]
    ended_by: Mapped[int | None]


def _one_of(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


class RegisterAct(Timestamps, Versioned, AreaBound, Base):
    """变动: something that happened to persons or a household on a day.

    ``state``: reported (待确认, nothing has changed yet), done, refused, undone. ``request``: what was asked for, as
    the service takes it; ``changes``: exactly what to put back to undo it.
    """

    __tablename__ = "register_act"
    __table_args__ = (
        UniqueConstraint("tenant_id", "client_id"),
        Index(None, "tenant_id", "state", "area_code"),
        CheckConstraint(f"kind in ({_one_of(KINDS)})", name="kind"),
        CheckConstraint(f"state in ({_one_of(ACT_STATES)})", name="state"),
    )

    kind: Mapped[str]
    on_date: Mapped[date] = mapped_column(Date)
    household_id: Mapped[int]
    #: Where they came from or went to: of a split the new household, of a merge the one that stays.
    other_household_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(default="done", server_default="done")
    request: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    changes: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    reported_by: Mapped[int | None]
    reported_name: Mapped[str] = mapped_column(default="", server_default="")
    reported_at: Mapped[datetime | None]
    #: Who did, refused or undid it, when and why.
    decided_by: Mapped[int | None]
    decided_name: Mapped[str] = mapped_column(default="", server_default="")
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(default="", server_default="")
    client_id: Mapped[uuid.UUID | None]
    #: Keyed hash of what the client sent with its UUID: sent again, it must be the same.
    client_digest: Mapped[bytes | None] = mapped_column(LargeBinary)


class RegisterActPart(TenantOwned, Base):
    """What an act touched: persons, and the households they came from and went to.

    ``id`` goes up in the order in which acts on the same person or household were done.
    """

    __tablename__ = "register_act_part"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "kind", "thing_id", "act_id"),
        tenant_fk("act_id", "register_act"),
        Index(None, "tenant_id", "act_id"),
        CheckConstraint("kind in ('person', 'household')", name="kind"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), sort_order=-19)
    kind: Mapped[str] = mapped_column(CText, primary_key=True)
    thing_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    act_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


__all__ = ["ACT_STATES", "KINDS", "HouseholdMember", "RegisterAct", "RegisterActPart"]
