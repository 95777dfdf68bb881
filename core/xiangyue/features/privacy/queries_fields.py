"""Who answers for which field: the core's table, the county's profile, and the departments of its marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from xiangyue.access.lawful import BASES
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import CustomField, MarkKind
from xiangyue.i18n import pick
from xiangyue.tenancy.field_owners import DEPARTMENTS, STANDARD, department_of
from xiangyue.tenancy.own import own_settings


@dataclass(frozen=True, slots=True)
class FieldLine:
    """``department``: its key, of a mark the county's own words. ``chinese``: the label is data even on an English
    page; ``said``: the county's profile says so."""

    field: str
    label: Any
    chinese: bool
    department: str
    department_label: Any
    basis: str
    law: Any
    stays: bool
    sensitive: bool = False
    said: bool = False

    @property
    def basis_label(self) -> Any:
        return BASES.get(self.basis, "")


def field_lines(uow: Uow) -> list[FieldLine]:
    """Standard fields, the county's own, then its marks; those in use."""
    overrides = own_settings(uow).field_owners
    found = []
    for name, owner in STANDARD.items():
        department = department_of(name, overrides)
        label = DEPARTMENTS.get(department, "")
        law = (owner.basis, owner.law, owner.stays)
        found.append(FieldLine(name, owner.label, False, department, label, *law, said=name in overrides))
    own = select(CustomField).where(CustomField.active).order_by(CustomField.entity, CustomField.position)
    for field in uow.session.scalars(own):
        name = f"custom.{field.entity}.{field.key}"
        department = department_of(name, overrides)
        words = pick(field.name, field.name_en), not field.name_en
        label = DEPARTMENTS.get(department, "")
        found.append(
            FieldLine(name, *words, department, label, "", "", field.entity == "household", said=name in overrides)
        )
    marks = select(MarkKind).where(MarkKind.active).order_by(MarkKind.position, MarkKind.id)
    for kind in uow.session.scalars(marks):
        words = pick(kind.name, kind.name_en), not kind.name_en
        basis = "duty" if kind.source else ""
        sensitive = kind.sensitivity != "normal"
        stays = bool(kind.source)
        found.append(FieldLine(f"mark.{kind.key}", *words, kind.source, kind.source, basis, "", stays, sensitive))
    return found
