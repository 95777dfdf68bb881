"""Who may tell but not change the register: what is told waits for the village (待确认) and does nothing until then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.models import Household, Person, RegisterAct, RegisterActPart
from xiangyue.features.households.person_input import clean_person
from xiangyue.features.households.register.asked import Asked, open_household, plain_request
from xiangyue.features.households.register.work import now, who
from xiangyue.features.households.writing import checked_day, refuse_gone, required_text
from xiangyue.i18n import lazy_gettext as _l

#: What may be reported: what a grid leader sees happen.
REPORTABLE = ("birth", "move_in", "move_out", "leave", "return", "death")


def report(uow: Uow, asked: Asked) -> RegisterAct:
    """Note what was told. Raises Invalid, Conflict (told already), NotFound."""
    if asked.kind not in REPORTABLE:
        raise Invalid({"kind": [_l("Choose one of the options.")]})
    day = checked_day(asked.on)
    reason = "" if not asked.reason else required_text(asked.reason, "reason")
    person = None
    if asked.request.get("person_id") or asked.kind not in ("birth", "move_in"):
        person = uow.get(Person, asked.number("person_id"))
        refuse_gone(person)
        household = uow.get(Household, person.household_id)
        _check_state(person, asked.kind)
        _check_once(uow, asked.kind, person)
    else:
        household = open_household(uow, asked.number("household_id"))
        _check_values(asked)
    act = RegisterAct(kind=asked.kind, on_date=day, reason=reason, state="reported", version=1)
    act.household_id, act.area_code = household.id, household.area_code
    act.request = plain_request(asked.request)
    act.reported_by, act.reported_name = who(uow)
    act.reported_at = now()
    uow.session.add(act)
    uow.session.flush()
    parts = [("household", household.id)] + ([("person", person.id)] if person else [])
    uow.session.add_all(RegisterActPart(kind=kind, thing_id=id, act_id=act.id) for kind, id in parts)
    name = person.name if person else str(act.request.get("values", {}).get("name", ""))
    audit(uow, action="register.report", obj=act, label=name, after=_told(act))
    return act


def refuse(uow: Uow, act: RegisterAct, reason: str) -> None:
    """Leave what was told undone. Raises Invalid without a reason."""
    act.state, act.decision = "refused", required_text(reason, "reason")
    audit(uow, action="register.refuse", obj=act, before={"state": "reported"}, after={**_told(act), "reason": reason})


def _told(act: RegisterAct) -> dict[str, Any]:
    found = {"act": act.kind, "on": act.on_date, "household_id": act.household_id, "reason": act.reason}
    return {name: value for name, value in found.items() if value}


def _check_state(person: Person, kind: str) -> None:
    gone = person.state != "active"
    if kind in ("move_out", "leave", "death") and gone:
        raise Conflict(_l("This person has left already."))
    if kind == "leave" and person.away:
        raise Conflict(_l("This person lives in no household of the county."))
    if kind in ("return", "move_in") and not gone and not person.away:
        raise Conflict(_l("This person lives here."))


def _check_once(uow: Uow, kind: str, person: Person) -> None:
    part, act = RegisterActPart, RegisterAct
    statement = (
        select(act.id)
        .join(part, and_(part.tenant_id == act.tenant_id, part.act_id == act.id))
        .where(part.kind == "person", part.thing_id == person.id, act.state == "reported", act.kind == kind)
    )
    if uow.session.scalars(statement.limit(1)).first() is not None:
        raise Conflict(_l("This has been reported of %(name)s already and waits for the village.", name=person.name))


def _check_values(asked: Asked) -> None:
    values: Mapping[str, Any] = asked.request.get("values") or {}
    hidden = [f"values.{name}" for name in ("id_number", "phone", "custom") if values.get(name)]
    if hidden:
        raise Invalid({name: [_l("Not in a report: whoever confirms it adds this.")] for name in hidden})
    errors: dict[str, list[Any]] = {}
    if asked.kind == "birth" and not values.get("sex"):
        errors["sex"] = [_l("Please fill this in.")]
    clean_person(values, errors, allow_synthetic=False, new=True)
    if errors:
        raise Invalid({f"values.{name}": messages for name, messages in errors.items()})
