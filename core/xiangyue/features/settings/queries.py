"""Reads of the county's settings: its own row, and its lists of marks, awards and own fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from xiangyue.db.uow import Uow
from xiangyue.features.households.custom_usage import field_usage
from xiangyue.features.households.models import (
    AwardKind,
    CustomField,
    HouseholdAward,
    MarkKind,
    PersonMark,
)
from xiangyue.tenancy.models import Tenant, TenantHost

Kind = MarkKind | AwardKind | CustomField


@dataclass(frozen=True, slots=True)
class KindSpec:
    """One of the three lists: its table, its audit name, the columns people change (in the order of the form)."""

    model: type[Any]
    key: str
    columns: tuple[str, ...]


MARKS = KindSpec(MarkKind, "mark_kind", ("name", "name_en", "sensitivity", "follows_to_household", "source", "active"))
AWARDS = KindSpec(AwardKind, "award_kind", ("name", "name_en", "active"))
FIELDS = KindSpec(
    CustomField, "custom_field", ("type", "name", "name_en", "help", "help_en", "required", "options", "active")
)


def tenant_row(uow: Uow) -> Tenant:
    return uow.session.scalars(select(Tenant).where(Tenant.id == uow.tenant_id)).one()


def own_hosts(uow: Uow) -> list[str]:
    """Host names of the county's own, besides ``<slug>.<base domain>``."""
    return sorted(uow.session.scalars(select(TenantHost.host).where(TenantHost.tenant_id == uow.tenant_id)))


def list_kinds(uow: Uow, spec: KindSpec) -> list[Any]:
    """All of a list, those in use first, each in the county's order."""
    model = spec.model
    order = (model.active.desc(), *((model.entity,) if spec is FIELDS else ()), model.position, model.id)
    return list(uow.session.scalars(select(model).order_by(*order)))


def get_kind(uow: Uow, spec: KindSpec, id: int) -> Any:
    """One of a list. Raises NotFound."""
    return uow.get(spec.model, id)


def values_of(row: Kind, spec: KindSpec) -> dict[str, Any]:
    return {column: getattr(row, column) for column in spec.columns}


def version_of(row: Kind, spec: KindSpec) -> int:
    """A number that differs when the row does: these small tables have no version column."""
    text = json.dumps(values_of(row, spec), sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def usage(uow: Uow, spec: KindSpec) -> dict[Any, int]:
    """How many records have each of a list: by key for marks and awards, by id for own fields. County-wide."""
    if spec is MARKS:
        statement = select(PersonMark.mark_key, func.count()).group_by(PersonMark.mark_key)
    elif spec is AWARDS:
        statement = select(HouseholdAward.award_key, func.count()).group_by(HouseholdAward.award_key)
    else:
        return dict(field_usage(uow))
    with uow.tenant_wide("whether a kind is in use anywhere in the county"):
        return {row[0]: row[1] for row in uow.session.execute(statement)}


def used(row: Kind, spec: KindSpec, numbers: Mapping[Any, int]) -> int:
    return numbers.get(row.id if spec is FIELDS else row.key, 0)
