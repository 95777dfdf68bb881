"""For which department an import speaks, and for which of its columns that department answers."""

from __future__ import annotations

from collections.abc import Mapping

from xiangyue.db.uow import Uow
from xiangyue.features.households.origins import CUSTOM, FIELDS, NOBODY, Speaks
from xiangyue.features.imports.models import ImportBatch
from xiangyue.tenancy.field_owners import department_of
from xiangyue.tenancy.own import own_settings

#: Facts whose column is called otherwise.
_COLUMNS = {("household", "income"): "household_income"}


def speaks_of(uow: Uow, batch: ImportBatch) -> Speaks:
    """The facts of the file for which the batch's department answers in this county; none where it speaks for none."""
    if not batch.department:
        return NOBODY
    overrides = own_settings(uow).field_owners
    columns = set(batch.header.get("columns", ()))
    facts = set()
    for entity, names in FIELDS.items():
        for name in names:
            if _COLUMNS.get((entity, name), name) in columns and _owns(batch, f"{entity}.{name}", overrides):
                facts.add((entity, name))
        for column in columns:
            key = column.removeprefix(f"{entity}.")
            if key != column and _owns(batch, f"custom.{entity}.{key}", overrides):
                facts.add((entity, f"{CUSTOM}{key}"))
    return Speaks(batch.department, frozenset(facts))


def _owns(batch: ImportBatch, field: str, overrides: Mapping[str, str]) -> bool:
    return department_of(field, overrides) == batch.department
