"""Households and persons of one county, and what is recorded of them."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, TenantOwned, Timestamps, Versioned, tenant_fk
from xiangyue.features.households.models_register import HouseholdMember, RegisterAct, RegisterActPart


def _by_client(table: str) -> Index:
    """Unique ``client_id`` over the rows that have one: what is imported has none, and pays nothing."""
    where = text("client_id IS NOT NULL")
    return Index(f"uq_{table}_tenant_id_client_id", "tenant_id", "client_id", unique=True, postgresql_where=where)


class Household(Timestamps, Versioned, AreaBound, Base):
    """户. ``code``: 12-digit village code and the household's number in the village.

    ``head_name``, ``sort_key`` and ``person_count`` are derived from its persons, ``registered_count`` and
    ``living_count`` from its members (``derived.refresh_derived_sql``); they stand here because a list cannot be
    ordered by pinyin and paged otherwise, and areas are counted by them.
    """

    __tablename__ = "household"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        _by_client("household"),
        # One for each order of the list.
        Index(None, "tenant_id", "sort_key", "id"),
        Index(None, "tenant_id", "person_count", "id"),
        Index(None, "tenant_id", "updated_at", "id"),
        # With all that a count asks for: counting a county reads this index and no row.
        Index(
            None,
            "tenant_id",
            "area_code",
            postgresql_include=["id", "state", "person_count", "registered_count", "living_count"],
        ),
        Index(None, "tenant_id", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        CheckConstraint("state in ('active', 'closed', 'merged')", name="state"),
        CheckConstraint(r"location ~ '^([0-9]{2,3}\.[0-9]{6},[0-9]{1,2}\.[0-9]{6})?$'", name="location"),
    )

    code: Mapped[str] = mapped_column(CText)
    head_name: Mapped[str] = mapped_column(default="", server_default="")
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    person_count: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    #: Members by the household register (户籍), and those who live here (常住); see ``HouseholdMember``.
    registered_count: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    living_count: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    address: Mapped[str] = mapped_column(default="", server_default="")
    #: Longitude and latitude of the house in degrees of WGS 84 or CGCS2000 (``location.clean_location``), "" unknown.
    location: Mapped[str] = mapped_column(CText, default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    #: Of one that turned out to be the same as another: which one stayed.
    merged_into_id: Mapped[int | None]
    #: When and why it was closed; nothing while it is on the register.
    left_on: Mapped[date | None] = mapped_column(Date)
    left_reason: Mapped[str] = mapped_column(default="", server_default="")
    client_id: Mapped[uuid.UUID | None]
    #: Keyed hash of what the client sent with its UUID: sent again, it must be the same.
    client_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    import_batch_id: Mapped[int | None]


class Person(Timestamps, Versioned, AreaBound, Base):
    """人. ``household_id``, ``area_code``, ``relation`` and ``away`` follow from the memberships (``HouseholdMember``):
    the household where the person lives, else where registered, else the last one. That it stands is held by their
    foreign keys, not by one more for each person (ADR 0007). Codes: ``sex`` GB/T 2261.1,
    ``nationality`` GB/T 3304, ``relation`` GB/T 4761 to the head (02 户主).

    The citizen number (GB 11643) and phone are encrypted with the tenant's key; ``*_index`` are keyed hashes by which
    an exact number is found again, ``*_tail`` those of the last four characters (``identifiers.tail_index``).
    """

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id_number_index"),
        UniqueConstraint("tenant_id", "id", "several"),  # what memberships point at
        _by_client("person"),
        Index(None, "tenant_id", "household_id"),
        Index(None, "tenant_id", "id_number_tail"),
        Index(None, "tenant_id", "phone_tail"),
        # The area last: the list of a village walks along it and looks only at its own.
        Index(None, "tenant_id", "sort_key", "id", "area_code"),
        Index(
            "ix_person_away",
            "tenant_id",
            "household_id",
            postgresql_include=["area_code"],
            postgresql_where=text("away AND state = 'active'"),
        ),
        Index(None, "tenant_id", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        CheckConstraint("state in ('active', 'moved', 'deceased', 'merged')", name="state"),
    )

    household_id: Mapped[int]
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(CText, default="", server_default="")
    relation: Mapped[str] = mapped_column(CText, default="", server_default="")
    sex: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    birth_date: Mapped[date | None] = mapped_column(Date)
    nationality: Mapped[str] = mapped_column(CText, default="", server_default="")
    id_number: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_tail: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_tail: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Works or lives elsewhere (外出): registered here, living in no household of the county.
    away: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    #: Whether there may be more than one membership, past ones counted; each of them says the same.
    several: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: Of one that turned out to be the same as another: who stayed.
    merged_into_id: Mapped[int | None]
    #: When and why the person moved away or died; nothing for those who live here.
    left_on: Mapped[date | None] = mapped_column(Date)
    left_reason: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    #: When everything that said who it was was erased (PIPL article 47); the row stays as a member without a name.
    erased_at: Mapped[datetime | None]
    client_id: Mapped[uuid.UUID | None]
    #: Keyed hash of what the client sent with its UUID: sent again, it must be the same.
    client_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    import_batch_id: Mapped[int | None]


class NameSuffix(Base, AreaBound):
    """Search table: every suffix of a person's name, its pinyin initials and pinyin (`pinyin.suffixes`).

    LIKE and trigram lose their index under row-level security; a range over suffixes keeps it. Keyed by its content:
    ``id`` is the person's.
    """

    __tablename__ = "name_suffix"

    suffix: Mapped[str] = mapped_column(CText, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    household_id: Mapped[int]


class HouseholdPiece(Base, AreaBound):
    """Search table: a household's number in its village and the pieces of its address (``text.pieces``).

    Keyed by its content, the area before the household, so that a village finds its own among a county's "三组" at
    once; ``id`` is the household's.
    """

    __tablename__ = "household_piece"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "piece", "area_code", "id"),)

    piece: Mapped[str] = mapped_column(CText, primary_key=True)
    area_code: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-18)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class PieceSuffix(Base, TenantOwned):
    """Search table: every suffix of every different piece, once for the county.

    Two writers that meet a new piece at once both write it, and nobody waits for anybody (an import is one long
    transaction): ``id`` keeps their rows apart, readers take each piece once.
    """

    __tablename__ = "piece_suffix"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "suffix", "piece", "id"),)

    suffix: Mapped[str] = mapped_column(CText, primary_key=True)
    piece: Mapped[str] = mapped_column(CText, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)


class MarkKind(TenantOwned, Base):
    """标识种类 of the county, from its profile. ``sensitivity``: normal, or sensitive (needs its own right)."""

    __tablename__ = "mark_kind"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    sensitivity: Mapped[str] = mapped_column(default="normal", server_default="normal")
    follows_to_household: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    source: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0)
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class PersonMark(Timestamps, AreaBound, Base):
    """标识 on a person, from which those of the household follow. Ended, never deleted."""

    __tablename__ = "person_mark"
    __table_args__ = (
        tenant_fk("person_id", "person"),
        Index(None, "tenant_id", "mark_key", "area_code"),
        Index(None, "tenant_id", "household_id"),
        # For each person that goes (an import undone, two made one), PostgreSQL looks whether marks point at it.
        Index(None, "tenant_id", "person_id"),
    )

    person_id: Mapped[int]
    household_id: Mapped[int]
    mark_key: Mapped[str] = mapped_column(CText)
    source: Mapped[str] = mapped_column(default="", server_default="")
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="", server_default="")


class HouseholdIncome(Timestamps, Versioned, AreaBound, Base):
    """户年收入 in whole yuan."""

    __tablename__ = "household_income"
    __table_args__ = (
        UniqueConstraint("tenant_id", "household_id", "year"),
        tenant_fk("household_id", "household"),
    )

    household_id: Mapped[int]
    year: Mapped[int] = mapped_column(SmallInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(default="", server_default="")


class HouseholdAward(Timestamps, Versioned, AreaBound, Base):
    """年度评定 such as 平安家庭. A missing row is not "not awarded": that is ``awarded`` false."""

    __tablename__ = "household_award"
    __table_args__ = (
        UniqueConstraint("tenant_id", "household_id", "award_key", "year"),
        tenant_fk("household_id", "household"),
    )

    household_id: Mapped[int]
    award_key: Mapped[str] = mapped_column(CText)
    year: Mapped[int] = mapped_column(SmallInteger)
    awarded: Mapped[bool]
    source: Mapped[str] = mapped_column(default="", server_default="")


class AwardKind(TenantOwned, Base):
    """评定种类 of the county, from its profile."""

    __tablename__ = "award_kind"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0)
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class CustomField(TenantOwned, Base):
    """自定义字段 of the county, from its profile or added by its administrators. ``entity``: household or person."""

    __tablename__ = "custom_field"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entity", "key"),
        CheckConstraint("entity in ('household', 'person')", name="entity"),
        CheckConstraint("type in ('text', 'integer', 'decimal', 'date', 'boolean', 'choice')", name="type"),
    )

    entity: Mapped[str]
    key: Mapped[str] = mapped_column(CText)
    type: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    help: Mapped[str] = mapped_column(default="")
    help_en: Mapped[str] = mapped_column(default="")
    required: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: Choices as [{"key", "name", "name_en"}] in order.
    options: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    position: Mapped[int] = mapped_column(SmallInteger, default=0)
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    #: The county's profile brought it: applying that again sets its words, kind and choices, and retires it once the
    #: profile no longer has it. Order and being in use belong to the county.
    from_profile: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class CustomValue(AreaBound, Base):
    """Value of a custom field: a typed side table, because jsonb loses its index under row-level security."""

    __tablename__ = "custom_value"
    __table_args__ = (
        UniqueConstraint("tenant_id", "field_id", "owner_id"),
        tenant_fk("field_id", "custom_field"),
        # One for each kind of value over the rows that have it; the owner last, so that a list walks along it.
        Index(None, "tenant_id", "field_id", "text_value", "owner_id", postgresql_where=text("text_value IS NOT NULL")),
        Index(None, "tenant_id", "field_id", "int_value", "owner_id", postgresql_where=text("int_value IS NOT NULL")),
        Index(None, "tenant_id", "field_id", "date_value", "owner_id", postgresql_where=text("date_value IS NOT NULL")),
    )

    field_id: Mapped[int]
    #: Id of the household or person, by the field's entity.
    owner_id: Mapped[int]
    #: text, choice
    text_value: Mapped[str | None] = mapped_column(CText)
    #: integer, boolean (0/1), decimal (hundredths)
    int_value: Mapped[int | None] = mapped_column(BigInteger)
    date_value: Mapped[date | None] = mapped_column(Date)


__all__ = [
    "AwardKind",
    "CustomField",
    "CustomValue",
    "Household",
    "HouseholdAward",
    "HouseholdIncome",
    "HouseholdMember",
    "MarkKind",
    "NameSuffix",
    "Person",
    "PersonMark",
    "RegisterAct",
    "RegisterActPart",
]
