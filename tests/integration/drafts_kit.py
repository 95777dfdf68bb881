"""A village of two groups whose county has a size rule, for tests of drafts of grids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grids_kit import GRID_TABLES, families, fill
from sqlalchemy import delete

from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.grids.models import GridSetting
from xiangyue.features.grids.policy import SizeRule
from xiangyue.features.households.models import Household, HouseholdMember, NameSuffix, Person
from xiangyue.testing.fixtures import County


@pytest.fixture(name="drawn", scope="module")
def two_groups(hanyin: County) -> Iterator[County]:
    """Twelve households of two persons in group 1, three in group 2; rule: 3 to 5 households."""
    fill(hanyin, [*families(1, 1, 12), *families(2, 13, 3)])
    with hanyin.uow() as uow:
        uow.session.execute(delete(GridSetting))
        rule = SizeRule("registered", min_households=3, max_households=5)
        uow.session.add(GridSetting(key="size3", value=rule.plain()))
    yield hanyin
    with hanyin.uow() as uow:
        for model in (GridDraft, *GRID_TABLES, NameSuffix, HouseholdMember, Person, Household):
            uow.session.execute(delete(model))
