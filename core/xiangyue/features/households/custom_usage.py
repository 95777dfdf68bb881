"""How many records have a county's own field, or one of its choices: what changes must not make unreadable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households.models import CustomField, CustomValue, Household, Person
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick


def field_usage(uow: Uow) -> dict[int, int]:
    """Records with a value by the field's id, county-wide."""
    statement = select(CustomValue.field_id, func.count()).group_by(CustomValue.field_id)
    with uow.tenant_wide("whether a field is in use anywhere in the county"):
        return {row[0]: row[1] for row in uow.session.execute(statement)}


def option_usage(uow: Uow, field_id: int) -> dict[str, int]:
    """How many records chose each option of a field, by the option's key."""
    statement = (
        select(CustomValue.text_value, func.count())
        .where(CustomValue.field_id == field_id, CustomValue.text_value.is_not(None))
        .group_by(CustomValue.text_value)
    )
    with uow.tenant_wide("whether a choice is in use anywhere in the county"):
        return {key: count for key, count in uow.session.execute(statement) if key is not None}


def lacking(uow: Uow, field: CustomField) -> int:
    """How many households or persons on the register have no value of a field, county-wide."""
    model: type[Household] | type[Person] = Household if field.entity == "household" else Person
    filled = select(CustomValue.owner_id).where(CustomValue.field_id == field.id)
    with uow.tenant_wide("whom a field that must be filled in concerns"):
        statement = select(func.count()).select_from(model).where(model.state == "active", model.id.not_in(filled))
        return uow.session.execute(statement).scalar_one()


def lacking_query(field: CustomField) -> str:
    """Path and query of the list of those."""
    path = "/households" if field.entity == "household" else "/persons"
    return f"{path}?{urlencode({'area': 'all', f'custom.{field.key}.filled': 'no'})}"


def records_query(field: CustomField, option: str = "") -> str:
    """Path and query of the list of the records that have a field, or one of its choices, whatever their state."""
    name = f"custom.{field.key}"
    condition = {name: option} if option else {f"{name}.filled": "yes"}
    path = "/households" if field.entity == "household" else "/persons"
    return f"{path}?{urlencode({'area': 'all', 'state': 'all', **condition})}"


def refuse_unreadable(uow: Uow, field: CustomField, kind: str, options: Iterable[Mapping[str, Any]]) -> None:
    """Raises Conflict with the number of records when another type, or the loss of choices, would leave their values
    without a meaning."""
    if kind != field.type:
        number = field_usage(uow).get(field.id, 0)
        if number:
            raise Conflict(
                _l(
                    "The field “%(field)s” cannot become another kind: %(n)d records have a value.",
                    field=pick(field.name, field.name_en),
                    n=number,
                )
            )
        return
    if kind != "choice":
        return
    kept = {option["key"] for option in options}
    gone = [option for option in field.options if option["key"] not in kept]
    used = option_usage(uow, field.id) if gone else {}
    for option in gone:
        if used.get(option["key"]):
            raise Conflict(
                _l(
                    "The choice “%(name)s” of “%(field)s” cannot be taken away: %(n)d records have it.",
                    name=pick(option["name"], option.get("name_en")),
                    field=pick(field.name, field.name_en),
                    n=used[option["key"]],
                )
            )
