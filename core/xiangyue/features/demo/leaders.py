"""Leaders of grids for the demonstration, in the town of its own accounts: members of the village committee, heads of
households. Some things are left to do: a grid without a leader, terms that are over or end soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.demo.organisations import PROVISIONAL, TOWN
from xiangyue.features.grids import service_posts
from xiangyue.features.grids.models import GridHousehold, GridVersion
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations.models import Organisation, PostHolder
from xiangyue.text.codes import HEAD


def fill_leaders(uow: Uow) -> int:
    """Put somebody in charge of the grids of the town; returns how many posts."""
    low, high = area_range(TOWN)
    where = (GridVersion.area_code.between(low, high), GridVersion.valid_to.is_(None))
    grids = uow.session.scalars(select(GridVersion).where(*where).order_by(GridVersion.area_code, GridVersion.level))
    committee = _committee(uow)
    heads = _heads(uow)
    made = 0
    for number, grid in enumerate(grids.all()):
        if number % 11 == 5:
            continue  # a gap
        if grid.level == 1:
            people = committee.get(grid.area_code, [])[:2]
        else:
            people = [next(heads.get(grid.grid_id, iter(())), None) or 0]
        for place, person in enumerate(id for id in people if id):
            _appoint(uow, grid, number, person, principal=place == 0)
            made += 1
    return made


def _appoint(uow: Uow, grid: GridVersion, number: int, person: int, *, principal: bool) -> Any:
    """Every ninth term is over, every seventh ends within two months."""
    days = -20 if number % 9 == 4 else 50 if number % 7 == 3 else 900
    return service_posts.appoint(
        uow, grid_id=grid.grid_id, role="leader", principal=principal, person_id=person, valid_from=grid.valid_from,
        term_until=today() + timedelta(days=days), office_phone="0915-0000000",
        reason=PROVISIONAL,
    )  # fmt: skip


def _committee(uow: Uow) -> dict[int, list[int]]:
    """Village -> persons in its village committee."""
    rows = uow.session.execute(
        select(Organisation.area_code, PostHolder.person_id)
        .join(PostHolder, PostHolder.organisation_id == Organisation.id)
        .where(Organisation.kind_key == "village_committee", PostHolder.person_id.is_not(None))
        .order_by(PostHolder.id)
    )
    found: dict[int, list[int]] = {}
    for code, person in rows:
        known = found.setdefault(code, [])
        if person is not None and person not in known:
            known.append(person)
    return found


def _heads(uow: Uow) -> dict[int, Iterator[int]]:
    """Leaf grid -> the heads of its households, by number."""
    rows = uow.session.execute(
        select(GridHousehold.grid_id, Person.id)
        .join(Person, Person.household_id == GridHousehold.household_id)
        .where(GridHousehold.valid_to.is_(None), Person.relation == HEAD, Person.state == "active")
        .order_by(GridHousehold.household_id)
    )
    found: dict[int, list[int]] = {}
    for grid, person in rows:
        found.setdefault(grid, []).append(person)
    return {grid: iter(persons) for grid, persons in found.items()}
