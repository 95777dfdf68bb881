"""Colours follow what they rest on: changes of households and members, rosters, and the plugin's own switch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import xlsxwriter
from contact321_kit import (
    OTHER_VILLAGE,
    SAFE,
    SIX,
    YEAR,
    Home,
    colours,
    compute,
    empty,
    fill,
    home_of,
    open_jobs,
    row_of,
    run_jobs,
    switch,
)
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.models import Classification
from xiangyue.features.households.models import HouseholdAward, Person, PersonMark
from xiangyue.features.households.service import close_household, edit_household
from xiangyue.features.households.service_persons import person_left
from xiangyue.features.households.service_records import add_mark, end_mark, set_award, set_income
from xiangyue.features.imports import queries
from xiangyue.features.imports import service as imports
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.jobs.models import Job
from xiangyue.testing.fixtures import County

ALL, NONE = (True, True, True), (False, False, None)
PAIR: dict[str, Home] = {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())}


@pytest.fixture(name="county")
def switched_on(hanyin: County) -> Iterator[County]:
    switch(hanyin)
    run_jobs(hanyin)
    yield hanyin
    empty(hanyin)


@pytest.fixture
def pair(county: County) -> County:
    fill(county, PAIR)
    compute(county)
    assert colours(county) == {"富": "green", "贫": "yellow"}
    return county


def test_an_income_moves_the_whole_village(pair: County) -> None:
    with pair.uow() as uow:
        set_income(uow, household_id=home_of(pair, "贫"), year=YEAR, amount=90_000)
    run_jobs(pair)
    assert colours(pair) == {"富": "open_below", "贫": "open_above"}
    assert row_of(pair, "富").inputs["mean"] == 60_000


def test_an_award_moves_the_whole_village(pair: County) -> None:
    with pair.uow() as uow:
        set_award(uow, household_id=home_of(pair, "贫"), key=SAFE, year=YEAR, awarded=True)
    run_jobs(pair)
    assert colours(pair) == {"富": "green", "贫": "open_below"}


def test_a_mark_makes_red_and_its_end_takes_it_away(pair: County) -> None:
    home = home_of(pair, "富")
    with pair.uow() as uow:
        person = uow.session.scalars(select(Person.id).where(Person.household_id == home)).one()
        add_mark(uow, person_id=person, key="disabled")
    run_jobs(pair)
    assert colours(pair)["富"] == "red"
    before = row_of(pair, "贫").version
    with pair.uow() as uow:
        end_mark(uow, mark_id=uow.session.scalars(select(PersonMark.id)).one())
    run_jobs(pair)
    assert colours(pair)["富"] == "green"
    assert row_of(pair, "贫").version == before


def test_told_again_it_writes_nothing(pair: County) -> None:
    home = home_of(pair, "贫")
    with pair.uow() as uow:
        set_income(uow, household_id=home, year=YEAR, amount=11_000)
    (event,) = open_jobs(pair)
    run_jobs(pair)
    version = row_of(pair, "贫").version
    with pair.uow() as uow:
        again = Job(kind=event.kind, params=event.params, max_attempts=1)
        uow.session.add(again)
    run_jobs(pair)
    assert row_of(pair, "贫").version == version


def test_a_new_note_computes_nothing(pair: County) -> None:
    computed = len(entries(pair, "classification.compute"))
    with pair.uow() as uow:
        edit_household(uow, household_id=home_of(pair, "贫"), version=1, changes={"note": "屋顶已修"})
    run_jobs(pair)
    assert len(entries(pair, "classification.compute")) == computed


def entries(county: County, action: str) -> list[AuditEntry]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_switched_on_the_county_is_computed(hanyin: County) -> None:
    fill(hanyin, SIX)
    switch(hanyin)
    assert run_jobs(hanyin) == ["plugin.event", "classification.compute"]
    assert len(colours(hanyin)) == 6
    switch(hanyin, False)
    run_jobs(hanyin)
    with hanyin.uow() as uow:
        assert len(uow.session.scalars(select(Classification.id)).all()) == 6
    empty(hanyin)


HEADERS = [column.zh for column in STANDARD_COLUMNS] + [
    "平安家庭年度",
    "平安家庭",
    "前一年平安家庭",
    "平安家庭前第二年",
]
KEYS = [column.key for column in STANDARD_COLUMNS] + ["year", "newest", "before", "first"]


def roster(*households: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADERS)
    common = {
        "town": "城关镇", "village": "东南村", "group": "一组", "relation": "户主", "sex": "男",
        "birth_date": "1980-01-01", "address": "一组", "away": "否", "income_year": YEAR, "household_income": 20_000,
    }  # fmt: skip
    for number, row in enumerate(households, 1):
        values = {**common, "household_no": f"{number:04}", **row}
        for position, key in enumerate(KEYS):
            if values.get(key) not in (None, ""):
                sheet.write(number, position, values[key])
    book.close()
    return stream.getvalue()


def take_in(county: County, data: bytes) -> ImportBatch:
    with county.uow() as uow:
        batch = imports.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data), name="花名册.xlsx", source="村级台账", purpose="建档"
        ).id
    run_jobs(county)
    with county.uow() as uow:
        found = uow.get(ImportBatch, batch)
    if found.counts.get("errors"):
        return found
    with county.uow() as uow:
        imports.request_commit(uow, batch_id=batch, version=found.version, valid_only=False)
    run_jobs(county)
    with county.uow() as uow:
        return uow.get(ImportBatch, batch)


def test_a_roster_brings_awards_and_income_and_colours_follow(county: County) -> None:
    batch = take_in(
        county,
        roster(
            {"name": "王富", "household_income": 30_000, "newest": "是", "before": "是", "first": "√"},
            {"name": "李贫", "household_income": 10_000, "newest": "否", "before": "否", "year": YEAR},
            {"name": "赵缺", "household_income": 10_000},
            {"name": "孙旧", "household_income": 30_000, "newest": "是", "year": YEAR - 1},
        ),
    )
    assert batch.state == "committed"
    assert colours(county) == {"王富": "green", "李贫": "yellow", "赵缺": "no_awards", "孙旧": "no_awards"}
    with county.uow() as uow:
        rows = uow.session.scalars(select(HouseholdAward)).all()
        old = [r for r in rows if r.household_id == home_of(county, "孙旧")]
    assert [(r.year, r.awarded, r.source, r.award_key) for r in old] == [(YEAR - 1, True, "花名册", SAFE)]
    assert len(rows) == 6
    written = entries(county, "contact321.awards")
    assert [(e.after["years_before"], e.after["written"]) for e in written] == [(0, 3), (1, 2), (2, 1)]


def test_a_cell_that_is_neither_yes_nor_no_is_named(county: County) -> None:
    batch = take_in(
        county, roster({"name": "王富", "newest": "也许"}, {"name": "李贫", "newest": "是", "year": "去年"})
    )
    assert batch.state == "checked"
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    assert {(e.row, e.column) for e in found} == {(2, "contact321_award_0"), (3, "contact321_award_year")}


def test_a_household_that_closed_counts_no_more(pair: County) -> None:
    fill(pair, {"邻": (1, NONE, ())}, area=OTHER_VILLAGE)
    compute(pair)
    with pair.uow() as uow:
        close_household(uow, household_id=home_of(pair, "富"), version=1, on=today(), reason="迁走")
    run_jobs(pair)
    assert colours(pair) == {"贫": "open_above", "邻": "open_above"}


def test_members_who_leave_take_their_marks_along(pair: County) -> None:
    home = home_of(pair, "富")
    with pair.uow() as uow:
        person = uow.session.scalars(select(Person.id).where(Person.household_id == home)).one()
        add_mark(uow, person_id=person, key="disabled")
    run_jobs(pair)
    assert colours(pair)["富"] == "red"
    with pair.uow() as uow:
        person_left(uow, person_id=person, version=1, state="deceased", on=today())
    run_jobs(pair)
    with pair.uow() as uow:
        proposed = select(Classification.proposed).where(Classification.household_id == home)
        assert uow.session.scalars(proposed).one() == "green"
