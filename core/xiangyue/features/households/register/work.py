"""One act while it is carried out: what it touches is noted as it goes, for the history and for undoing it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, select

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.households import memberships
from xiangyue.features.households.events import tell_household, tell_person
from xiangyue.features.households.kept import keep
from xiangyue.features.households.memberships import Home
from xiangyue.features.households.models import (
    Household,
    HouseholdMember,
    Person,
    PersonMark,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.writing import follow
from xiangyue.i18n import lazy_gettext as _l

OUTSIDE = "a person may be registered in one area and live in another"


class Work:
    """An act in the making. Create it once everything is checked; ``finish`` writes it down."""

    def __init__(
        self,
        uow: Uow,
        kind: str,
        on: date,
        household: Household,
        *,
        other: Household | None = None,
        reason: str = "",
        request: Mapping[str, Any] | None = None,
        act: RegisterAct | None = None,
        keys: TenantKeys | None = None,
        allow_synthetic: bool = False,
    ) -> None:
        self.uow, self.on, self.reason = uow, on, reason
        self.keys, self.allow_synthetic = keys, allow_synthetic
        self.household, self.other = household, other
        self.persons: dict[int, Person] = {}
        self.households: set[int] = {household.id} | ({other.id} if other else set())
        self.changes: dict[str, Any] = {"persons": {}, "households": {}, "made": {}, "followed": {}}
        self._told: list[tuple[Household | Person, str]] = []
        self.act = act or RegisterAct(kind=kind, version=1, request=dict(request or {}))
        self.act.on_date, self.act.reason = on, reason
        self.act.household_id, self.act.area_code = household.id, household.area_code
        self.act.other_household_id = other.id if other else None
        if act is None:
            self.act.state = "done"
            self.act.reported_by, self.act.reported_name = who(uow)
            self.act.reported_at = self.act.decided_at = now()
            self.act.decided_by, self.act.decided_name = who(uow)
            with uow.tenant_wide(OUTSIDE):
                uow.session.add(self.act)
                uow.session.flush()

    def settle(self, person: Person, home: Home, *, leaving: str = "moved") -> None:
        """Let the person be at ``home`` from the day of the act. Who is nowhere then has left (``leaving``: moved,
        deceased), and standing marks end."""
        was = {"state": person.state, "left_on": person.left_on and person.left_on.isoformat(),
               "left_reason": person.left_reason}  # fmt: skip
        marks = self._end_marks(person) if home.current is None else []
        self.households.add(person.household_id)
        change = memberships.settle(self.uow, person, home, self.on, act_id=self.act.id)
        change["was"].update(was)
        change["marks"] = marks
        if home.current is None:
            person.state, person.left_on, person.left_reason = leaving, self.on, self.reason
        else:
            person.state, person.left_on, person.left_reason = "active", None, ""
        person.version += 1
        self.changes["persons"][str(person.id)] = change
        self.persons[person.id] = person
        self.households |= set(change["households"])

    def made_person(self, person: Person) -> None:
        """A person whom this act has brought into the register."""
        self.changes["made"].setdefault("persons", []).append(person.id)
        self.persons[person.id] = person

    def close(self, household: Household, reason: str) -> None:
        self._remember(household)
        household.state, household.left_on, household.left_reason = "closed", self.on, reason
        household.version += 1

    def reopen(self, household: Household) -> None:
        self._remember(household)
        household.state, household.left_on, household.left_reason = "active", None, ""
        household.version += 1

    def tell(self, thing: Household | Person, action: str) -> None:
        """Plugins are told once everything is written."""
        self._told.append((thing, action))

    def finish(self) -> RegisterAct:
        """Write down what was touched, and bring along what follows from it, once for the whole act."""
        uow = self.uow
        parts = [("person", id) for id in self.persons] + [("household", id) for id in self.households]
        with uow.tenant_wide(OUTSIDE):
            # What a report noted counts from now on, when it is done.
            uow.session.execute(delete(RegisterActPart).where(RegisterActPart.act_id == self.act.id))
            uow.session.add_all(RegisterActPart(kind=kind, thing_id=id, act_id=self.act.id) for kind, id in parts)
            self.act.changes = self.changes
            follow(uow, self.households, list(self.persons))
            new = self.other if self.act.kind == "split" else None
            came_from = {new.id: self.household.id} if new is not None else None
            keep(uow, self.households, self.on, act_id=self.act.id, came_from=came_from)
            for thing, action in self._told:
                if isinstance(thing, Household):
                    tell_household(uow, thing, action)
                else:
                    tell_person(uow, thing, action)
            uow.session.flush()
        return self.act

    def _remember(self, household: Household) -> None:
        self.changes["households"][str(household.id)] = {
            "state": household.state,
            "left_on": household.left_on and household.left_on.isoformat(),
            "left_reason": household.left_reason,
        }

    def _end_marks(self, person: Person) -> list[int]:
        standing = select(PersonMark).where(PersonMark.person_id == person.id, PersonMark.valid_to.is_(None),
                                            PersonMark.household_id == person.household_id)  # fmt: skip
        marks = list(self.uow.session.scalars(standing))
        for mark in marks:
            mark.valid_to = self.on
        return [mark.id for mark in marks]

    def ended_marks(self) -> list[str]:
        """Keys of the marks that this act ended, for the audit trail."""
        ids = [id for change in self.changes["persons"].values() for id in change.get("marks", ())]
        if not ids:
            return []
        return sorted(set(self.uow.session.scalars(select(PersonMark.mark_key).where(PersonMark.id.in_(ids)))))


def who(uow: Uow) -> tuple[int | None, str]:
    """Account and name of the actor."""
    return uow.actor.account_id, uow.actor.name or uow.actor.login


def now() -> datetime:
    return datetime.now(UTC)


def locked_persons(uow: Uow, ids: list[int]) -> dict[int, Person]:
    """Persons in the actor's area, or belonging to a household there, locked in the order of their ids. Raises
    NotFound."""
    wanted = sorted(set(ids))
    inside = set(uow.session.scalars(select(Person.id).where(Person.id.in_(wanted))))
    belong = select(HouseholdMember.person_id).where(
        HouseholdMember.person_id.in_(wanted), HouseholdMember.valid_to.is_(None)
    )
    inside |= set(uow.session.scalars(belong))
    if len(inside) < len(wanted):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    statement = select(Person).where(Person.id.in_(wanted)).order_by(Person.id).with_for_update()
    with uow.tenant_wide(OUTSIDE):
        found = uow.session.scalars(statement.execution_options(populate_existing=True))
        return {person.id: person for person in found}
