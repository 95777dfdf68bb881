"""Notices and consents: what people were told or asked, in versions, and what each of them said."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, TenantOwned, Timestamps, Versioned, tenant_fk


class Notice(Timestamps, Versioned, TenantOwned, Base):
    """告知书 / 同意书: a text that a county tells people by, or asks them by. Its words stand in its versions.

    ``kind`` and ``whom`` are keys of ``policy_consent``; ``whom``: who is asked, ``mark:<key>`` for those with a mark.
    ``title``: of the newest version, for lists. ``profile_key``: of one that the county's profile names.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("kind in ('notice', 'consent', 'separate', 'guardian')", name="kind"),
        CheckConstraint("state in ('draft', 'published', 'withdrawn')", name="state"),
        Index(None, "tenant_id", "profile_key", unique=True, postgresql_where=text("profile_key <> ''")),
    )

    kind: Mapped[str] = mapped_column(CText)
    whom: Mapped[str] = mapped_column(CText, default="all", server_default="all")
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="draft", server_default="draft")
    profile_key: Mapped[str] = mapped_column(CText, default="", server_default="")


class NoticeVersion(Timestamps, Versioned, TenantOwned, Base):
    """One wording of a notice. A draft is edited; once published, its words never change: a new version is made, which
    says what is other (``change_note``) and whether those who consented are asked again (``again``).

    What PIPL article 17 demands: ``handler`` (who handles, how to reach them), ``purpose`` and how it is done,
    ``fields`` (kinds of data in plain words), ``retention``. ``consequence``: what follows from a refusal or
    withdrawal. ``lawful_basis``: a key of ``access.lawful.BASES``; ``source``: the law or document behind it.
    """

    __tablename__ = "notice_version"
    __table_args__ = (
        UniqueConstraint("tenant_id", "notice_id", "number"),
        tenant_fk("notice_id", "notice", ondelete="CASCADE"),
        CheckConstraint("state in ('draft', 'published', 'superseded', 'withdrawn')", name="state"),
        Index(
            None,
            "tenant_id",
            "notice_id",
            "state",
            unique=True,
            postgresql_where=text("state in ('draft', 'published')"),
        ),
    )

    notice_id: Mapped[int]
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(CText, default="draft", server_default="draft")
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="", server_default="")
    body: Mapped[str]
    body_en: Mapped[str] = mapped_column(default="", server_default="")
    purpose: Mapped[str]
    lawful_basis: Mapped[str] = mapped_column(CText)
    source: Mapped[str] = mapped_column(default="", server_default="")
    fields: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    retention: Mapped[str]
    handler: Mapped[str]
    consequence: Mapped[str] = mapped_column(default="", server_default="")
    change_note: Mapped[str] = mapped_column(default="", server_default="")
    again: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    published_on: Mapped[date | None] = mapped_column(Date)
    published_by_name: Mapped[str] = mapped_column(default="", server_default="")
    ended_on: Mapped[date | None] = mapped_column(Date)


class PersonConsent(TenantOwned, Base):
    """同意记录: what a person, or the guardian, said to one version of a notice on a day. Added, never changed, but for
    ``current``: the last word of the person on the notice. It lies where its person does.

    ``answer``: given, refused, withdrawn; ``how``: paper (``file_id``: the scan), spoken (``witness``), phone.
    """

    __tablename__ = "person_consent"
    __table_args__ = (
        tenant_fk("person_id", "person", ondelete="CASCADE"),
        tenant_fk("notice_id", "notice"),
        tenant_fk("version_id", "notice_version"),
        tenant_fk("file_id", "stored_file"),
        CheckConstraint("answer in ('given', 'refused', 'withdrawn')", name="answer"),
        CheckConstraint("how in ('paper', 'spoken', 'phone')", name="how"),
        Index(
            "uq_person_consent_current", "tenant_id", "person_id", "notice_id", unique=True,
            postgresql_where=text("current"),
        ),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "notice_id", "current"),
    )  # fmt: skip

    person_id: Mapped[int]
    notice_id: Mapped[int]
    version_id: Mapped[int]
    kind: Mapped[str] = mapped_column(CText)
    answer: Mapped[str] = mapped_column(CText)
    on: Mapped[date] = mapped_column("said_on", Date)
    how: Mapped[str] = mapped_column(CText)
    witness: Mapped[str] = mapped_column(default="", server_default="")
    guardian_name: Mapped[str] = mapped_column(default="", server_default="")
    guardian_relation: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    file_id: Mapped[int | None]
    current: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="", server_default="")
