"""What the pages share: keys, rights at a place, choices for selects, words for codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g, request, url_for

from xiangyue.access.crypto import TenantKeys
from xiangyue.access.permissions import Permission
from xiangyue.access.sensitive import needs_purpose
from xiangyue.features.households import policy
from xiangyue.features.households.custom import parse_value, value_label
from xiangyue.features.households.models import AwardKind, CustomField, MarkKind
from xiangyue.features.households.words import HOUSEHOLD_STATES, PERSON_STATES
from xiangyue.i18n import gettext as _
from xiangyue.i18n import pick
from xiangyue.tenancy.field_owners import DEPARTMENTS, department_of
from xiangyue.tenancy.own import own_settings
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX, CodeTable
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow, runtime

TABLES: dict[str, CodeTable] = {"relation": RELATIONS, "sex": SEX, "nationality": NATIONALITIES}


def keys() -> TenantKeys:
    """The county's keys, once per request."""
    if "household_keys" not in g:
        g.household_keys = runtime().tenant_keys(current_uow())
    found: TenantKeys = g.household_keys
    return found


def synthetic_ok() -> bool:
    """Whether the county lets made-up people with wrong check digits in."""
    return bool(current_tenant().settings.get("allow_synthetic_people"))


def may(permission: Permission, area_code: int) -> bool:
    """Whether the actor has the right at this place."""
    actor = current_actor()
    return actor.can(permission) and actor.scope(permission).contains(area_code)


def sensitive_gate(area_code: int) -> dict[str, Any]:
    """For the template: ``closed`` when a purpose would show more here, the ``purpose`` that holds, where to say it."""
    may_see = may(policy.SENSITIVE_VIEW, area_code)
    uow = current_uow()
    return {
        "closed": may_see and needs_purpose(uow),
        "purpose": uow.info.purpose if may_see else "",
        "url": url_for("accounts.ask_purpose", next=request.path),
        "end_url": url_for("accounts.state_purpose"),
        "next": request.path,
    }


def code_choices(table: CodeTable) -> list[tuple[str, str]]:
    return [(entry.code, entry.label) for entry in table]


def code_label(table: str, value: Any) -> str:
    """``02`` -> head of household; "" for nothing or not stated."""
    return TABLES[table].label(str(value)) if value else ""


def kind_name(kind: MarkKind | AwardKind | CustomField) -> str:
    return pick(kind.name, kind.name_en)


def kind_is_data(kind: MarkKind | AwardKind | CustomField) -> bool:
    """Whether its name is Chinese even on an English page."""
    return not kind.name_en


def custom_input(fields: Iterable[CustomField], form: Mapping[str, Any]) -> dict[str, Any]:
    """The own fields of a submitted form by key; a field that was not on the form is missing."""
    found: dict[str, Any] = {}
    for field in fields:
        name = f"custom.{field.key}"
        if name in form:
            found[field.key] = form.get(name)
    return found


def field_text(value: Any) -> Any:
    """A typed value as a form field holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def typed_label(field: CustomField, text: str) -> str:
    """What was typed into an own field, as it is shown; unreadable text as it is."""
    try:
        return str(value_label(field, parse_value(field.type, field.options, text)))
    except ValueError:
        return text


def option_choices(field: CustomField) -> list[tuple[str, str]]:
    return [(o["key"], pick(o["name"], o.get("name_en"))) for o in field.options]


def owned(field: str, help: Any = None) -> Any:
    """The help under a field (``person.phone``, ``custom.household.water``) with the department that answers for it."""
    if "field_owners" not in g:
        g.field_owners = own_settings(current_uow()).field_owners
    department = DEPARTMENTS.get(department_of(field, g.field_owners))
    if department is None:
        return help
    answers = _("Answered for by: %(department)s.", department=department)
    return answers if help is None else _("%(help)s %(answers)s", help=help, answers=answers)


def template_words() -> dict[str, Any]:
    """Functions that every template of the feature uses."""
    return {
        "owned": owned,
        "code_label": code_label,
        "kind_name": kind_name,
        "option_choices": option_choices,
        "household_states": HOUSEHOLD_STATES,
        "person_states": PERSON_STATES,
        "code_choices": code_choices,
        "tables_of_codes": TABLES,
    }
