"""Grids follow an import by themselves; that does not hold its undo up, what people did with them does."""

from __future__ import annotations

from grids_kit import divided_county, group_grid, homes
from imports_kit import Row, batch_of, checked, commit, undo, workbook
from sqlalchemy import select

from xiangyue.features.grids.jobs import sweep
from xiangyue.features.grids.models import GridHousehold
from xiangyue.features.households.person_input import today
from xiangyue.features.imports import undoing
from xiangyue.features.imports.models import ImportBatch
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]


def newcomer(number: int) -> Row:
    return {"town": "城关镇", "village": "东南村", "group": "1组", "household_no": f"{number}", "relation": "户主",
            "name": "沈新一", "sex": "男", "birth_date": "1970-01-01"}  # fmt: skip


def imported(county: County, number: int) -> tuple[ImportBatch, int]:
    """An import of one new household, which grids have followed; the household's id."""
    before = set(all_homes(county))
    batch = commit(county, checked(county, workbook([newcomer(number)])))
    assert batch.state == "committed"
    with county.uow() as uow:
        sweep(uow)
    (made,) = set(all_homes(county)) - before
    return batch, made


def all_homes(county: County) -> list[int]:
    with county.uow() as uow:
        return homes(uow)


def places(county: County, household_id: int) -> list[int]:
    with county.uow() as uow:
        found = select(GridHousehold.grid_id).where(GridHousehold.household_id == household_id)
        return list(uow.session.scalars(found.order_by(GridHousehold.id)))


def test_a_place_that_followed_goes_with_the_household(county: County) -> None:
    with county.uow() as uow:
        one = group_grid(uow, 1)
    batch, made = imported(county, 9001)
    assert places(county, made) == [one]
    assert undo(county, batch).state == "undone"
    assert made not in all_homes(county)
    assert places(county, made) == []

    batch, made = imported(county, 9002)
    with county.uow() as uow:
        group_grid(uow, 1, today(), name="沈家院子", household_ids=[made])
    with county.uow() as uow:
        ((found,), _onward) = undoing.built_on(uow, batch_of(county, batch.id))
    assert (found.what, found.id, found.detail) == ("record", made, "public.grid_household")
