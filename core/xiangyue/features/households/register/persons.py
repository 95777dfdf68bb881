"""Acts about one person: birth, moving in, moving, moving out, leaving, coming back, death."""

from __future__ import annotations

from typing import Any

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.events import ask
from xiangyue.features.households.memberships import First, Home, Place
from xiangyue.features.households.models import Household, Person, RegisterAct
from xiangyue.features.households.person_input import clean_text
from xiangyue.features.households.register.asked import (
    Asked,
    check_head,
    home,
    open_household,
    open_household_anywhere,
)
from xiangyue.features.households.register.days import check_day
from xiangyue.features.households.register.work import OUTSIDE, Work
from xiangyue.features.households.writing import new_person, plain_values
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD


def birth(uow: Uow, asked: Asked) -> RegisterAct:
    """A child is born into a household; the day is the date of birth."""
    values = {**dict(asked.request.get("values") or {}), "birth_date": asked.on}
    # Without a name there is a usual word; a boy or a girl is said, or follows from the citizen number.
    if not values.get("sex") and not values.get("id_number"):
        raise Invalid({"values.sex": [_l("Please fill this in.")]})
    if str(values.get("relation") or "") == HEAD:
        raise Invalid({"values.relation": [_l("Choose one of the options.")]})
    return _newcomer(uow, asked, values)


def move_in(uow: Uow, asked: Asked) -> RegisterAct:
    """Somebody comes from outside the county: a new record, or one who had left."""
    if not asked.request.get("person_id"):
        return _newcomer(uow, asked, dict(asked.request.get("values") or {}))
    person = asked.person(uow)
    if person.state != "active":
        household = open_household(uow, asked.number("household_id"))
        return comes_back(uow, asked, person, household, asked.relation() or person.relation)
    raise Conflict(_l("This person lives here."))


def _newcomer(uow: Uow, asked: Asked, values: dict[str, Any]) -> RegisterAct:
    household = open_household(uow, asked.number("household_id"))
    registered, living = asked.bases()
    day = check_day(uow, asked.on, (), into=[household.id])
    assert asked.keys is not None
    work = asked.work(uow, day, household)
    first = First(day, registered, living, work.act.id)
    person = new_person(
        uow, asked.keys, household, values, allow_synthetic=asked.allow_synthetic, prefix="values.", first=first
    )
    ask(uow, household.id, {"act": asked.kind, "person_id": person.id, **plain_values(person)})
    work.made_person(person)
    work.tell(person, "person.add")
    return work.finish()


def move(uow: Uow, asked: Asked) -> RegisterAct:
    """A person goes from one household to another of the county, on one base or both."""
    person = asked.person(uow)
    target = open_household(uow, asked.number("household_id"))
    registered, living = asked.bases()
    at = home(uow, person)
    known = next(
        (place.relation for place in (at.living, at.registered) if place and place.household_id == target.id), ""
    )
    there = Place(target.id, asked.relation() or known)
    check_head(uow, target, there.relation, person.id)

    def put(place: Place | None, moves: bool) -> Place | None:
        return there if moves or (place is not None and place.household_id == target.id) else place

    new = Home(put(at.registered, registered), put(at.living, living))
    if person.state != "active":
        raise Conflict(_l("This person has left already."))
    if _same(at, new):
        raise Conflict(_l("This person belongs there already."))
    day = check_day(uow, asked.on, [person], into=[target.id])
    ask(uow, person.household_id, {"act": "move", "person_id": person.id, "household_id": target.id, "on": day})
    before = {"household_id": person.household_id, "relation": person.relation}
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, _household(uow, person.household_id), other=target)
        work.settle(person, new)
        after = {"household_id": person.household_id, "relation": person.relation}
        _note(work, "person.move", person, before, {**after, "registered": registered, "living": living})
        return work.finish()


def move_out(uow: Uow, asked: Asked) -> RegisterAct:
    """A person leaves the county, by the household register, by where he or she lives, or both."""
    person = asked.person(uow)
    if person.state != "active":
        raise Conflict(_l("This person has left already."))
    at = home(uow, person)
    registered, living = asked.bases()
    new = Home(None if registered else at.registered, None if living else at.living)
    if at == new:
        raise Conflict(_l("This person belongs to no household on that base."))
    return _leaves(uow, asked, person, new, "moved")


def death(uow: Uow, asked: Asked) -> RegisterAct:
    """A person died."""
    person = asked.person(uow)
    if person.state == "deceased":
        raise Conflict(_l("This person has left already."))
    return _leaves(uow, asked, person, Home(), "deceased")


