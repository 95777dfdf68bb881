"""A person's record as a form changes it: what is plain is corrected; another household, or being away, is an act of
today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.audit import audit, changed
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households import memberships
from xiangyue.features.households.alike import COMPARED, look_for_alike
from xiangyue.features.households.child_phone import check_childs_phone
from xiangyue.features.households.custom import parse_values, write_values
from xiangyue.features.households.events import ask, tell_person
from xiangyue.features.households.memberships import Home, Place
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.origins import note_origins
from xiangyue.features.households.person_input import Errors, clean_person, today
from xiangyue.features.households.register.asked import home
from xiangyue.features.households.register.days import check_day
from xiangyue.features.households.register.work import OUTSIDE, Work
from xiangyue.features.households.writing import PLAIN, apply_values, follow, only_head, recorded, unique
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD

#: What follows from the memberships.
_DERIVED = ("relation", "away")


def change_person(
    uow: Uow, keys: TenantKeys, person: Person, changes: Mapping[str, Any], *, allow_synthetic: bool
) -> bool:
    """Check, apply and audit changes of a member; whether anything differs. Raises Invalid or Conflict."""
    errors: Errors = {}
    found = clean_person(changes, errors, allow_synthetic=allow_synthetic, new=False)
    custom = {}
    try:
        custom = parse_values(uow, "person", changes.get("custom") or {})
    except Invalid as error:
        errors.update(error.fields)
    target = person.household_id
    if changes.get("household_id") not in (None, "", target):
        target = int(changes["household_id"])
    household = uow.get_for_update(Household, target)
    moving = household.id != person.household_id
    if moving and household.state != "active":
        errors["household_id"] = [_l("This household is closed.")]
    if found.get("relation", person.relation) == HEAD and (moving or "relation" in found):
        only_head(uow, household, person.id, errors)
    at = home(uow, person)
    if found.get("away") and not person.away and at.living and not at.registered:
        errors["away"] = [_l("This person is not registered here. Say instead that he or she has moved away.")]
    check_childs_phone(uow, keys, found, errors, person)
    if errors:
        raise Invalid(errors)
    before = recorded(person)
    asked = {name: value for name, value in found.items() if name not in PLAIN or before[name] != value}
    if moving:
        asked["household_id"] = household.id
    if asked or custom:
        ask(uow, person.household_id, {"person_id": person.id, **asked}, custom)
    with unique(uow):
        apply_values(uow, keys, person, {name: value for name, value in found.items() if name not in _DERIVED})
        now = recorded(person)
        if any(now[name] != before[name] for name in COMPARED):
            look_for_alike(uow, keys, person, household, found, different=bool(changes.get("different")))
    version = person.version
    _belong(uow, person, household, at, found)
    old_custom, new_custom = write_values(uow, person, custom)
    old, new = changed(before, recorded(person))
    if not new and not new_custom:
        return False
    note_origins(uow, "person", person.id, [*new, *new_custom])
    person.version = version + 1
    action = "person.move" if moving else "person.edit"
    audit(uow, action=action, obj=person, label=person.name, before={**old, **old_custom}, after={**new, **new_custom})
    tell_person(uow, person, action)
    follow(uow, {before["household_id"], household.id}, [person.id])
    return True


def _belong(uow: Uow, person: Person, household: Household, at: Home, found: Mapping[str, Any]) -> None:
    moving, away = household.id != person.household_id, found.get("away", person.away)
    relation = found.get("relation", person.relation)
    if at.current is None:  # has left: only what is on record changes
        memberships.stand_in(uow, person, Place(household.id, relation))
        person.away = away
        return
    registered, living = at.registered, at.living
    here = Place(household.id, relation)
    if moving:
        registered = here if registered and registered.household_id == person.household_id else registered
        living = here if living and living.household_id == person.household_id else living
    if away != person.away:
        living = None if away else here
    if moving or away != person.away:
        kind = "move" if moving else "leave" if away else "return"
        day = check_day(uow, today(), [person], into=[household.id] if moving else [])
        with uow.tenant_wide(OUTSIDE):
            left = uow.get(Household, person.household_id)
            work = Work(uow, kind, day, left, other=household if moving else None, request={"person_id": person.id})
            work.settle(person, Home(registered, living))
            work.finish()
    elif relation != person.relation:
        memberships.set_relation(uow, person, relation)
