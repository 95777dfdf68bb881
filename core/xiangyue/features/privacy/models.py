"""Tables about the protection of personal information."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk


class PrivacyRequest(Timestamps, Versioned, TenantOwned, Base):
    """个人信息请求: somebody asks to see, copy, correct, complete or erase what is recorded (PIPL articles 44 to 47).

    It is reached through its person, so it lies where the person does, and it holds no name: what is erased there is
    not kept here. ``kind``, ``channel``, ``identity`` and ``state`` are keys of ``policy``. ``outcome`` after the end:
    ``entries`` (ids of the audit entries that corrected the record), ``erased`` and ``kept`` (what went, what stayed
    and by which law).
    """

    __tablename__ = "privacy_request"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        tenant_fk("person_id", "person"),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "state", "due_on", "id"),
        CheckConstraint("state in ('received', 'in_work', 'done', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("kind in ('access', 'copy', 'correct', 'complete', 'erase')", name="kind"),
    )

    number: Mapped[str] = mapped_column(CText)
    person_id: Mapped[int]
    kind: Mapped[str] = mapped_column(CText)
    asked: Mapped[str]
    channel: Mapped[str] = mapped_column(CText)
    #: Somebody else asks for the person: a guardian, or who was given authority.
    by_agent: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    agent_name: Mapped[str] = mapped_column(default="", server_default="")
    agent_relation: Mapped[str] = mapped_column(default="", server_default="")
    identity: Mapped[str] = mapped_column(CText)
    identity_note: Mapped[str] = mapped_column(default="", server_default="")
    received_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    #: Counted by weekdays beyond the years whose holidays are known.
    due_provisional: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: The day before it was put off, which happens once.
    extended_from: Mapped[date | None] = mapped_column(Date)
    extension_reason: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="received", server_default="received")
    answer: Mapped[str] = mapped_column(default="", server_default="")
    outcome: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    ended_on: Mapped[date | None] = mapped_column(Date)
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="", server_default="")


class PersonAccess(TenantOwned, Base):
    """查阅记录: somebody saw one person's identifiers, sensitive marks or whole record. Appended only.

    ``way`` and ``seen`` are keys of ``policy.WAYS`` and ``policy.SEEN``; ``detail``: keys of the marks, with commas. No
    foreign key: the log outlives the row.
    """

    __tablename__ = "person_access"
    __table_args__ = (Index(None, "tenant_id", "person_id", "id"),)
    runtime_grants = "SELECT, INSERT"

    person_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[str]
    account_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="")
    way: Mapped[str] = mapped_column(CText)
    seen: Mapped[str] = mapped_column(CText)
    detail: Mapped[str] = mapped_column(default="", server_default="")
    purpose: Mapped[str] = mapped_column(default="", server_default="")


class PersonAccessSet(TenantOwned, Base):
    """Somebody saw many persons at once: an export (``number`` as on its file) or a page of a list. Appended only."""

    __tablename__ = "person_access_set"
    runtime_grants = "SELECT, INSERT"

    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[str]
    account_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="")
    way: Mapped[str] = mapped_column(CText)
    seen: Mapped[str] = mapped_column(CText)
    detail: Mapped[str] = mapped_column(default="", server_default="")
    purpose: Mapped[str] = mapped_column(default="", server_default="")
    number: Mapped[str] = mapped_column(CText, default="", server_default="")
    persons: Mapped[int] = mapped_column(Integer)


class PersonAccessMember(TenantOwned, Base):
    """Who was in a set: one row for each run of 4096 person ids, a bit for each of them. ``id`` is the set's.

    The run leads the key, so a person's sets are found by index, one row a set, whatever their size.
    """

    __tablename__ = "person_access_member"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "bucket", "id"),)
    runtime_grants = "SELECT, INSERT"

    bucket: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-19)
    members: Mapped[bytes] = mapped_column(LargeBinary)
