"""Who cares for a child, who acts for an old person, and referrals to the village's children's director."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, TenantOwned, Timestamps, Versioned, tenant_fk


class PersonCare(Timestamps, Versioned, TenantOwned, Base):
    """照料与代办: one for a person who needs it; reached through the person, so it lies where the person does.

    Of a child: ``carer`` who looks after it day by day (实际照料人), ``guardian`` by law with an encrypted phone,
    ``left_behind`` a key of ``policy_care.LEFT_BEHIND``, and the guardian's consent where the child is under 14. Of an
    old person: ``helper`` who acts on the person's behalf (代办人).
    """

    __tablename__ = "person_care"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id"),
        tenant_fk("person_id", "person", ondelete="CASCADE"),
        CheckConstraint("left_behind in ('', 'no', 'one', 'both')", name="left_behind"),
    )

    person_id: Mapped[int]
    carer_name: Mapped[str] = mapped_column(default="", server_default="")
    carer_relation: Mapped[str] = mapped_column(default="", server_default="")
    guardian_name: Mapped[str] = mapped_column(default="", server_default="")
    guardian_relation: Mapped[str] = mapped_column(default="", server_default="")
    guardian_phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: When and how the guardian consented to sensitive data of the child being kept (PIPL article 31).
    consent_on: Mapped[date | None] = mapped_column(Date)
    consent_how: Mapped[str] = mapped_column(CText, default="", server_default="")
    left_behind: Mapped[str] = mapped_column(CText, default="", server_default="")
    helper_name: Mapped[str] = mapped_column(default="", server_default="")
    helper_relation: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")


class CareReferral(Timestamps, Versioned, TenantOwned, Base):
    """转介: a child is made known to the village's children's director (儿童主任), who says what came of it."""

    __tablename__ = "care_referral"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "state", "referred_on", "id"),
        CheckConstraint("state in ('open', 'closed')", name="state"),
    )

    person_id: Mapped[int]
    referred_on: Mapped[date] = mapped_column(Date)
    director: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(CText, default="open", server_default="open")
    closed_on: Mapped[date | None] = mapped_column(Date)
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="", server_default="")
