"""Taking an act back: exactly, as long as nothing was built on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households import memberships
from xiangyue.features.households.events import ask, tell_household, tell_person
from xiangyue.features.households.kept import keep
from xiangyue.features.households.models import (
    CustomField,
    CustomValue,
    Household,
    HouseholdMember,
    Person,
    PersonMark,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.register.days import STRUCTURAL
from xiangyue.features.households.register.words import KIND_LABELS
from xiangyue.features.households.register.work import OUTSIDE
from xiangyue.features.households.writing import follow
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import followers, missing_rows, unfollow_rows
from xiangyue.text.codes import HEAD

#: Made by rule for every household, and lapsing with it: nobody built it.
_BY_RULE = ("classification",)
#: What says of values where they came from, or holds them: the values are what stands in the way.
_OF_VALUES = ("person_value", "household_value", "fact_origin", "household_fact_origin", "fact_department",
              "household_fact_department")  # fmt: skip


def take_back(uow: Uow, act: RegisterAct, reason: str) -> None:
    """Put back what the act changed. The household a split made stays, closed and empty: its number was given out.
    Raises Conflict naming what was built on the act."""
    with uow.tenant_wide(OUTSIDE):
        persons = _locked(uow, Person, [int(id) for id in act.changes["persons"]])
        made = _locked(uow, Person, act.changes["made"].get("persons", []))
        households = _locked(uow, Household, _touched(uow, act))
        against = list(_against(uow, act, persons, made, households))
        if against:
            raise Conflict(
                _l(
                    "This can no longer be undone, for something was built on it: %(what)s.",
                    what=join_words(against, "; "),
                ),
                built_on=against,
            )
        ask(uow, act.household_id, {"act": "undo", "undone": act.kind, "on": act.on_date, "reason": reason})
        for id, person in persons.items():
            _put_back(uow, person, act.changes["persons"][str(id)])
        if act.changes["followed"]:
            assert act.other_household_id is not None
            old, new = act.household_id, act.other_household_id
            unfollow_rows(uow, of="household", old=old, new=new, moved=act.changes["followed"])
        for id, was in act.changes["households"].items():
            household = households[int(id)]
            household.state, household.left_reason = was["state"], was["left_reason"]
            household.left_on = date.fromisoformat(was["left_on"]) if was["left_on"] else None
            household.version += 1
        for id in act.changes["made"].get("households", []):
            _empty(households[id], act, reason)
        labels = {id: person.name for id, person in made.items()}
        for person in made.values():
            _delete(uow, person)
        follow(uow, set(households), [*persons, *made])
        keep(uow, set(households), act.on_date, act_id=act.id, undone=True)
        check_heads(uow, set(households))
        _tell(uow, act, reason, persons, households, labels)


def standing_against(uow: Uow, act: RegisterAct) -> list[str]:
    """What was built on a done act, in words; empty: it can be taken back."""
    with uow.tenant_wide(OUTSIDE):
        persons = _locked(uow, Person, [int(id) for id in act.changes["persons"]])
        made = _locked(uow, Person, act.changes["made"].get("persons", []))
        households = _locked(uow, Household, _touched(uow, act))
        return list(_against(uow, act, persons, made, households))


def _against(
    uow: Uow,
    act: RegisterAct,
    persons: Mapping[int, Person],
    made: Mapping[int, Person],
    households: Mapping[int, Household],
) -> Iterator[str]:
    """What was built on the act, in words."""
    seen = set()
    for later in _later(uow, act, [*persons, *made]):
        seen.add(later.id)
        yield str(_l("%(act)s on %(day)s", act=KIND_LABELS[later.kind], day=later.on_date.isoformat()))
    for person in (*persons.values(), *made.values()):
        if person.erased_at is not None:
            yield str(_l("What was recorded of somebody in it was erased at the person's request"))
    yield from _merged(uow, act, persons, made, households)
    if not seen:
        for id, person in persons.items():
            if not memberships.untouched(uow, id, act.changes["persons"][str(id)]):
                yield str(_l("%(name)s was put elsewhere by an import or a correction", name=person.name))
    for id, was in act.changes["households"].items():
        household = households[int(id)]
        if not seen and household.state == was["state"]:
            yield str(_l("The household %(code)s was changed since", code=household.code))
    for household in _needed(uow, act, households):
        yield str(_l("The household %(code)s is closed", code=household.code))
    for id in act.changes["made"].get("households", []):
        yield from _built_on_household(uow, act, households[id])
    for person in made.values():
        rows = uow.session.scalars(select(HouseholdMember.opened_by).where(HouseholdMember.person_id == person.id))
        if not seen and (set(rows) != {act.id} or person.import_batch_id is not None):
            yield str(_l("%(name)s was put elsewhere by an import or a correction", name=person.name))
        yield from _recorded_on(uow, "person", person.id, person.name)
    if act.changes["followed"] and act.other_household_id is not None:
        gone = missing_rows(uow, of="household", new=act.other_household_id, moved=act.changes["followed"])
        if gone:
            yield str(_l("Open work that went along was dealt with or moved on"))


def _merged(
    uow: Uow,
    act: RegisterAct,
    persons: Mapping[int, Person],
    made: Mapping[int, Person],
    households: Mapping[int, Household],
) -> Iterator[str]:
    """Duplicates: a record that is part of another cannot be anywhere by itself, and the other part of one that the
    act made would be lost with it."""
    parts = select(Person.merged_into_id).where(Person.merged_into_id.in_(list(made)))
    whole = set(uow.session.scalars(parts)) if made else set()
    for person in (*persons.values(), *made.values()):
        if person.merged_into_id is not None or person.id in whole:
            yield str(_l("%(name)s and another record were made one", name=person.name))
    for id in act.changes["households"]:
        if (household := households[int(id)]).merged_into_id is not None:
            yield str(_l("The household %(code)s is part of another one", code=household.code))


def _later(uow: Uow, act: RegisterAct, person_ids: list[int]) -> list[RegisterAct]:
    """Acts done after this one that touch the same persons, or change the same households."""
    part, other = RegisterActPart, RegisterAct
    touched = and_(part.kind == "person", part.thing_id.in_(person_ids))
    if act.kind in STRUCTURAL:
        homes = [id for id in (act.household_id, act.other_household_id) if id is not None]
        structural = select(other.id).where(other.kind.in_(STRUCTURAL), other.state == "done")
        changed = and_(part.kind == "household", part.thing_id.in_(homes), part.act_id.in_(structural))
        touched = or_(touched, changed)
    own = select(func.max(part.id)).where(part.act_id == act.id).scalar_subquery()
    ids = select(part.act_id).where(part.act_id != act.id, part.id > own, touched)
    return list(uow.session.scalars(select(other).where(other.state == "done", other.id.in_(ids)).order_by(other.id)))


def _needed(uow: Uow, act: RegisterAct, households: Mapping[int, Household]) -> Iterator[Household]:
    """Households that persons would go back to and that are closed, by another than this act."""
    own = {int(id) for id in act.changes["households"]}
    for id in _goes_back_to(uow, act):
        if households[id].state != "active" and id not in own:
            yield households[id]


def _goes_back_to(uow: Uow, act: RegisterAct) -> set[int]:
    ended = [id for change in act.changes["persons"].values() for id in change["ended"]]
    back = {kept["household_id"] for change in act.changes["persons"].values() for kept in change["removed"]}
    persons = [int(id) for id in act.changes["persons"]]
    rows = select(HouseholdMember.household_id).where(
        HouseholdMember.person_id.in_(persons), HouseholdMember.id.in_(ended)
    )
    return back | set(uow.session.scalars(rows))


def _touched(uow: Uow, act: RegisterAct) -> list[int]:
    parts = select(RegisterActPart.thing_id).where(
        RegisterActPart.act_id == act.id, RegisterActPart.kind == "household"
    )
    return sorted({*uow.session.scalars(parts), *_goes_back_to(uow, act)})


def _built_on_household(uow: Uow, act: RegisterAct, household: Household) -> Iterator[str]:
    """What the household that a split made has got since."""
    own = [id for change in act.changes["persons"].values() for id in change["opened"]]
    others = select(HouseholdMember.id).where(HouseholdMember.household_id == household.id)
    if set(uow.session.scalars(others)) - set(own):
        yield str(_l("The household %(code)s has got other members", code=household.code))
    if household.state != "active":
        yield str(_l("The household %(code)s is closed", code=household.code))
    yield from _recorded_on(uow, "household", household.id, household.code)


def _recorded_on(uow: Uow, of: str, id: int, label: str) -> Iterator[str]:
    for found in followers(uow, of=of, old=id, new=id):
        if found.follows.key not in (*_BY_RULE, *_OF_VALUES):
            count = len(found.move) + len(found.stay)
            yield str(_l("%(label)s: %(what)s (%(n)s)", label=label, what=found.follows.label, n=count))


def _locked(uow: Uow, model: Any, ids: list[int]) -> dict[int, Any]:
    statement = select(model).where(model.id.in_(ids)).order_by(model.id).with_for_update()
    return {row.id: row for row in uow.session.scalars(statement.execution_options(populate_existing=True))}


def _put_back(uow: Uow, person: Person, change: Mapping[str, Any]) -> None:
    was = change["was"]
    person.state, person.left_reason = was["state"], was["left_reason"]
    person.left_on = date.fromisoformat(was["left_on"]) if was["left_on"] else None
    memberships.unsettle(uow, person, dict(change))
    person.version += 1
    if change["marks"]:
        for mark in uow.session.scalars(select(PersonMark).where(PersonMark.id.in_(change["marks"]))):
            mark.valid_to = None


def _empty(household: Household, act: RegisterAct, reason: str) -> None:
    household.state, household.left_on, household.left_reason = "closed", act.on_date, reason
    household.version += 1


def _delete(uow: Uow, person: Person) -> None:
    """Take out of the register who came into it by the act and has nothing recorded on him or her."""
    own = select(CustomField.id).where(CustomField.entity == "person")
    uow.session.execute(
        delete(CustomValue).where(CustomValue.owner_id == person.id, CustomValue.field_id.in_(own)),
        execution_options={"synchronize_session": False},
    )
    try:
        with uow.session.begin_nested():
            uow.session.delete(person)
            uow.session.flush()
    except IntegrityError:
        raise Conflict(
            _l("This can no longer be undone, for something was built on it: %(what)s.", what=person.name)
        ) from None


def check_heads(uow: Uow, household_ids: set[int]) -> None:
    """Raises Conflict when a household would have two heads: another was made the head in the meantime."""
    statement = select(Person.household_id).where(
        Person.household_id.in_(household_ids), Person.relation == HEAD, Person.state == "active"
    )
    heads = list(uow.session.scalars(statement))
    if len(heads) != len(set(heads)):
        raise Conflict(_l("The household has another head by now. Change that first."))


def _tell(
    uow: Uow,
    act: RegisterAct,
    reason: str,
    persons: Mapping[int, Person],
    households: Mapping[int, Household],
    made: Mapping[int, str],
) -> None:
    label = join_words([*(person.name for person in persons.values()), *made.values()][:3])
    household = households.get(act.household_id)
    audit(
        uow,
        action="register.undo",
        obj=act,
        label=label or (household.head_name if household else ""),
        before={"state": "done"},
        after={
            "act": act.kind,
            "on": act.on_date,
            "state": "undone",
            "reason": reason,
            "household_id": act.household_id,
        },
    )
    for person in persons.values():
        tell_person(uow, person, "register.undo")
    for one in households.values():
        tell_household(uow, one, "register.undo")
