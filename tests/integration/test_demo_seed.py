"""The demonstration's register: a roster, and records of awards to look at; made once."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from xiangyue.features.demo.seed import seed
from xiangyue.features.grids.models import GridPost
from xiangyue.features.grids.queries_coverage import coverage, summed
from xiangyue.features.households.models import Household, HouseholdAward, HouseholdIncome
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations.models import Organisation, PostHolder
from xiangyue.testing.fixtures import County


def test_it_has_households_incomes_and_awards_and_is_made_once(hanyin: County) -> None:
    assert seed(hanyin.runtime, 300) == 300
    with hanyin.uow() as uow:
        counted = [
            uow.session.scalars(select(func.count()).select_from(model)).one() for model in (Household, HouseholdIncome)
        ]
        rows = uow.session.execute(select(HouseholdAward.household_id, HouseholdAward.awarded)).all()
    assert counted == [300, 300]
    years = Counter(home for home, _awarded in rows)
    assert set(years.values()) == {3}
    assert 200 < len(years) < 300  # of some nothing is on record
    assert {awarded for _home, awarded in rows} == {True, False}
    with hanyin.uow() as uow:
        made = Counter(uow.session.scalars(select(Organisation.kind_key)))
        held = uow.session.scalars(select(func.count()).select_from(PostHolder)).one()
    assert len(made) == 5
    assert made["village_committee"] == made["supervision_committee"] > 5
    assert held > 20
    with hanyin.uow() as uow:
        owed = summed(coverage(uow, 0, today()))
        led = uow.session.scalars(select(func.count()).select_from(GridPost)).one()
    assert led > 20
    assert owed.waiting == owed.twice == 0
    assert owed.term_soon
    assert owed.term_over
    assert owed.leaderless < owed.grids
    assert seed(hanyin.runtime, 300) == 0
