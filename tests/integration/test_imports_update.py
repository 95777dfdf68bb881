"""Files that change some columns of records that stand already: found by key, only those columns, dry run and undo."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from tests.corpus.case import HEAD, HEADER, OTHER, WIFE
from tests.corpus.formats import xlsx
from tests.integration.imports_kit import batch_of, checked, commit, empty, register, work
from tests.integration.test_imports_pages import html, token

from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import UPDATE
from xiangyue.features.imports.queries import list_errors
from xiangyue.features.imports.service import upload_roster
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


@pytest.fixture
def county(hanyin: County) -> Iterator[County]:
    empty(hanyin)
    commit(hanyin, checked(hanyin, xlsx([[*HEADER, "住址"], [*HEAD, "三组17号"], [*WIFE, ""], [*OTHER, "一组1号"]])))
    yield hanyin
    empty(hanyin)


def changed_by(county: County, rows: list[list[Any]], department: str = "") -> ImportBatch:
    with county.uow() as uow:
        stream = io.BytesIO(xlsx(rows))
        batch = upload_roster(
            uow, county.runtime.storage, stream=stream, name="修改.xlsx", source="", purpose="更新", kind=UPDATE,
            department=department,
        )  # fmt: skip
    return work(county, batch.id)


def errors(county: County, batch: ImportBatch) -> list[tuple[int, str, str]]:
    with county.uow() as uow:
        return [(error.row, error.column, error.code) for error in list_errors(uow, batch.id)[0]]


def test_a_member_is_found_by_citizen_number_and_nothing_else_changes(county: County) -> None:
    before = register(county)
    batch = changed_by(county, [["身份证号", "民族"], [WIFE[5], "回族"], [HEAD[5], ""]])
    assert (batch.state, errors(county, batch)) == ("checked", [])
    assert register(county) == before
    assert (batch.counts["persons_changed"], batch.counts["households_changed"]) == (1, 0)
    (sample,) = batch.counts["samples"]
    assert (sample["before"], sample["after"]) == ({"nationality": ""}, {"nationality": "03"})
    commit(county, batch)
    assert batch_of(county, batch.id).state == "committed"
    with county.uow() as uow:
        found = uow.session.execute(select(Person.name, Person.nationality).order_by(Person.name)).all()
        assert dict(tuple(row) for row in found) == {"王试一": "", "陈试二": "03", "李试三": ""}
        assert uow.session.scalars(select(Household.address).order_by(Household.code)).all()
    # Once more it changes nothing.
    again = changed_by(county, [["身份证号", "民族"], [WIFE[5], "回族"]])
    assert again.counts["persons_changed"] == 0


def test_a_head_named_twice_is_told_by_the_column_that_the_file_has(county: County) -> None:
    batch = changed_by(county, [["身份证号", "民族"], [HEAD[5], "回族"], [HEAD[5], "汉族"]])
    assert errors(county, batch) == [(3, "id_number", "id_duplicate")]


def test_a_household_is_found_by_its_number_or_its_whole_code(county: County) -> None:
    with county.uow() as uow:
        codes = uow.session.scalars(select(Household.code).order_by(Household.head_name)).all()
    batch = changed_by(county, [["镇", "村", "户编号", "住址"], ["漩涡镇", "上七村", 17, "五组9号"]])
    assert (errors(county, batch), batch.counts["households_changed"], batch.counts["persons_changed"]) == ([], 1, 0)
    batch = changed_by(county, [["户编码", "住址", "户年收入", "收入年度"], [codes[0], "二组2号", 32000, 2024]])
    assert (errors(county, batch), batch.counts["households_changed"]) == ([], 1)
    commit(county, batch)
    with county.uow() as uow:
        assert "二组2号" in uow.session.scalars(select(Household.address)).all()


def test_what_is_not_there_or_has_no_key_is_told_and_leaves_the_others(county: County) -> None:
    unknown = "610921198505051236"
    rows = [["身份证号", "民族"], [unknown, "汉族"], ["12", "汉族"], [OTHER[5], "汉族"], [WIFE[5], "火星族"]]
    batch = changed_by(county, rows)
    assert sorted(errors(county, batch)) == [
        (2, "id_number", "record_unknown"), (3, "id_number", "record_key"), (5, "nationality", "choice_unknown"),
    ]  # fmt: skip
    commit(county, batch, valid_only=True)
    with county.uow() as uow:
        found = uow.session.execute(select(Person.name, Person.nationality)).all()
        assert dict(tuple(row) for row in found) == {"王试一": "", "陈试二": "", "李试三": "01"}


def test_a_file_without_a_key_waits_for_its_columns(county: County) -> None:
    batch = changed_by(county, [["姓名", "民族"], ["陈试二", "回族"]])
    assert (batch.state, [p["code"] for p in batch.header["problems"]]) == ("mapping", ["header_key_missing"])
    batch = changed_by(county, [["身份证号", "与户主关系"], [WIFE[5], "妻"]])
    assert [p["code"] for p in batch.header["problems"]] == ["header_nothing_to_change"]


def test_the_page_and_the_api_take_such_a_file(county: County) -> None:
    client = county.client("county_admin")
    assert "批量修改某几列" in html(client, "/imports/new")
    file = (io.BytesIO(xlsx([["身份证号", "民族"], [WIFE[5], "回族"]])), "修改.xlsx")
    form = {"csrf_token": token(client), "file": file, "purpose": "更新", "kind": "update"}
    answer = client.post("/imports", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303
    batch = work(county, int(answer.location.rsplit("/", 1)[-1]))
    assert (batch.kind, batch.state) == ("update", "checked")
    assert "只修改已有记录中本文件所列的各列" in html(client, f"/imports/{batch.id}")
    assert english_page_faults(html(county.client("county_admin", locale="en"), f"/imports/{batch.id}")) == []
    headers = county.bearer(county.account("county_admin"))
    file = (io.BytesIO(xlsx([["身份证号", "民族"], [WIFE[5], "回族"]])), "修改.xlsx")
    body = {"file": file, "purpose": "更新", "kind": "update"}
    answer = county.client().post("/api/v1/imports", data=body, headers=headers, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["kind"]) == (202, "update")
