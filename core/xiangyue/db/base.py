"""Declarative base and the mixins that say whose a table is.

Every table is ``TenantOwned`` (``tenant_id``, row-level security, composite key) or ``Global``. A table with neither
fails a gate. ``AreaBound`` adds ``area_code``, by which a person's area limits what a statement reaches.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar
from weakref import WeakSet

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Integer,
    MetaData,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = dict[str, Any]

#: Text compared byte by byte: keeps its index under row-level security and pages by keyset.
CText = Text(collation="C")


class Base(DeclarativeBase):
    """Base of all tables. ``runtime_grants`` are the rights of the runtime role on the table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        Json: JSONB,
    }
    runtime_grants: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"


#: Registries of plugins' own bases (``db.plugin_tables``); one of a plugin that was taken out is gone from here.
PLUGIN_REGISTRIES: WeakSet[registry] = WeakSet()


def mappers() -> Iterator[Mapper[Any]]:
    """Of all mapped classes, the core's and plugins'."""
    yield from Base.registry.mappers
    for own in tuple(PLUGIN_REGISTRIES):
        yield from own.mappers


def table_name(model: type) -> str:
    """Name of a model's table."""
    name: str = model.__tablename__  # type: ignore[attr-defined]
    return name


class Global:
    """A table without a tenant: the directory of tenants itself. Nothing personal may stand in one."""

    __abstract__ = True


class TenantOwned:
    """A table whose rows belong to one county: key ``(tenant_id, id)``, row-level security enabled and forced."""

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, sort_order=-20)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True, sort_order=-19)


class AreaBound(TenantOwned):
    """A tenant-owned row that lies in an area.

    ``area_code``: 15 digits, the 12-digit division code (统计用区划代码) and 3 digits of the villager group (村民小组),
    000 for the village itself. A subtree is a range of it.
    """

    area_code: Mapped[int] = mapped_column(BigInteger, sort_order=-18)


class Timestamps:
    """``created_at`` and ``updated_at`` in UTC."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=91)


class Versioned:
    """Optimistic locking: ``version`` goes up by one with each change (ETag, hidden form field)."""

    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1", sort_order=92)


def tenant_fk(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key to a tenant-owned table, with tenant_id as the law demands (RLS does not filter its check)."""
    if ondelete == "SET NULL":
        ondelete = f"SET NULL ({column})"
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete)


def tenant_join(source: str, column: str, target: str) -> str:
    """``primaryjoin`` of a relationship between tenant-owned tables; plain ones overlap on tenant_id."""
    return f"and_({source}.tenant_id == {target}.tenant_id, foreign({source}.{column}) == {target}.id)"
