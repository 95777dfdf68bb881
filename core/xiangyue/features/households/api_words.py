"""Records as the API gives them, in the order of their schemas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xiangyue.features.households.models import HouseholdAward, HouseholdIncome
from xiangyue.features.households.queries import FieldValue, HouseholdView, MarkView, PersonView


def income_json(row: HouseholdIncome) -> dict[str, Any]:
    return {"year": row.year, "amount": row.amount, "source": row.source, "version": row.version}


def award_json(row: HouseholdAward) -> dict[str, Any]:
    return {
        "award": row.award_key,
        "year": row.year,
        "awarded": row.awarded,
        "source": row.source,
        "version": row.version,
    }


def mark_json(view: MarkView) -> dict[str, Any]:
    mark = view.mark
    return {
        "id": mark.id,
        "person_id": mark.person_id,
        "mark": mark.mark_key,
        "name": view.kind.name,
        "sensitive": view.kind.sensitivity != "normal",
        "source": mark.source,
        "valid_from": mark.valid_from,
        "valid_to": mark.valid_to,
        "note": mark.note,
    }


def _custom(values: Iterable[FieldValue]) -> dict[str, Any]:
    return {v.field.key: v.value for v in values}


def place_name(path: list[tuple[int, str]]) -> str:
    """Village and group of a path from the town down."""
    return "".join(name for _code, name in path[1:])


def person_json(view: PersonView) -> dict[str, Any]:
    person, household = view.person, view.household
    plain = (
        "id", "household_id", "name", "sex", "birth_date", "relation", "nationality", "away", "state", "area_code",
        "version", "updated_at",
    )  # fmt: skip
    return {
        **{name: getattr(person, name) for name in plain},
        "id_number": view.id_number,
        "phone": view.phone,
        "area_name": place_name(view.area_path),
        "household_code": household.code,
        "head_name": household.head_name,
        "address": household.address,
        "note": person.note,
        "left_on": person.left_on,
        "left_reason": person.left_reason,
        "mark_records": [mark_json(m) for m in (*view.marks, *view.ended)],
        "custom": _custom(view.custom),
    }


def household_json(view: HouseholdView) -> dict[str, Any]:
    household = view.household
    plain = (
        "id", "code", "area_code", "head_name", "person_count", "address", "state", "version", "updated_at",
    )  # fmt: skip
    latest = view.incomes[0] if view.incomes else None
    return {
        **{name: getattr(household, name) for name in plain},
        "marks": [group.kind.key for group in view.marks],
        "area_name": place_name(view.area_path),
        "away_count": sum(p.person.away for p in view.persons if p.person.state == "active"),
        "registered_count": household.registered_count,
        "living_count": household.living_count,
        "income": latest.amount if latest else None,
        "income_year": latest.year if latest else None,
        "note": household.note,
        "location": household.location,
        "batch_id": household.import_batch_id,
        "created_at": household.created_at,
        "left_on": household.left_on,
        "left_reason": household.left_reason,
        "has_head": view.has_head,
        "persons": [person_json(p) for p in view.persons],
        "incomes": [income_json(row) for row in view.incomes],
        "awards": [award_json(a) for row in view.awards for a in row.years.values() if a is not None],
        "custom": _custom(view.custom),
    }
