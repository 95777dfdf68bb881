"""Columns that a plugin adds to the roster: template, check by cell, one call with all values, all or nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from imports_kit import HEADERS, KEYS, batch_of, checked, commit, empty, job_of, register
from openpyxl import load_workbook
from points_kit import LABEL, faults, probe
from sqlalchemy import select
from tests.unit.roster_samples import HEAD, WIFE, workbook

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Refused
from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports import queries
from xiangyue.features.imports.models import ImportBatch
from xiangyue.plugin.registry import ImportColumn
from xiangyue.testing.fixtures import County

Apply = Callable[[Uow, Sequence[tuple[int, Any]]], None]


@pytest.fixture(name="county")
def emptied(hanyin: County) -> Iterator[County]:
    empty(hanyin)
    yield hanyin
    empty(hanyin)


def nothing(_uow: Uow, _values: Sequence[tuple[int, Any]]) -> None:
    """Takes everything and keeps nothing."""


def column(apply: Apply = nothing, **changes: Any) -> ImportColumn:
    given: dict[str, Any] = {
        "key": "probe_score", "names": ("评分", "Score"), "kind": "integer", "apply": apply, "example": "90",
        "help": "Out of a hundred.", "aliases": ("得分",), **changes,
    }  # fmt: skip
    return ImportColumn(**given)


def roster(header: Sequence[str], *values: Sequence[Any]) -> bytes:
    """Two households of two and one persons; ``values`` of the further columns, row by row."""
    other = {**HEAD, "name": "周永贵", "household_no": "0042", "id_number": "610921198001010012", "phone": None}
    people = [HEAD, WIFE, other]
    rows = [[p.get(key) for key in KEYS] + list(more) for p, more in zip(people, values, strict=True)]
    return workbook([[*HEADERS, *header], *rows])


def sheets(client: Any, url: str) -> Any:
    with client.get(url) as answer:
        assert answer.status_code == 200
        return load_workbook(io.BytesIO(answer.data)).worksheets


def errors(county: County, batch: ImportBatch) -> list[tuple[int, str, str]]:
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    return [(e.row, e.column, e.code) for e in found]


def test_the_template_has_it_with_its_help_where_it_is_on(county: County, tongyu: County) -> None:
    with probe(county, register_import_columns=(column(),)):
        roster_sheet, notes, *_rest = sheets(county.client("county_admin"), "/imports/template.xlsx")
        header = {cell.value: cell for cell in roster_sheet[2]}
        assert header["评分"].comment.text.strip() == "Out of a hundred."
        assert any(row[0] == "评分" and row[2] == "Out of a hundred." for row in notes.values)
        there = sheets(tongyu.client("county_admin"), "/imports/template.xlsx")[0]
        assert "评分" not in {cell.value for cell in there[2]}


def test_values_come_all_at_once_to_the_households_and_persons_they_belong_to(county: County) -> None:
    calls: list[tuple[str, list[tuple[int, Any]]]] = []

    def taking(key: str) -> Apply:
        def apply(uow: Uow, values: Sequence[tuple[int, Any]]) -> None:
            assert uow.session.scalars(select(Household.id)).all()  # what it belongs to stands already
            calls.append((key, list(values)))

        return apply

    columns = (
        column(taking("score")),
        column(taking("born"), key="probe_since", names=("入住日期", "Since"), kind="date", aliases=()),
        column(taking("skill"), key="probe_skill", names=("特长", "Skill"), kind="text", entity="person", aliases=()),
        column(taking("peace"), key="probe_peace", names=("平安", "Peace"), kind="boolean", aliases=()),
        column(taking("rent"), key="probe_rent", names=("租金", "Rent"), kind="money", aliases=()),
        column(taking("year"), key="probe_year", names=("年份", "Year of it"), kind="year", aliases=()),
    )
    with probe(county, register_import_columns=columns):
        data = roster(
            ["得分", "入住日期", "特长", "平安", "租金", "年份"],
            [90, "2019-05-01", "木工", "是", "1.2万", 2023],
            [None, None, "刺绣", None, None, None],
            [70, None, None, "否", None, None],
        )
        batch = commit(county, checked(county, data))
        assert batch.state == "committed", job_of(county, batch.id).error
        with county.uow() as uow:
            homes = {h.code[-4:]: h.id for h in uow.session.scalars(select(Household))}
            people = {p.name: p.id for p in uow.session.scalars(select(Person))}
        first, second = homes[HEAD["household_no"]], homes["0042"]
        assert dict(calls) == {
            "score": [(first, 90), (second, 70)],
            "born": [(first, date(2019, 5, 1))],
            "skill": [(people[HEAD["name"]], "木工"), (people[WIFE["name"]], "刺绣")],
            "peace": [(first, True), (second, False)],
            "rent": [(first, 12_000)],
            "year": [(first, 2023)],
        }
        assert len(calls) == len(columns)
        assert batch.counts["written"]["taken"] == {
            "probe_score": 2, "probe_since": 1, "probe_skill": 2, "probe_peace": 2, "probe_rent": 1, "probe_year": 1,
        }  # fmt: skip
        page = county.client("county_admin").get(f"/imports/{batch.id}").text
        assert "插件收到的数据" in page
        assert "评分" in page
        assert LABEL in page
    # Switched off or taken away, the result can still be read.
    assert "probe_score" in county.client("county_admin").get(f"/imports/{batch.id}").text


def test_wrong_cells_are_errors_by_cell(county: County) -> None:
    columns = (column(), column(key="probe_peace", names=("平安", "Peace"), kind="boolean", aliases=()))
    with probe(county, register_import_columns=columns):
        batch = checked(county, roster(["评分", "平安"], ["many", "maybe"], [None, "是"], [70, None]))
        assert sorted(errors(county, batch)) == [
            (2, "probe_peace", "boolean_format"),
            (2, "probe_score", "integer_format"),
            (3, "probe_peace", "head_row_only"),
        ]
        page = county.client("county_admin").get(f"/imports/{batch.id}").text
        assert "评分" in page
        sheet = sheets(county.client("county_admin"), f"/imports/{batch.id}/errors.xlsx")[0]
        assert "评分" in {cell.value for cell in sheet[1]}


def test_where_it_is_off_the_column_is_passed_over(tongyu: County, county: County) -> None:
    calls: list[Any] = []
    with probe(tongyu, register_import_columns=(column(lambda *given: calls.append(given)),)):
        batch = checked(county, roster(["评分"], [90], [None], [70]))
        assert [(p["code"], p["header"]) for p in batch.header["problems"]] == [("header_ignored", "评分")]
        assert commit(county, batch).state == "committed"
        assert calls == []


def failing(_uow: Uow, _values: Any) -> None:
    raise LookupError("王德福")


def declining(_uow: Uow, _values: Any) -> None:
    raise Invalid({"score": ["Too many."]}, "Scores end at 100.")


def spoiling(uow: Uow, _values: Any) -> None:
    uow.session.add(Household(area_code=1, code=None))  # type: ignore[arg-type]


def committing(uow: Uow, _values: Any) -> None:
    uow.session.commit()


@pytest.mark.parametrize("bad", [failing, declining, spoiling, committing])
def test_a_plugin_that_cannot_take_its_values_ends_the_import_with_nothing_written(county: County, bad: Apply) -> None:
    before = register(county)
    with probe(county, register_import_columns=(column(bad),)):
        batch = commit(county, checked(county, roster(["评分"], [90], [None], [70])))
        assert batch.state == "checked"
        error = job_of(county, batch.id).error
        assert LABEL in error
        assert "王德福" not in error
        assert ("Scores end at 100." in error) == (bad is declining)
        assert register(county) == before
        assert set(faults(county)) == {"import_columns:probe_score"}


def test_a_column_that_was_switched_off_since_the_check_is_not_dropped_in_silence(county: County) -> None:
    with probe(county, register_import_columns=(column(),)):
        batch = checked(county, roster(["评分"], [90], [None], [70]))
    before = register(county)
    with pytest.raises(Conflict, match=r"probe_score|评分"):
        commit(county, batch)
    client = county.client("county_admin")
    page = client.get(f"/imports/{batch.id}").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post(
        f"/imports/{batch.id}/commit", data={"csrf_token": token, "version": batch.version}, follow_redirects=True
    )
    assert answer.status_code == 200
    assert "已经停用" in answer.text
    assert register(county) == before
    assert batch_of(county, batch.id).state == "checked"


@pytest.mark.parametrize(
    "changes",
    [{"names": ("镇", "Town")}, {"names": ("姓名", "Name"), "aliases": ("身份证号",)}],
    ids=["area", "person"],
)
def test_it_cannot_take_the_place_of_the_core_s_columns(county: County, changes: dict[str, Any]) -> None:
    calls: list[Any] = []
    column_of_it = column(lambda *given: calls.append(given), **changes)
    with probe(county, register_import_columns=(column_of_it,)):
        batch = commit(county, checked(county, roster([], [], [], [])))
        assert batch.state == "committed"
        assert calls == []


def test_a_plugin_may_refuse_the_writing(county: County) -> None:
    def import_commit_requested(batch_id: int) -> None:
        raise Refused(f"The year is closed for {batch_id}.")

    with probe(county, import_commit_requested=import_commit_requested):
        batch = checked(county, roster([], [], [], []))
        with pytest.raises(Refused):
            commit(county, batch)
        client = county.client("county_admin")
        page = client.get(f"/imports/{batch.id}").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        url = f"/imports/{batch.id}/commit"
        answer = client.post(url, data={"csrf_token": token, "version": batch.version}, follow_redirects=True)
        assert LABEL in answer.text
        assert f"The year is closed for {batch.id}." in answer.text
        assert batch_of(county, batch.id).state == "checked"
