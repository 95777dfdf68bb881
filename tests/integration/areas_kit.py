"""What the tests of changes of areas share: two small villages with groups and households, and doing a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from imports_kit import actor_of
from sqlalchemy import select

from xiangyue.features.areas.changes import service
from xiangyue.features.areas.changes.queries import area_codes_on
from xiangyue.features.areas.models import Area, AreaChange
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, HouseholdMember, Person
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County

A, B, C = 610921100200_000, 610921100203_000, 610921100204_000
TOWN, OTHER_TOWN = 610921100_000_000, 610921101_000_000
DAY = date(2026, 5, 1)


def rows(village: int, groups: Sequence[int], each: int = 2) -> list[HouseholdRow]:
    """Households of a village: some in each group, one in none."""
    found = []
    for place, group in enumerate((0, *groups)):
        for number in range(each if group else 1):
            code = f"{village // 1000}{place * 10 + number + 1:04}"
            head = {"name": f"户主{code[-6:]}", "relation": "02", "marks": ["party_member"] if number else []}
            wife = {"name": f"配偶{code[-6:]}", "relation": "12"}
            found.append(HouseholdRow(village + group, code, f"{group}组{number + 1}号", [head, wife], (2025, 9000)))
    return found


def fill(county: County, *villages: tuple[int, Sequence[int]], each: int = 2) -> None:
    with county.uow() as uow:
        made = [row for village, groups in villages for row in rows(village, groups, each)]
        upsert_households(uow, county.runtime.tenant_keys(uow), made, source="花名册")


def draft(county: County, account: Any, kind: str, on: date = DAY, **request: Any) -> AreaChange:
    with county.runtime.uow(county.info.id, actor=actor_of(county, account)) as uow:
        return service.draft_change(uow, kind=kind, on=on, reason="县政发〔2026〕7号", request=request)


def put_in_force(county: County, account: Any, change: AreaChange) -> str:
    """State of the job."""
    with county.runtime.uow(county.info.id, actor=actor_of(county, account)) as uow:
        started = service.request_change(uow, id=change.id, version=change.version)
        job_id = started.job_id
    return run_with(county.runtime, county.info.id, job_id or 0)


def do(county: County, account: Any, kind: str, on: date = DAY, **request: Any) -> AreaChange:
    change = draft(county, account, kind, on, **request)
    assert put_in_force(county, account, change) == "succeeded"
    return latest(county, change.id)


def undo(county: County, account: Any, change: AreaChange) -> str:
    with county.runtime.uow(county.info.id, actor=actor_of(county, account)) as uow:
        now = uow.get(AreaChange, change.id)
        job = service.request_undo(uow, id=change.id, version=now.version, reason="弄错了").job_id
    return run_with(county.runtime, county.info.id, job or 0)


def latest(county: County, id: int) -> AreaChange:
    with county.uow() as uow:
        return uow.get(AreaChange, id)


def places(county: County, on: date | None = None) -> dict[str, int]:
    """Where each household is, by its number; on a day, where it was then."""
    with county.uow() as uow:
        found = {h.code: (h.id, h.area_code) for h in uow.session.scalars(select(Household))}
        if on is None:
            return {code: area for code, (_id, area) in found.items()}
        then = area_codes_on(uow, on, [id for id, _area in found.values()])
        return {code: then[id] for code, (id, _area) in found.items()}


def areas(county: County, *codes: int) -> dict[int, Area]:
    with county.uow() as uow:
        return {a.area_code: a for a in uow.session.scalars(select(Area).where(Area.area_code.in_(codes)))}


def astray(county: County) -> int:
    """Persons and memberships that do not lie where their household does."""
    with county.uow() as uow:
        persons = select(Person.id).join(Household, Household.id == Person.household_id)
        members = select(HouseholdMember.id).join(Household, Household.id == HouseholdMember.household_id)
        found = list(uow.session.scalars(persons.where(Person.area_code != Household.area_code)))
        return len(found) + len(
            list(uow.session.scalars(members.where(HouseholdMember.area_code != Household.area_code)))
        )
