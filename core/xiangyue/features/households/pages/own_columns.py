"""The county's own fields above and in a list: conditions, columns, and what stands in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.features.households.custom import value_label
from xiangyue.features.households.models import CustomField
from xiangyue.features.households.own_lists import OPERATORS, PREFIX, condition_label
from xiangyue.features.households.pages.common import kind_name, option_choices
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.chinese import has_han
from xiangyue.web.components import Column, Filter, ListView

_NAMED = re.compile(r"\bcustom\.([a-z][a-z0-9_]*)")
YES_NO = [("yes", _l("Yes")), ("no", _l("No"))]
#: What is offered without being in the address already: the others are for addresses and the API.
_OFFERED = {
    "text": ("has", "is", "filled"),
    "choice": ("", "filled"),
    "boolean": ("", "filled"),
    "integer": ("from", "to", "filled"),
    "decimal": ("from", "to", "filled"),
    "date": ("from", "to", "filled"),
}


def own_fields(uow: Uow, entity: str, args: MultiDict[str, str]) -> list[CustomField]:
    """Fields in use, in order, and retired ones that the address names: a saved view may be older than that."""
    asked = " ".join([*args, *args.getlist("cols"), args.get("sort", "")])
    wanted = or_(CustomField.active, CustomField.key.in_(_NAMED.findall(asked)))
    statement = select(CustomField).where(CustomField.entity == entity, wanted)
    return list(uow.session.scalars(statement.order_by(CustomField.position, CustomField.id)))


def by_column(fields: Iterable[CustomField]) -> dict[str, CustomField]:
    return {f"{PREFIX}{field.key}": field for field in fields}


def own_columns(fields: Iterable[CustomField]) -> list[Column]:
    """Columns that wait in the chooser."""
    return [
        Column(name, kind_name(field), sort=True, numeric=field.type in ("integer", "decimal"), default=False)
        for name, field in by_column(fields).items()
    ]


def own_shown(view: ListView) -> list[str]:
    """What the shown columns and the order need of the rows."""
    return [column.key for column in view.visible if column.key.startswith(PREFIX)]


def own_filters(fields: Sequence[CustomField], args: MultiDict[str, str]) -> list[Filter]:
    """Conditions by the kind of the field; they wait under "+ Condition"."""
    found = []
    for name, field in by_column(fields).items():
        for operator in OPERATORS[field.type]:
            full = f"{name}.{operator}" if operator else name
            if operator in _OFFERED[field.type] or full in args:
                found.append(
                    _filter(full, condition_label(operator, kind_name(field), field.type == "date"), field, operator)
                )
    return found


def _filter(name: str, label: Any, field: CustomField, operator: str) -> Filter:
    if operator == "filled" or field.type == "boolean":
        return Filter(name, label, choices=YES_NO, more=True)
    if field.type == "choice":
        choices = option_choices(field)
        return Filter(name, label, choices=choices, more=True, data=any(has_han(text) for _key, text in choices))
    kind: Any = {"date": "date", "integer": "number", "decimal": "decimal"}.get(field.type, "text")
    return Filter(name, label, kind=kind, more=True)


def own_text(field: CustomField, value: Any) -> str:
    """What a list shows of a value."""
    return str(value_label(field, value))


def own_cell(field: CustomField, value: Any) -> Any:
    """The same in a spreadsheet: numbers and dates stay what they are."""
    if isinstance(value, int | float | date) and not isinstance(value, bool):
        return value
    return own_text(field, value)
