"""Organisations, their posts, who holds them, and terms."""

from __future__ import annotations

import uuid
from datetime import date

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


class OrganisationKind(TenantOwned, Base):
    """组织类型 of the county: the core's and its own, from its profile. ``levels``: where one may stand; ``source``:
    the rule it rests on; ``least``, ``most``: how many people sit in one; ``card``: made known to the public."""

    __tablename__ = "organisation_kind"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="", server_default="")
    family: Mapped[str] = mapped_column(CText)
    levels: Mapped[list[str]] = mapped_column(JSONB, default=list)
    term_years: Mapped[int | None] = mapped_column(SmallInteger)
    least: Mapped[int | None] = mapped_column(SmallInteger)
    most: Mapped[int | None] = mapped_column(SmallInteger)
    source: Mapped[str] = mapped_column(default="", server_default="")
    card: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class PostKind(TenantOwned, Base):
    """职务类型: a post that an organisation of a kind has. ``key``: ``<kind>.<post>``; ``seats_max`` null: no limit."""

    __tablename__ = "post_kind"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    kind_key: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="", server_default="")
    seats_min: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    seats_max: Mapped[int | None] = mapped_column(SmallInteger)
    lead: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class PostExclusion(TenantOwned, Base):
    """回避规则: who sits in a ``first`` (``leads_only``: heads it), with ``near_relatives`` theirs too, holds no post
    in a ``second`` of the same village. Both are keys of kinds; ``key`` is ``<first>/<second>``."""

    __tablename__ = "post_exclusion"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    first: Mapped[str] = mapped_column(CText)
    second: Mapped[str] = mapped_column(CText)
    near_relatives: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    leads_only: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    source: Mapped[str] = mapped_column(default="", server_default="")
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class Organisation(Timestamps, Versioned, AreaBound, Base):
    """组织. It lies where it works; ``level`` follows from that. ``term_from`` and ``term_until``: the present term.

    ``registration_code``: 统一社会信用代码 (GB 32100) of those that are registered. ``card_token`` opens its public
    card (``card_text``, ``card_phone``: of the office, never of a person); null: there is none.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "card_token"),
        tenant_fk("parent_id", "organisation"),
        Index(None, "tenant_id", "area_code"),
        Index(None, "tenant_id", "sort_key", "id"),
        Index(None, "tenant_id", "parent_id"),
        CheckConstraint("level in ('county', 'town', 'village', 'group')", name="level"),
        CheckConstraint("dissolved_on >= founded_on", name="life"),
    )

    kind_key: Mapped[str] = mapped_column(CText)
    level: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    parent_id: Mapped[int | None]
    registration_code: Mapped[str] = mapped_column(CText, default="", server_default="")
    founded_on: Mapped[date | None] = mapped_column(Date)
    #: The first day on which it was no more.
    dissolved_on: Mapped[date | None] = mapped_column(Date)
    dissolved_reason: Mapped[str] = mapped_column(default="", server_default="")
    term_years: Mapped[int | None] = mapped_column(SmallInteger)
    term_from: Mapped[date | None] = mapped_column(Date)
    term_until: Mapped[date | None] = mapped_column(Date)
    card_token: Mapped[uuid.UUID | None]
    card_text: Mapped[str] = mapped_column(default="", server_default="")
    card_phone: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")


class Post(Timestamps, Versioned, TenantOwned, Base):
    """职务 of an organisation. ``key``: the part of ``PostKind.key`` behind the dot, or of its own. ``active`` false:
    closed, with nobody in it any more."""

    __tablename__ = "post"
    __table_args__ = (
        UniqueConstraint("tenant_id", "organisation_id", "key"),
        tenant_fk("organisation_id", "organisation"),
        CheckConstraint("seats_max >= seats_min", name="seats"),
    )

    organisation_id: Mapped[int]
    key: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="", server_default="")
    seats_min: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    seats_max: Mapped[int | None] = mapped_column(SmallInteger)
    lead: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class OrganisationElection(Timestamps, Versioned, TenantOwned, Base):
    """换届: a new term of an organisation from ``term_from``, due to end on ``term_until``. ``changes``: exactly what
    to put back to undo it."""

    __tablename__ = "organisation_election"
    __table_args__ = (
        tenant_fk("organisation_id", "organisation"),
        Index(None, "tenant_id", "organisation_id"),
        CheckConstraint("state in ('done', 'undone')", name="state"),
    )

    organisation_id: Mapped[int]
    term_from: Mapped[date] = mapped_column(Date)
    term_until: Mapped[date | None] = mapped_column(Date)
    decided_on: Mapped[date | None] = mapped_column(Date)
    way: Mapped[str] = mapped_column(CText)
    #: How many could vote and how many did.
    voters: Mapped[int | None] = mapped_column(Integer)
    votes_cast: Mapped[int | None] = mapped_column(Integer)
    result: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(CText, default="done", server_default="done")
    changes: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="", server_default="")


class PostHolder(Timestamps, Versioned, TenantOwned, Base):
    """任职: a person of the register (``person_id``) or somebody outside (``outsider_name``, ``outsider_unit``) holds
    a post from ``valid_from`` until before ``valid_to``; null: it stands. ``term_until``: when the term is due to end;
    nobody leaves a post by that alone.

    It lies where the organisation does and is reached through it. ``seat``: the exclusion constraint holds each seat of
    a post to one holder on any day. ``doubt``: relations by which the law may exclude the holder, as found then;
    ``doubt_reason``: why it was recorded all the same.
    """

    __tablename__ = "post_holder"
    __table_args__ = (
        tenant_fk("post_id", "post"),
        tenant_fk("organisation_id", "organisation"),
        tenant_fk("person_id", "person"),
        tenant_fk("election_id", "organisation_election"),
        Index(None, "tenant_id", "organisation_id"),
        Index(None, "tenant_id", "person_id"),
        CheckConstraint("valid_to > valid_from", name="period"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("post_id", "="),
            ("seat", "="),
            (text("daterange(valid_from, valid_to)"), "&&"),
            name="ex_post_holder_one_seat",
            using="gist",
            deferrable=True,
            initially="IMMEDIATE",
        ),
    )

    organisation_id: Mapped[int]
    post_id: Mapped[int]
    seat: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int | None]
    outsider_name: Mapped[str] = mapped_column(default="", server_default="")
    outsider_unit: Mapped[str] = mapped_column(default="", server_default="")
    valid_from: Mapped[date] = mapped_column(Date)
    term_until: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    way: Mapped[str] = mapped_column(CText)
    decided_on: Mapped[date | None] = mapped_column(Date)
    votes: Mapped[int | None] = mapped_column(Integer)
    votes_cast: Mapped[int | None] = mapped_column(Integer)
    #: Number of the paper: certificate of election, appointment.
    document: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    end_reason: Mapped[str] = mapped_column(CText, default="", server_default="")
    end_note: Mapped[str] = mapped_column(default="", server_default="")
    doubt: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    doubt_reason: Mapped[str] = mapped_column(default="", server_default="")
    #: The new term it came with.
    election_id: Mapped[int | None]


__all__ = [
    "Organisation",
    "OrganisationElection",
    "OrganisationKind",
    "Post",
    "PostExclusion",
    "PostHolder",
    "PostKind",
]