def _leaves(uow: Uow, asked: Asked, person: Person, new: Home, state: str) -> RegisterAct:
    asked.reason = _reason(asked.reason)
    day = check_day(uow, asked.on, [person])
    if person.birth_date is not None and day < person.birth_date:
        raise Invalid({"on": [_l("This day is before the person's birth.")]})
    asking = {"person_id": person.id, "state": state, "on": day, "reason": asked.reason}
    ask(uow, person.household_id, {"act": asked.kind, **asking})
    before = {"state": person.state}
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, _household(uow, person.household_id))
        work.settle(person, new, leaving=state)
        after = {"state": person.state, "on": day, "reason": asked.reason, "marks": work.ended_marks()}
        if new.current is not None:
            after.update(registered=new.registered is not None, living=new.living is not None)
        _note(work, "person.leave", person, before, after)
        return work.finish()


def leave(uow: Uow, asked: Asked) -> RegisterAct:
    """A person works or lives elsewhere from now on and stays on the household register (外出)."""
    person = asked.person(uow)
    asked.reason = _reason(asked.reason)
    at = home(uow, person)
    if person.state != "active" or at.living is None:
        raise Conflict(_l("This person lives in no household of the county."))
    if at.registered is None:
        raise Conflict(_l("This person is not registered here. Say instead that he or she has moved away."))
    day = check_day(uow, asked.on, [person])
    ask(uow, person.household_id, {"act": "leave", "person_id": person.id, "away": True, "on": day})
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, _household(uow, person.household_id))
        work.settle(person, Home(at.registered, None))
        _note(work, "person.away", person, {"away": False}, {"away": True, "on": day, "reason": asked.reason})
        return work.finish()


def come_back(uow: Uow, asked: Asked) -> RegisterAct:
    """A person who was away, or had left, lives in a household again (返回)."""
    person = asked.person(uow)
    asked.reason = _reason(asked.reason)
    at = home(uow, person)
    if person.state == "active" and at.living is not None:
        raise Conflict(_l("This person lives here."))
    given = asked.request.get("household_id")
    household = (
        open_household(uow, asked.number("household_id"))
        if given
        else open_household_anywhere(uow, person.household_id)
    )
    if person.state != "active":
        return comes_back(uow, asked, person, household, asked.relation() or person.relation)
    relation = asked.relation() or (at.registered.relation if at.registered else "")
    check_head(uow, household, relation, person.id)
    day = check_day(uow, asked.on, [person], into=[household.id])
    ask(uow, household.id, {"act": "return", "person_id": person.id, "away": False, "on": day})
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household)
        work.settle(person, Home(at.registered, Place(household.id, relation)))
        _note(work, "person.back", person, {"away": True}, {"away": False, "on": day, "reason": asked.reason})
        return work.finish()


def comes_back(uow: Uow, asked: Asked, person: Person, household: Household, relation: str) -> RegisterAct:
    """Somebody who had left, or was said to be dead, belongs to a household again. A former head whose place is taken
    comes back without a relation."""
    day = check_day(uow, asked.on, [person], into=[household.id])
    asking = {"person_id": person.id, "state": "active", "reason": asked.reason}
    ask(uow, household.id, {"act": asked.kind, **asking})
    before, after = {"state": person.state}, {"state": "active", "reason": asked.reason}
    if relation == HEAD:
        try:
            check_head(uow, household, relation, person.id)
        except Invalid:
            relation = ""
            before["relation"], after["relation"] = HEAD, ""
    registered, living = asked.bases()
    there = Place(household.id, relation)
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household)
        work.settle(person, Home(there if registered else None, there if living else None))
        _note(work, "person.return", person, before, after)
        return work.finish()


def _note(work: Work, action: str, person: Person, before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = {name: value for name, value in after.items() if value not in ("", [], None)}
    audit(work.uow, action=action, obj=person, label=person.name, before=before, after=kept)
    work.tell(person, action)


def _household(uow: Uow, id: int) -> Household:
    return uow.get_for_update(Household, id)


def _same(one: Home, other: Home) -> bool:
    def ids(at: Home) -> tuple[int | None, int | None]:
        return (
            at.registered.household_id if at.registered else None,
            at.living.household_id if at.living else None,
        )

    return ids(one) == ids(other)


def _reason(value: str) -> str:
    try:
        return clean_text(value, 200)
    except ValueError as error:
        raise Invalid({"reason": [str(error)]}) from None
