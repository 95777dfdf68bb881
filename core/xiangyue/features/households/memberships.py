"""Where a person belongs, changed from a day on, and what follows from it: the one place that writes memberships,
besides the bulk write (``bulk_members``).

Callers have locked the person. Everything here reads and writes in the whole county: a person may be registered in a
household outside the actor's area and live in one inside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm.attributes import set_committed_value

from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.households import derived
from xiangyue.features.households.models import Household, HouseholdMember, Person

#: Memberships that were there when they were first recorded begin with birth, or here.
NO_BEGINNING = date(1900, 1, 1)
#: Both at once: the foreign key is looked at when the statement is through.
_SEVERAL = """
WITH rows AS (
     UPDATE household_member k SET several = :several WHERE {tenant:k} AND k.person_id = :id AND k.several <> :several)
UPDATE person p SET several = :several WHERE {tenant:p} AND p.id = :id AND p.several <> :several
"""
_WHY = "a person may be registered in one area and live in another"


@dataclass(frozen=True, slots=True)
class Place:
    """A household and the relation (GB/T 4761, "" unknown) to its head."""

    household_id: int
    relation: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a person is registered and lives; None: nowhere in the county."""

    registered: Place | None = None
    living: Place | None = None

    @property
    def current(self) -> Place | None:
        """The household where visits and marks go: where the person lives, else where registered."""
        return self.living or self.registered


def standing(uow: Uow, person_ids: Collection[int]) -> dict[int, list[HouseholdMember]]:
    """Memberships that have not ended, by person."""
    found: dict[int, list[HouseholdMember]] = {id: [] for id in person_ids}
    statement = (
        select(HouseholdMember)
        .where(HouseholdMember.person_id.in_(list(found)), HouseholdMember.valid_to.is_(None))
        .order_by(HouseholdMember.id)
    )
    with uow.tenant_wide(_WHY):
        for row in uow.session.scalars(statement):
            found[row.person_id].append(row)
    return found


def home_of(rows: Iterable[HouseholdMember]) -> Home:
    """Where memberships say that their person is."""
    registered = living = None
    for row in rows:
        place = Place(row.household_id, row.relation)
        registered = place if row.registered else registered
        living = place if row.living else living
    return Home(registered, living)


@dataclass(frozen=True, slots=True)
class First:
    """How somebody new belongs to the household: since when, on which base, by which act."""

    since: date
    registered: bool = True
    living: bool = True
    act_id: int | None = None


def first_home(uow: Uow, person: Person, first: First | None) -> None:
    """The first membership of a person, in ``person.household_id``. None: who is only now recorded belonged there
    already, and lives there unless away."""
    if first is None:
        since = max(person.birth_date or NO_BEGINNING, NO_BEGINNING)
        first = First(since, living=not person.away)
    place = Place(person.household_id, person.relation)
    _insert(uow, person, [(place, first.registered, first.living)], first.since, first.act_id)
    person.away = not first.living


def settle(uow: Uow, person: Person, home: Home, on: date, *, act_id: int | None = None) -> dict[str, Any]:
    """Let the person be where ``home`` says from ``on``; returns what puts it back (``unsettle``), as JSON.

    What stays the same keeps its row. A membership that began on that very day or later is taken away instead of
    ended: it never came to hold a day. Brings the person's own columns along; households are the caller's
    (``derived.refresh_derived_sql``).
    """
    rows = standing(uow, [person.id])[person.id]
    wanted = _wanted(home)
    change: dict[str, Any] = {
        "was": {
            "household_id": person.household_id,
            "relation": person.relation,
            "away": person.away,
            "several": person.several,
        },
        "ended": [],
        "removed": [],
        "opened": [],
        "households": sorted({row.household_id for row in rows} | {place.household_id for place, *_bases in wanted}),
    }
    with uow.tenant_wide(_WHY):
        for row in rows:
            shape = (Place(row.household_id, row.relation), row.registered, row.living)
            if shape in wanted:
                wanted.remove(shape)
            elif row.valid_from >= on:
                change["removed"].append(_kept(row))
                uow.session.delete(row)
            else:
                row.valid_to, row.ended_by = on, act_id
                change["ended"].append(row.id)
        # What ends goes first: the constraint looks at every row as it comes.
        uow.session.flush()
        change["opened"] = _insert(uow, person, wanted, on, act_id)
    _bring_along(uow, person, home)
    change["standing"] = sorted(row.id for row in standing(uow, [person.id])[person.id])
    return change


