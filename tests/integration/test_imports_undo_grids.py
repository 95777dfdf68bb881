"""Grids follow an import by themselves; that does not hold its undo up, what people did with them does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from grids_kit import divided_county, group_grid, homes
from households_kit import text
from imports_kit import Row, batch_of, checked, commit, undo, workbook
from sqlalchemy import select

from xiangyue.features.grids.jobs import sweep
from xiangyue.features.grids.models import GridHousehold
from xiangyue.features.households.person_input import today
from xiangyue.features.imports import undoing
from xiangyue.features.imports.models import ImportBatch
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.dispatch import EVENT
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


def events_of(county: County, batch: ImportBatch) -> list[Job]:
    """The jobs in which grids are told of an import."""
    with county.uow() as uow:
        told = uow.session.scalars(select(Job).where(Job.kind == EVENT, Job.params["plugin"].astext == "grids")).all()
    return [job for job in told if job.params["arguments"] == {"batch_id": batch.id}]


def test_the_page_says_that_grids_follow_until_they_have(county: County) -> None:
    chinese = county.client("county_admin")
    english = county.client(county.account("county_admin", locale="en"))
    without = commit(county, checked(county, workbook([newcomer(9101)])))
    assert events_of(county, without)
    assert "网格" not in text(chinese, f"/imports/{without.id}").split("<main")[1]
    with county.uow() as uow:
        group_grid(uow, 2)
    batch = commit(county, checked(county, workbook([newcomer(9102)])))
    page = f"/imports/{batch.id}"
    assert "正在把这些户划入网格" in text(chinese, page)
    assert "The households are being put into grids now" in text(english, page)
    (job,) = events_of(county, batch)
    with county.uow() as uow:
        failed = uow.get(Job, job.id)
        failed.state, failed.finished_at = "failed", datetime.now(UTC)
    assert "未能把这些户划入网格" in text(chinese, page)
    with county.uow() as uow:
        uow.get(Job, job.id).finished_at = datetime.now(UTC) - timedelta(days=2)
    assert "划入网格" not in text(chinese, page)  # what it left was looked for since
    with county.uow() as uow:
        uow.get(Job, job.id).state = "queued"
    run_with(county.runtime, county.info.id, job.id)
    assert "划入网格" not in text(chinese, page)


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
