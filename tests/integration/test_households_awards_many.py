"""A kind of award of many households at once: written set by set, what changed is in the trail of each household."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.integration.classifications_kit import OTHER_TOWN, VILLAGE, empty

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Forbidden, Invalid
from xiangyue.features.households.models import Household, HouseholdAward
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.households.service_awards import record_awards
from xiangyue.testing.fixtures import County

SAFE = "safe_family"
YEAR = 2024


@pytest.fixture
def homes(hanyin: County) -> list[int]:
    """Two in a village, one in another town."""
    with hanyin.uow() as uow:
        rows = [Household(area_code=area, code=f"{area // 1000}{n:04}") for n, area in enumerate(PLACES, 1)]
        uow.session.add_all(rows)
        uow.session.flush()
        return [row.id for row in rows]


PLACES = (VILLAGE, VILLAGE, OTHER_TOWN + 200_000)


@pytest.fixture(autouse=True)
def _emptied(hanyin: County) -> object:
    yield
    with hanyin.uow() as uow:
        for award in uow.session.scalars(select(HouseholdAward)):
            uow.session.delete(award)
    empty(hanyin)


def standing(county: County) -> dict[tuple[int, int], tuple[bool, int]]:
    with county.uow() as uow:
        rows = uow.session.scalars(select(HouseholdAward)).all()
        assert {row.award_key for row in rows} <= {SAFE}
        return {(row.household_id, row.year): (row.awarded, row.version) for row in rows}


def test_they_are_written_once_and_changes_are_noted_one_by_one(hanyin: County, homes: list[int]) -> None:
    first, second, far = homes
    given = [(first, YEAR, True), (first, YEAR - 1, False), (second, YEAR, False), (far, YEAR, True)]
    with hanyin.uow() as uow:
        assert record_awards(uow, key=SAFE, rows=given, source="花名册") == 4
        assert record_awards(uow, key=SAFE, rows=given, source="花名册") == 0
    assert standing(hanyin)[(first, YEAR)] == (True, 1)
    with hanyin.uow() as uow:
        assert record_awards(uow, key=SAFE, rows=[(second, YEAR, True), (first, YEAR, True)]) == 1
    assert standing(hanyin)[(second, YEAR)] == (True, 2)
    with hanyin.uow() as uow:
        trail = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "household.award").order_by(AuditEntry.id)
        ).all()
        by_household = [entry for entry in trail if entry.object_id == second]
        assert [(e.before["awarded"], e.after["awarded"], e.after["year"]) for e in by_household] == [
            (False, True, YEAR)
        ]  # fmt: skip
        assert [e.after for e in trail if e.object_id is None] == [
            {"award": SAFE, "households": 4, "changed": 0, "source": "花名册"},
            {"award": SAFE, "households": 0, "changed": 1, "source": ""},
        ]


def test_only_inside_the_actors_area(hanyin: County, homes: list[int]) -> None:
    first, _second, far = homes
    rows = [(first, YEAR, True), (far, YEAR, True)]
    with hanyin.uow(hanyin.actor(HOUSEHOLD_EDIT, area=VILLAGE)) as uow:
        assert record_awards(uow, key=SAFE, rows=rows) == 1
    assert list(standing(hanyin)) == [(first, YEAR)]
    with hanyin.uow(hanyin.actor(HOUSEHOLD_VIEW)) as uow, pytest.raises(Forbidden):
        record_awards(uow, key=SAFE, rows=rows)


@pytest.mark.parametrize(
    ("key", "year", "field"), [("no_such", YEAR, "award"), (SAFE, 1950, "year"), (SAFE, 2999, "year")]
)
def test_what_cannot_be(hanyin: County, homes: list[int], key: str, year: int, field: str) -> None:
    with hanyin.uow() as uow, pytest.raises(Invalid) as caught:
        record_awards(uow, key=key, rows=[(homes[0], year, True)])
    assert list(caught.value.fields) == [field]


def test_another_countys_household_is_none(hanyin: County, tongyu: County, homes: list[int]) -> None:
    with tongyu.uow() as uow:
        assert record_awards(uow, key=SAFE, rows=[(homes[0], YEAR, True)]) == 0
    assert standing(hanyin) == {}
