"""One grid of twelve households with two ten-household groups in it, for tests of groups and of calls."""

from __future__ import annotations

from grids_kit import empty, families, fill, group_grid, homes
from sqlalchemy import delete, select

from xiangyue.db.uow import Uow
from xiangyue.features.household_groups import service, service_heads
from xiangyue.features.household_groups.models import (
    HouseholdGroup,
    HouseholdGroupChange,
    HouseholdGroupHead,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

TABLES = (HouseholdGroupHead, HouseholdGroupMember, HouseholdGroupVersion, HouseholdGroup, HouseholdGroupChange)


def empty_groups(county: County) -> None:
    with county.uow() as uow:
        for model in TABLES:
            uow.session.execute(delete(model))
    empty(county)


def lay_out(county: County) -> tuple[int, int, int]:
    """(grid, first group, second group): six households each, of two persons, no head yet."""
    fill(county, families(1, 1, 12))
    with county.uow() as uow:
        grid, everyone = group_grid(uow, 1), homes(uow, 1)
        made = service.create_groups(
            uow, grid_id=grid, on=today(), size_reason="居住分散",
            parts=[{"name": "一组", "household_ids": everyone[:6]}, {"name": "二组", "household_ids": everyone[6:]}],
        )  # fmt: skip
        first, second = made.rows["groups"]
    return grid, first, second


def head_of(uow: Uow, group_id: int, place: int = 0, login: str = "") -> HouseholdGroupHead:
    """The head of the n-th household becomes the group's from today on."""
    wanted = (
        select(Person.id).join(HouseholdGroupMember, HouseholdGroupMember.household_id == Person.household_id)
        .where(HouseholdGroupMember.group_id == group_id, Person.relation == "02").order_by(Person.household_id)
    )  # fmt: skip
    person = list(uow.session.scalars(wanted))[place]
    return service_heads.name_head(uow, group_id=group_id, person_id=person, valid_from=today(), login=login)
