"""A file that changes columns says nothing of records that its uploader may not see."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from tests.corpus.case import HEAD, HEADER, OTHER, WIFE
from tests.corpus.formats import xlsx
from tests.integration.imports_kit import actor_of, batch_of, checked, commit, empty, work

from xiangyue.features.households.models import Household, HouseholdIncome, Person
from xiangyue.features.imports.policy import UPDATE
from xiangyue.features.imports.queries import list_errors
from xiangyue.features.imports.repair import return_workbook
from xiangyue.features.imports.repair_work import list_repairs
from xiangyue.features.imports.service import upload_roster, write_error_workbook_of
from xiangyue.testing.fixtures import County

ELSEWHERE, TOWN = 610921101000_000, 610921107000_000


@pytest.fixture
def county(hanyin: County) -> Iterator[County]:
    empty(hanyin)
    commit(hanyin, checked(hanyin, xlsx([[*HEADER, "住址"], [*HEAD, "三组17号"], [*WIFE, ""], [*OTHER, "一组1号"]])))
    yield hanyin
    empty(hanyin)


def uploaded(county: County, actor: Any, rows: list[list[Any]]) -> int:
    with county.uow(actor) as uow:
        stream = io.BytesIO(xlsx(rows))
        batch = upload_roster(
            uow, county.runtime.storage, stream=stream, name="修改.xlsx", source="", purpose="更新", kind=UPDATE
        )
    return work(county, batch.id).id


def error_book(county: County, actor: Any, batch: int) -> bytes:
    stream = io.BytesIO()
    with county.uow(actor) as uow:
        write_error_workbook_of(uow, county.runtime.tenant_keys(uow), batch_id=batch, stream=stream)
    return stream.getvalue()


def cells(book: bytes) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True)]


def codes(county: County) -> list[str]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(Household.code).order_by(Household.head_name)))


def test_what_lies_elsewhere_is_as_if_it_were_not_there(county: County) -> None:
    """Neither by the household's number nor by the citizen number."""
    actor = actor_of(county, county.account("town", area=ELSEWHERE))
    batch = uploaded(county, actor, [["户编码", "住址"], *([code, "二组2号"] for code in codes(county))])
    with county.uow(actor) as uow:
        assert {error.code for error in list_errors(uow, batch)[0]} == {"record_unknown"}
    shown = str(cells(error_book(county, actor, batch)))
    assert not [word for word in (*HEAD[4:6], *OTHER[4:6]) if str(word) in shown]
    batch = uploaded(county, actor, [["身份证号", "民族"], [WIFE[5], "回族"]])
    with county.uow(actor) as uow:
        assert [error.code for error in list_errors(uow, batch)[0]] == ["record_unknown"]
    shown = str(cells(error_book(county, actor, batch)))
    assert WIFE[4] not in shown
    assert WIFE[5] in shown, "it is the file's own"


def test_numbers_that_the_register_filled_in_are_masked_and_stay_when_the_workbook_comes_back(county: County) -> None:
    actor = actor_of(county, county.account("town", area=TOWN))
    (code,) = [code for code in codes(county) if code.startswith("610921107224")]
    batch = uploaded(county, actor, [["户编码", "住址", "户年收入"], [code, "二组2号", "没有"]])
    book = error_book(county, actor, batch)
    shown = cells(book)
    at = shown[0].index("公民身份号码")
    assert (shown[1][at][:6], shown[1][at][-2:]) == (HEAD[5][:6], HEAD[5][-2:])
    assert HEAD[5] not in str(shown)
    whole = openpyxl.load_workbook(io.BytesIO(book))
    whole.active.cell(2, shown[0].index("户年收入(元)") + 1).value = "32000"
    whole.active.cell(2, shown[0].index("收入年度") + 1).value = "2024"
    back = io.BytesIO()
    whole.save(back)
    back.seek(0)
    with county.uow(actor) as uow:
        return_workbook(uow, county.runtime.storage, batch_id=batch, stream=back, name="修改.xlsx")
    work(county, batch)
    with county.uow(actor) as uow:
        assert list_errors(uow, batch)[0] == []
        (repair,) = list_repairs(uow, batch)
        assert repair.result["columns"] == ["household_income", "income_year"]
    commit(county, batch_of(county, batch))
    with county.uow() as uow:
        assert uow.session.scalars(select(HouseholdIncome.amount)).all() == [32000]
        assert len(uow.session.scalars(select(Person.id)).all()) == 3