def unsettle(uow: Uow, person: Person, change: dict[str, Any]) -> None:
    """Put back what ``settle`` changed. The caller has made sure that nothing was built on it (``untouched``)."""
    with uow.tenant_wide(_WHY):
        rows = {row.id: row for row in _rows(uow, person.id, [*change["opened"], *change["ended"]])}
        for id in change["opened"]:
            uow.session.delete(rows[id])
        uow.session.flush()
        for id in change["ended"]:
            rows[id].valid_to = rows[id].ended_by = None
        uow.session.flush()
        areas = _areas(uow, [kept["household_id"] for kept in change["removed"]])
        for kept in change["removed"]:
            area = areas[kept["household_id"]]
            row = HouseholdMember(person_id=person.id, area_code=area, several=room_for(uow, person, 1), **kept)
            row.valid_from = date.fromisoformat(kept["valid_from"])
            uow.session.add(row)
        uow.session.flush()
        if person.several and not change["was"].get("several", True) and _count(uow, person) <= 1:
            _set_several(uow, person, False)
    home = home_of(standing(uow, [person.id])[person.id])
    if home.current is None:
        was = change["was"]
        home = Home(Place(was["household_id"], was["relation"]), None)
        person.away = was["away"]
        _go(uow, person, home.registered or Place(person.household_id))
    else:
        _bring_along(uow, person, home)


def untouched(uow: Uow, person_id: int, change: dict[str, Any]) -> bool:
    """Whether the person's memberships are still those that ``settle`` left."""
    standing_now: list[int] = sorted(row.id for row in standing(uow, [person_id])[person_id])
    return standing_now == list(change["standing"])


def set_relation(uow: Uow, person: Person, relation: str) -> None:
    """Correct the relation where the person is now: no event, it was so all the time."""
    person.relation = relation
    for row in standing(uow, [person.id])[person.id]:
        if row.household_id == person.household_id:
            with uow.tenant_wide(_WHY):
                row.relation = relation


def stand_in(uow: Uow, person: Person, place: Place) -> None:
    """Let the record of somebody who belongs nowhere any more stand with a household."""
    _go(uow, person, place)


def _wanted(home: Home) -> list[tuple[Place, bool, bool]]:
    if home.registered and home.living and home.registered.household_id == home.living.household_id:
        return [(home.living, True, True)]
    both = ((home.registered, True, False), (home.living, False, True))
    return [(place, registered, living) for place, registered, living in both if place is not None]


def _insert(
    uow: Uow, person: Person, wanted: Sequence[tuple[Place, bool, bool]], on: date, act_id: int | None
) -> list[int]:
    if not wanted:
        return []
    with uow.tenant_wide(_WHY):
        areas = _areas(uow, [place.household_id for place, _registered, _living in wanted])
        several = room_for(uow, person, len(wanted))
        made = [
            HouseholdMember(
                person_id=person.id,
                several=several,
                household_id=place.household_id,
                area_code=areas[place.household_id],
                registered=registered,
                living=living,
                relation=place.relation,
                valid_from=on,
                opened_by=act_id,
            )
            for place, registered, living in wanted
        ]
        uow.session.add_all(made)
        uow.session.flush()
    return [row.id for row in made]


def room_for(uow: Uow, person: Person, more: int) -> bool:
    """Make room for ``more`` memberships of a person; returns what they have to say for ``several``."""
    uow.session.flush()
    if person.several:
        return True
    if _count(uow, person) + more <= 1:
        return False
    _set_several(uow, person, True)
    return True


def _count(uow: Uow, person: Person) -> int:
    rows = select(func.count()).select_from(HouseholdMember).where(HouseholdMember.person_id == person.id)
    with uow.tenant_wide(_WHY):
        return uow.session.scalars(rows).one()


def _set_several(uow: Uow, person: Person, several: bool) -> None:
    scoped_sql(uow.session, _SEVERAL, {"id": person.id, "several": several})
    set_committed_value(person, "several", several)


def _rows(uow: Uow, person_id: int, ids: Sequence[int]) -> list[HouseholdMember]:
    statement = select(HouseholdMember).where(HouseholdMember.person_id == person_id, HouseholdMember.id.in_(ids))
    return list(uow.session.scalars(statement))


def _areas(uow: Uow, household_ids: Sequence[int]) -> dict[int, int]:
    statement = select(Household.id, Household.area_code).where(Household.id.in_(household_ids))
    return {row.id: row.area_code for row in uow.session.execute(statement)}


def _kept(row: HouseholdMember) -> dict[str, Any]:
    names = ("id", "household_id", "registered", "living", "relation", "opened_by")
    return {**{name: getattr(row, name) for name in names}, "valid_from": row.valid_from.isoformat()}


def _bring_along(uow: Uow, person: Person, home: Home) -> None:
    person.away = home.registered is not None and home.living is None
    if home.current is not None:
        _go(uow, person, home.current)


def _go(uow: Uow, person: Person, place: Place) -> None:
    person.relation = place.relation
    with uow.tenant_wide(_WHY):
        area = _areas(uow, [place.household_id])[place.household_id]
        if (person.household_id, person.area_code) != (place.household_id, area):
            person.household_id, person.area_code = place.household_id, area
            uow.session.flush()
            derived.move_with_person(uow, [person.id])
