"""Which day an act may have: not to come, and not before what it would be built on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.models import HouseholdMember, Person, RegisterAct, RegisterActPart
from xiangyue.features.households.register.words import KIND_LABELS
from xiangyue.features.households.writing import checked_day
from xiangyue.i18n import lazy_gettext as _l

#: What changes a household itself, not only who is in it.
STRUCTURAL = ("head_change", "split", "merge", "close", "reopen")
_WHY = "what was done in another area to the same person counts too"


def check_day(
    uow: Uow, on: Any, persons: Iterable[Person], *, into: Iterable[int] = (), of: Iterable[int] = ()
) -> date:
    """The day as a date. Raises Invalid (``on``), naming what stands against it.

    ``persons``: whose memberships will change; ``into``: households that somebody joins; ``of``: households that
    change themselves.
    """
    day = checked_day(on)
    people = {person.id: person for person in persons}
    with uow.tenant_wide(_WHY):
        latest = _latest(uow, day, people, list(into), list(of))
        if latest is not None:
            raise Invalid(
                {
                    "on": [
                        _l(
                            "Not before %(day)s: on that day “%(act)s” was done here.",
                            day=latest.on_date.isoformat(),
                            act=KIND_LABELS[latest.kind],
                        )
                    ]
                }
            )
        begun = _begun(uow, day, list(people))
    if begun is not None:
        id, since = begun
        raise Invalid(
            {
                "on": [
                    _l(
                        "Not before %(day)s: since then %(name)s has belonged where the register says now.",
                        day=since.isoformat(),
                        name=people[id].name,
                    )
                ]
            }
        )
    return day


def _latest(uow: Uow, day: date, people: Iterable[int], into: list[int], of: list[int]) -> RegisterAct | None:
    """The latest done act after ``day`` that this one would be built on."""
    part, act = RegisterActPart, RegisterAct
    joined = or_(
        and_(act.kind == "split", act.other_household_id == part.thing_id),
        and_(act.kind.in_(("merge", "close", "reopen")), act.household_id == part.thing_id),
    )
    touched = or_(
        and_(part.kind == "person", part.thing_id.in_(list(people))),
        and_(part.kind == "household", part.thing_id.in_(of), act.kind.in_(STRUCTURAL)),
        and_(part.kind == "household", part.thing_id.in_(into), joined),
    )
    statement = (
        select(act)
        .join(part, and_(part.tenant_id == act.tenant_id, part.act_id == act.id))
        .where(act.state == "done", act.on_date > day, touched)
        .order_by(act.on_date.desc(), act.id.desc())
    )
    return uow.session.scalars(statement.limit(1)).first()


def _begun(uow: Uow, day: date, person_ids: list[int]) -> tuple[int, date] | None:
    """A person whose present memberships began, or last ones ended, after ``day``, and when."""
    edge = func.greatest(HouseholdMember.valid_from, HouseholdMember.valid_to)
    statement = (
        select(HouseholdMember.person_id, func.max(edge))
        .where(HouseholdMember.person_id.in_(person_ids))
        .group_by(HouseholdMember.person_id)
        .having(func.max(edge) > day)
    )
    found = uow.session.execute(statement.limit(1)).first()
    return None if found is None else (found[0], found[1])
