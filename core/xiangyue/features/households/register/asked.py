"""What is asked of the register, before anybody looked whether it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.memberships import Home, Place, home_of, standing
from xiangyue.features.households.models import Household, Person, RegisterAct
from xiangyue.features.households.register.work import Work, locked_persons
from xiangyue.features.households.writing import head_of, refuse_gone
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD, RELATIONS
from xiangyue.text.whole import whole_number


@dataclass(slots=True)
class Asked:
    """An act asked for. ``request`` by kind:

    birth, move_in: household_id, ``values`` of the person as of ``add_person`` (move_in: or person_id of somebody who
    had left), registered, living · move: person_id, household_id, relation, registered, living · move_out: person_id,
    registered, living · leave, death: person_id · return: person_id, household_id (where registered, when missing),
    relation · head_change: household_id, person_id, relations · split: household_id, persons, person_id (the new
    head), relations, address, area_code, registered, living · merge: household_id, other_household_id (the one that
    stays), relations · close, reopen: household_id.

    ``registered`` and ``living`` say on which base; both when missing. ``relations``: GB/T 4761 by person id.
    """

    kind: str
    on: Any
    request: Mapping[str, Any]
    reason: str = ""
    keys: TenantKeys | None = None
    allow_synthetic: bool = False
    #: A report that is being confirmed.
    act: RegisterAct | None = None
    #: Who is asked for has been locked and seen to be the caller's already.
    persons: dict[int, Person] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """An id that must be there. Raises Invalid."""
        number = whole_number(self.request.get(name))
        if not number:
            raise Invalid({name: [_l("Please fill this in.")]})
        return number

    def flag(self, name: str) -> bool:
        return bool(self.request.get(name, True))

    def bases(self) -> tuple[bool, bool]:
        """(registered, living). Raises Invalid when neither."""
        bases = self.flag("registered"), self.flag("living")
        if bases == (False, False):
            raise Invalid({"registered": [_l("Choose the household register, living here, or both.")]})
        return bases

    def relation(self, name: str = "relation") -> str:
        return relation_code(self.request.get(name), name)

    def relations(self) -> dict[int, str]:
        """Codes by person id. Raises Invalid (``relations.<id>``)."""
        given = self.request.get("relations") or {}
        return {int(id): relation_code(value, f"relations.{id}") for id, value in given.items()}

    def person(self, uow: Uow) -> Person:
        """The person it is about, locked. Raises NotFound; Conflict for a record that is part of another, or erased."""
        id = self.number("person_id")
        person = self.persons.get(id) or locked_persons(uow, [id])[id]
        refuse_gone(person)
        return person

    def work(self, uow: Uow, on: date, household: Household, *, other: Household | None = None) -> Work:
        return Work(
            uow,
            self.kind,
            on,
            household,
            other=other,
            reason=self.reason,
            request=plain_request(self.request),
            act=self.act,
            keys=self.keys,
            allow_synthetic=self.allow_synthetic,
        )


def relation_code(value: Any, name: str) -> str:
    """The code of a relation given as code, label or synonym; "" for nothing. Raises Invalid."""
    if value is None or not str(value).strip():
        return ""
    code = RELATIONS.parse(str(value))
    if code is None:
        raise Invalid({name: [_l("Choose one of the options.")]})
    return code


def plain_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """What of a request may be kept: never a citizen number or phone."""
    kept = {name: value for name, value in request.items() if name != "values"}
    if "values" in request:
        hidden = ("id_number", "phone", "custom")
        kept["values"] = {name: value for name, value in request["values"].items() if name not in hidden}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in kept.items()}


def open_household(uow: Uow, id: int, name: str = "household_id") -> Household:
    """A household on the register, locked. Raises NotFound, Invalid."""
    household = uow.get_for_update(Household, id)
    if household.state != "active":
        raise Invalid({name: [_l("This household is closed.")]})
    return household


def open_household_anywhere(uow: Uow, id: int) -> Household:
    with uow.tenant_wide("a person goes back to where he or she is registered"):
        household = uow.get_for_update(Household, id)
    if household.state != "active":
        raise Conflict(_l("This household is closed."))
    return household


def home(uow: Uow, person: Person) -> Home:
    """Where the person belongs; somebody recorded without memberships is registered and living where recorded."""
    found = home_of(standing(uow, [person.id])[person.id])
    if found.current is None and person.state == "active":
        here = Place(person.household_id, person.relation)
        return Home(here, None if person.away else here)
    return found


def relation_at(at: Home, household_id: int) -> str | None:
    """The relation in that household; None: belongs not there."""
    places = (place for place in (at.living, at.registered) if place is not None)
    return next((place.relation for place in places if place.household_id == household_id), None)


def check_head(uow: Uow, household: Household, relation: str, person_id: int | None, name: str = "relation") -> None:
    """A household has one head. Raises Invalid."""
    if relation != HEAD:
        return
    with uow.tenant_wide("the head may live elsewhere"):
        head = head_of(uow, household.id, besides=person_id)
    if head is not None:
        raise Invalid(
            {name: [_l("%(name)s is the head of this household. Change that relation first.", name=head.name)]}
        )
