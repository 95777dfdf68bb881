"""What of this feature hangs on persons and households and goes along when another takes their place.

Members are none of it: who belongs to a household is an act of its own.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from xiangyue.features.households.models import (
    CustomField,
    CustomValue,
    HouseholdAward,
    HouseholdIncome,
    PersonMark,
)
from xiangyue.features.households.models_facts import FactConflict, FactDepartment, FactOrigin
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows


def _of(entity: str) -> ColumnElement[bool]:
    return CustomValue.field_id.in_(select(CustomField.id).where(CustomField.entity == entity))


def _facts(entity: str) -> tuple[Follows, ...]:
    prefix = "" if entity == "person" else "household_"
    came_from = _l("Where values came from")
    return (
        Follows(
            f"{prefix}fact_conflict",
            _l("Values that wait for a decision"),
            entity,
            FactConflict,
            "owner_id",
            open=FactConflict.state == "open",
            unique=("field", "digest"),
            where=FactConflict.entity == entity,
        ),
        Follows(
            f"{prefix}fact_origin",
            came_from,
            entity,
            FactOrigin,
            "owner_id",
            unique=("field",),
            where=FactOrigin.entity == entity,
        ),
        Follows(
            f"{prefix}fact_department",
            came_from,
            entity,
            FactDepartment,
            "owner_id",
            unique=("batch_id",),
            where=FactDepartment.entity == entity,
        ),
    )


FOLLOWS = (
    Follows(
        "person_mark",
        _l("Marks"),
        "person",
        PersonMark,
        "person_id",
        open=PersonMark.valid_to.is_(None),
        unique=("mark_key", "valid_to"),
        household="household_id",
    ),
    Follows("household_income", _l("Yearly incomes"), "household", HouseholdIncome, "household_id", unique=("year",)),
    Follows(
        "household_award",
        _l("Yearly awards"),
        "household",
        HouseholdAward,
        "household_id",
        unique=("award_key", "year"),
    ),
    Follows(
        "person_value",
        _l("Values of the county's own fields"),
        "person",
        CustomValue,
        "owner_id",
        unique=("field_id",),
        where=_of("person"),
    ),
    Follows(
        "household_value",
        _l("Values of the county's own fields"),
        "household",
        CustomValue,
        "owner_id",
        unique=("field_id",),
        where=_of("household"),
    ),
    *(follows for entity in ("person", "household") for follows in _facts(entity)),
)
