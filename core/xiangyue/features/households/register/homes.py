"""Acts about a household: another head, splitting, merging, closing and opening again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households import searchable
from xiangyue.features.households.events import ask
from xiangyue.features.households.memberships import Home, Place
from xiangyue.features.households.models import Household, HouseholdMember, Person, RegisterAct
from xiangyue.features.households.numbers import next_code
from xiangyue.features.households.person_input import Errors
from xiangyue.features.households.register.asked import Asked, home, open_household, relation_at
from xiangyue.features.households.register.days import check_day
from xiangyue.features.households.register.work import OUTSIDE, Work
from xiangyue.features.households.writing import (
    ADDRESS_LENGTH,
    check_area,
    refuse_gone,
    required_text,
    take_text,
    unique,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import follow_rows
from xiangyue.text.codes import HEAD


def members(uow: Uow, household_id: int) -> dict[int, Person]:
    """Everybody who belongs to a household on either base, wherever he or she lives, locked in the order of their
    ids."""
    belong = select(HouseholdMember.person_id).where(
        HouseholdMember.household_id == household_id, HouseholdMember.valid_to.is_(None)
    )
    recorded = select(Person.id).where(Person.household_id == household_id, Person.state == "active")
    with uow.tenant_wide(OUTSIDE):
        ids = {*uow.session.scalars(belong), *uow.session.scalars(recorded)}
        found = uow.session.scalars(
            select(Person).where(Person.id.in_(ids)).order_by(Person.id).with_for_update()
            .execution_options(populate_existing=True)
        )  # fmt: skip
        return {person.id: person for person in found}


def _elsewhere(
    at: Home, household_id: int, there: Place | None, *, registered: bool = True, living: bool = True
) -> Home:
    """``at`` with the bases in the household, or one of them, now at ``there`` (None: nowhere)."""

    def put(place: Place | None, moves: bool) -> Place | None:
        return there if moves and place is not None and place.household_id == household_id else place

    return Home(put(at.registered, registered), put(at.living, living))


def change_head(uow: Uow, asked: Asked) -> RegisterAct:
    """Another member becomes the head; relations are to the new one from then on."""
    household = open_household(uow, asked.number("household_id"))
    people = members(uow, household.id)
    head = _one_of(people, asked.number("person_id"), "person_id")
    relations = _relations(asked, people, head.id)
    homes = {id: home(uow, person) for id, person in people.items()}
    there = {id: relation_at(homes[id], household.id) or "" for id in people}
    if there[head.id] == HEAD:
        raise Conflict(_l("%(name)s is the head already.", name=head.name))
    # The old head is told what he or she is to the new one, or nothing: two heads there must not be.
    new = {id: relations.get(id, "" if there[id] == HEAD else there[id]) for id in people}
    turning = {id: person for id, person in people.items() if new[id] != there[id]}
    day = check_day(uow, asked.on, turning.values(), of=[household.id])
    ask(uow, household.id, {"act": "head_change", "person_id": head.id, "on": day})
    before = {"head_name": household.head_name}
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household)
        for id, person in turning.items():
            work.settle(person, _elsewhere(homes[id], household.id, Place(household.id, new[id])))
        after = {"head_name": head.name, "on": day, "reason": asked.reason}
        return _note(work, "household.head", household, before, after)


def split(uow: Uow, asked: Asked) -> RegisterAct:
    """Some members become a household of their own, which gets the village's next number; incomes, awards and
    classifications stay with the old one."""
    household = open_household(uow, asked.number("household_id"))
    people = members(uow, household.id)
    chosen = _chosen(asked, people)
    if len(chosen) == len(people):
        raise Invalid({"persons": [_l("At least one member stays. Change the address instead if all move.")]})
    head = _one_of(chosen, asked.number("person_id"), "person_id")
    registered, living = asked.bases()
    homes = {id: home(uow, person) for id, person in chosen.items()}
    staying = [chosen[id].name for id, at in homes.items()
               if _elsewhere(at, household.id, None, registered=registered, living=living) == at]  # fmt: skip
    if staying:
        raise Invalid({"persons": [_l("%(name)s is not here on that base.", name=staying[0])]})
    relations = {**_relations(asked, chosen, head.id), head.id: HEAD}
    errors: Errors = {}
    found: dict[str, Any] = {"address": household.address}
    if str(asked.request.get("address") or "").strip():
        take_text(asked.request, "address", ADDRESS_LENGTH, found, errors)
    area_code = int(asked.request.get("area_code") or household.area_code)
    if area_code != household.area_code:
        check_area(uow, area_code, errors)
    if errors:
        raise Invalid(errors)
    day = check_day(uow, asked.on, chosen.values(), of=[household.id])
    ask(uow, household.id, {"act": "split", "persons": sorted(chosen), "on": day, "reason": asked.reason})
    new = Household(area_code=area_code, code=next_code(uow, area_code - area_code % 1000), version=1, **found)
    with unique(uow):
        uow.session.add(new)
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household, other=new)
        work.changes["made"]["households"] = [new.id]
        for id, person in chosen.items():
            there = Place(new.id, relations.get(id, ""))
            work.settle(person, _elsewhere(homes[id], household.id, there, registered=registered, living=living))
        after = {"household_id": new.id, "code": new.code, "members": sorted(chosen), "on": day, "reason": asked.reason}
        audit(
            uow,
            action="household.add",
            obj=new,
            label=head.name,
            after={"code": new.code, "area_code": area_code, "address": new.address, "household_id": household.id},
        )
        work.tell(new, "household.add")
        done = _note(work, "household.split", household, None, after)
        searchable.write_pieces(uow, [searchable.found_by(new)])
        return done


def merge(uow: Uow, asked: Asked) -> RegisterAct:
    """All members of a household go into another, and it closes; its open work goes along."""
    household = open_household(uow, asked.number("household_id"))
    target = open_household(uow, asked.number("other_household_id"), "other_household_id")
    if target.id == household.id:
        raise Invalid({"other_household_id": [_l("Choose another household.")]})
    people = members(uow, household.id)
    relations = _relations(asked, people, None)
    day = check_day(uow, asked.on, people.values(), into=[target.id], of=[household.id])
    ask(uow, household.id, {"act": "merge", "household_id": target.id, "on": day, "reason": asked.reason})
    ask(uow, target.id, {"act": "merge", "persons": sorted(people), "on": day, "reason": asked.reason})
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household, other=target)
        for id, person in people.items():
            at = home(uow, person)
            known = relation_at(at, target.id)
            there = Place(target.id, relations.get(id, "") if known is None else known)
            work.settle(person, _joined(_elsewhere(at, household.id, there), there))
        work.close(household, asked.reason)
        work.changes["followed"] = follow_rows(uow, of="household", old=household.id, new=target.id, only_open=True)
        after = {"household_id": target.id, "members": sorted(people), "on": day, "reason": asked.reason}
        work.tell(target, "household.merge")
        return _note(work, "household.merge", household, None, after)


def close(uow: Uow, asked: Asked) -> RegisterAct:
    """The household has left as a whole: who belongs to no other counts as moved, and marks end."""
    household = uow.get_for_update(Household, asked.number("household_id"))
    refuse_gone(household)
    if household.state != "active":
        raise Conflict(_l("This household is closed already."))
    reason = required_text(asked.reason, "reason")
    people = members(uow, household.id)
    day = check_day(uow, asked.on, people.values(), of=[household.id])
    ask(uow, household.id, {"act": "close", "state": "closed", "on": day, "reason": reason})
    asked.reason = reason
    size = (household.head_name, household.sort_key, household.person_count)
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household)
        for person in people.values():
            work.settle(person, _elsewhere(home(uow, person), household.id, None))
        work.close(household, reason)
        gone = sorted(id for id, person in people.items() if person.state != "active")
        after = {"state": "closed", "on": day, "reason": reason, "members": gone, "marks": work.ended_marks()}
        done = _note(work, "household.close", household, {"state": "active"}, after)
        # Name and size stay as they last were: how else would it be found again.
        uow.session.refresh(household)
        household.head_name, household.sort_key, household.person_count = size
        return done


def reopen(uow: Uow, asked: Asked) -> RegisterAct:
    """A household that was closed is on the register again; members come back one by one."""
    household = uow.get_for_update(Household, asked.number("household_id"))
    refuse_gone(household)
    if household.state == "active":
        raise Conflict(_l("This household is not closed."))
    asked.reason = required_text(asked.reason, "reason")
    day = check_day(uow, asked.on, (), of=[household.id])
    ask(uow, household.id, {"act": "reopen", "state": "active", "reason": asked.reason})
    with uow.tenant_wide(OUTSIDE):
        work = asked.work(uow, day, household)
        work.reopen(household)
        after = {"state": "active", "reason": asked.reason}
        return _note(work, "household.reopen", household, {"state": "closed"}, after)


def _note(
    work: Work, action: str, household: Household, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> RegisterAct:
    kept = {name: value for name, value in after.items() if value not in ("", [], None) or name == "members"}
    audit(work.uow, action=action, obj=household, label=household.head_name, before=before, after=kept)
    work.tell(household, action)
    for person in work.persons.values():
        work.tell(person, action)
    return work.finish()


def _joined(at: Home, there: Place) -> Home:
    """Both bases in one household have one relation."""

    def same(place: Place | None) -> Place | None:
        return there if place is not None and place.household_id == there.household_id else place

    return Home(same(at.registered), same(at.living))


def _one_of(people: Mapping[int, Person], id: int, name: str) -> Person:
    if id not in people:
        raise Invalid({name: [_l("Choose one of the members.")]})
    return people[id]


def _chosen(asked: Asked, people: Mapping[int, Person]) -> dict[int, Person]:
    ids = [int(id) for id in asked.request.get("persons") or ()]
    if not ids:
        raise Invalid({"persons": [_l("Choose who goes.")]})
    if not set(ids) <= set(people):
        # Both of two who split it at once chose from the same members.
        gone = _l("Not all who were chosen still belong to this household. Look at what was done meanwhile.")
        raise Invalid({"persons": [gone]})
    return {id: people[id] for id in sorted(set(ids))}


def _relations(asked: Asked, people: Collection[int], head: int | None) -> dict[int, str]:
    """As given, for these people; only ``head`` is the head. Raises Invalid."""
    given = {id: code for id, code in asked.relations().items() if id in people}
    wrong = {f"relations.{id}": [_l("A household has one head.")] for id, code in given.items()
             if code == HEAD and id != head}  # fmt: skip
    if wrong:
        raise Invalid(wrong)
    return given if head is None else {**given, head: HEAD}
