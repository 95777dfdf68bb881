"""The directory of tenants: global tables, the only ones that are read before a tenant is known."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, Global, Json, Timestamps, Versioned

#: The operator's console is a tenant of its own kind, so accounts, sessions and audit are the same there.
COUNTY = "county"
OPERATOR = "operator"


class Tenant(Timestamps, Versioned, Global, Base):
    """A county (or the operator). ``settings`` are the profile's [settings]; ``profile`` is the profile as applied."""

    __tablename__ = "tenant"
    __table_args__ = (
        CheckConstraint("kind in ('county', 'operator')", name="kind"),
        CheckConstraint("state in ('active', 'suspended')", name="state"),
    )
    runtime_grants = "SELECT, INSERT, UPDATE"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(default=COUNTY)
    name: Mapped[str]
    name_en: Mapped[str]
    #: 15-digit area code of the county, 0 for the operator.
    area_code: Mapped[int] = mapped_column(BigInteger, default=0)
    locale: Mapped[str] = mapped_column(default="zh")
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    suspended_reason: Mapped[str] = mapped_column(default="", server_default="")
    settings: Mapped[Json] = mapped_column(default=dict)
    profile: Mapped[Json] = mapped_column(default=dict)
    #: Goes up with every change of the county's plugins: what processes remember of them is known by it.
    plugins_version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class TenantHost(Global, Base):
    """A host name a tenant answers at, beside ``<slug>.<base domain>``."""

    __tablename__ = "tenant_host"
    runtime_grants = "SELECT, INSERT, DELETE"

    host: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(Integer, ForeignKey("tenant.id"))
