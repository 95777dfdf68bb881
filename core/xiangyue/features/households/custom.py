"""Values of the county's own fields: read from input, kept in typed columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.bulk_stage import Value, typed_value
from xiangyue.features.households.models import CustomField, CustomValue, Household, Person
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.dates import parse_date
from xiangyue.text.decimals import of_hundredths, parse_decimal
from xiangyue.text.folding import squeeze

MAX_TEXT = 500
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_YES = {"true", "yes", "1", "on"}
_NO = {"false", "no", "0", "off"}


def parse_value(kind: str, options: Iterable[Mapping[str, str]], given: Any) -> Value | None:
    """A typed value, None for nothing. ValueError says what is wrong."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    text = squeeze(str(given))
    if kind == "date":
        return parse_date(given if isinstance(given, date) else text)
    if kind == "integer":
        if not _WHOLE.fullmatch(text) or abs(int(text)) >= 2**63:
            raise ValueError(str(_l("Enter a whole number.")))
        return int(text)
    if kind == "decimal":
        return parse_decimal(given)
    if kind == "boolean":
        if text.lower() not in _YES | _NO:
            raise ValueError(str(_l("Choose yes or no.")))
        return text.lower() in _YES
    if kind == "choice":
        if text not in {o["key"] for o in options}:
            raise ValueError(str(_l("Choose one of the options.")))
        return text
    if len(text) > MAX_TEXT:
        raise ValueError(str(_l("At most %(limit)s characters.", limit=MAX_TEXT)))
    return text


def read_value(field: CustomField, row: CustomValue | None) -> Value | None:
    """The value of a row: text, choice key, int, float, bool or date."""
    if row is None:
        return None
    if field.type == "date":
        return row.date_value
    if field.type == "boolean":
        return None if row.int_value is None else bool(row.int_value)
    if field.type == "decimal":
        return None if row.int_value is None else of_hundredths(row.int_value)
    return row.int_value if field.type == "integer" else row.text_value


def value_label(field: CustomField, value: Value | None) -> Any:
    """What is shown for a value in the current language."""
    if value is None:
        return ""
    if field.type == "boolean":
        return _l("Yes") if value else _l("No")
    if field.type == "choice":
        option = next((o for o in field.options if o["key"] == value), None)
        return pick(option["name"], option.get("name_en")) if option else value
    return str(value)


def active_fields(uow: Uow, entity: str) -> list[CustomField]:
    """The county's own fields on households or persons, in order."""
    statement = select(CustomField).where(CustomField.entity == entity, CustomField.active.is_(True))
    return list(uow.session.scalars(statement.order_by(CustomField.position, CustomField.id)))


@dataclass(slots=True)
class FieldValue:
    """A field and what is recorded in it, as of `read_value`; ``label`` is what is shown."""

    field: CustomField
    value: Value | None

    @property
    def label(self) -> Any:
        return value_label(self.field, self.value)


def values_of(
    uow: Uow, entity: str, owners: Sequence[Household | Person], *, retired: bool = False
) -> dict[int, list[FieldValue]]:
    """Every active field with its value, by the id of the owner, in two statements. ``retired``: behind them also
    those out of use in which something is recorded, which the record keeps."""
    wanted = select(CustomField).where(CustomField.entity == entity).order_by(CustomField.position, CustomField.id)
    fields = list(uow.session.scalars(wanted)) if retired else active_fields(uow, entity)
    fields.sort(key=lambda field: not field.active)
    statement = select(CustomValue).where(
        CustomValue.owner_id.in_([o.id for o in owners]), CustomValue.field_id.in_([f.id for f in fields])
    )
    rows = {(row.owner_id, row.field_id): row for row in uow.session.scalars(statement)}
    return {
        o.id: [FieldValue(f, read_value(f, rows.get((o.id, f.id)))) for f in fields if f.active or (o.id, f.id) in rows]
        for o in owners
    }


def parse_values(
    uow: Uow, entity: str, given: Mapping[str, Any], *, complete: bool = False, prefix: str = "custom."
) -> dict[CustomField, Value | None]:
    """Typed values by field. ``complete``: of a new record, so required fields must be there; a required one can
    never be emptied. Raises Invalid by ``custom.<key>``."""
    known = {f.key: f for f in active_fields(uow, entity)}
    errors: dict[str, list[Any]] = {
        f"{prefix}{key}": [_l("There is no field “%(field)s”.", field=key)] for key in given if key not in known
    }
    values: dict[CustomField, Value | None] = {}
    for key, field in known.items():
        if key not in given and not (complete and field.required):
            continue
        try:
            values[field] = parse_value(field.type, field.options, given.get(key))
        except ValueError as error:
            errors[f"{prefix}{key}"] = [str(error)]
            continue
        if field.required and values[field] is None:
            errors[f"{prefix}{key}"] = [_l("Please fill this in.")]
    if errors:
        raise Invalid(errors)
    return values


def write_values(
    uow: Uow, owner: Household | Person, values: Mapping[CustomField, Value | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set values (None removes); returns what differs as (before, after) by ``custom.<key>``."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if not values:
        return before, after
    statement = select(CustomValue).where(
        CustomValue.owner_id == owner.id, CustomValue.field_id.in_([f.id for f in values])
    )
    rows = {row.field_id: row for row in uow.session.scalars(statement)}
    for field, value in values.items():
        row = rows.get(field.id)
        old = read_value(field, row)
        if old == value:
            continue
        before[f"custom.{field.key}"], after[f"custom.{field.key}"] = old, value
        if value is None:
            uow.session.delete(row)
            continue
        if row is None:
            row = CustomValue(field_id=field.id, owner_id=owner.id, area_code=owner.area_code)
            uow.session.add(row)
        row.text_value, row.int_value, row.date_value = typed_value(field.type, value)
    return before, after
