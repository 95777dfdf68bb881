"""The first households that a dry run found to be new, as examples: there one sees whether columns went where they
belong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import MarkKind
from xiangyue.features.imports.staging import Household, households_of
from xiangyue.text.idnumber import mask
from xiangyue.text.phone import mask_phone

#: Persons from which no further household is shown.
_PERSONS = 20
_PLAIN = ("relation", "sex", "birth_date", "nationality", "away")


def first_new(uow: Uow, keys: TenantKeys, batch_id: int, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The households to which these rows belong, each with its persons after it, as samples without ``before``;
    ``row``: of the head. Long numbers are masked, and marks that need a right of their own are left out."""
    made: list[dict[str, Any]] = []
    if not rows:
        return made
    plain = frozenset(uow.session.scalars(select(MarkKind.key).where(MarkKind.sensitivity == "normal")))
    for household in households_of(uow, keys, batch_id, rows):
        if len(made) < _PERSONS:
            made += _samples(household, plain)
    return made


def _samples(household: Household, marks: frozenset[str]) -> Iterator[dict[str, Any]]:
    row_no, head = household.head
    taken = household.as_row()
    said: dict[str, Any] = {"code": taken.code, "area_code": taken.area_code, "address": taken.address}
    if taken.income is not None:
        said |= {"income_year": taken.income[0], "income": taken.income[1]}
    yield _sample("household", head, row_no, {**said, **_own(head, "household")})
    for _row_no, values in household.rows:
        said = {key: values.get(key) for key in _PLAIN}
        said["id_number"] = mask(values.get("id_number") or "")
        said["phone"] = mask_phone(values.get("phone") or "")
        said["marks"] = [key for key in values.get("marks") or () if key in marks]
        yield _sample("person", values, row_no, {**said, **_own(values, "person")})


def _own(values: Mapping[str, Any], entity: str) -> dict[str, Any]:
    """The county's own fields by the key of their column; what plugins take is not shown."""
    return {key: value for key, value in values.get("custom", {}).items() if key.startswith(f"{entity}.")}


def _sample(entity: str, values: Mapping[str, Any], row_no: int, after: dict[str, Any]) -> dict[str, Any]:
    filled = {key: value for key, value in after.items() if value or value is False}
    return {"entity": entity, "label": values["name"], "before": None, "after": filled, "row": row_no}
