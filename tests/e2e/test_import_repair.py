"""A messy file from the upload over the columns and the repair of its cells to the register and out of it again, on a
desk and a phone; the error workbook out and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from tests.e2e.kit import head, roster
from tests.e2e.test_import import XLSX, upload
from tests.unit.roster_samples import workbook

from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.testing.fixtures import County

#: Headings that nobody can guess among others, rows with the same slip, one that must be looked at, and one too many.
HEADER = ["乡镇名称", "行政村", "户编码号", "与户主关系", "姓名", "性别", "生于"]
NAMES = ["王试一", "王试二", "王试三", "王试四", "王试五"]


def messy(first: int) -> bytes:
    people = [["漩窝镇", "上七村", str(first + n), "户主", name, "男", "1980.1.1"] for n, name in enumerate(NAMES)]
    people[3] = ["漩涡镇", "上七村", str(first + 3), "户主", "王试四", "男", "1980-13-41"]
    people[4] = ["漩涡镇", "不知道村", str(first + 4), "户主", "王试五", "男", "1980.1.1"]
    return workbook([["漩涡镇花名册"], HEADER, *people])


@pytest.mark.parametrize(("width", "english", "first"), [(1440, False, 4100), (360, True, 4200)])
def test_from_a_messy_file_to_the_register_and_back(
    hanyin: County,
    sign_in: Callable[..., Any],
    check_page: Callable[[Any], None],
    width: int,
    english: bool,
    first: int,
) -> None:
    account = hanyin.account("county_admin", locale="en" if english else "zh")
    page = sign_in(hanyin, account, width=width, path="/imports/new")
    data = {"name": "名单.xlsx", "mimeType": XLSX, "buffer": messy(first)}
    page.set_input_files("input[type=file]", data)
    page.fill("[name=purpose]", "核对底册")
    page.press("[name=purpose]", "Enter")
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    imported = page.url
    # The columns are asked for the first time only: the second file has the same headings.
    page.wait_for_selector("select[name^=column_], #errors", timeout=30_000)
    if page.locator("#errors").count() == 0:
        check_page(page)
        page.select_option("[name=column_2]", "household_no")
        page.select_option("[name=column_6]", "birth_date")
        page.click("form[action$='/columns'] button[type=submit]")
        page.wait_for_selector("#errors", timeout=30_000)
    check_page(page)

    # One act for the three rows with the same slip, by what is suggested.
    same = page.locator(".xy-mend-same form").filter(has_text="漩窝镇")
    same.locator("button[name=pick]").first.click()
    page.wait_for_selector("#repairs")
    assert page.locator("#errors article").count() == 2
    check_page(page)

    # One cell, typed in place; the keyboard goes on with the next one.
    cell = page.locator("#r6 input[name=value]")
    cell.fill("1980-12-31")
    cell.press("Enter")
    page.wait_for_selector("#r6", state="detached")
    page.wait_for_selector("#r7 :focus")

    # Taken back, and done once more.
    page.locator("#repairs .xy-row-act button").first.click()
    page.wait_for_selector("#r6")
    cell = page.locator("#r6 input[name=value]")
    assert cell.input_value() == "1980-13-41"
    cell.fill("1980-12-31")
    cell.press("Enter")
    page.wait_for_selector("#r6", state="detached")

    # The last one is looked at as a whole and left out.
    page.locator("#r7 .xy-mend-acts a").click()
    page.wait_for_url("**/rows/7")
    check_page(page)
    page.locator("form[action$='/rows/7/out'] button").first.click()
    page.wait_for_selector("form[action$='/rows/7/back']")
    page.goto(imported)
    # What was mended is still there.
    assert page.locator("#repairs .xy-row").count() == 4
    check_page(page)
    page.locator("form[action$='/commit'] button").click()
    page.wait_for_selector("a[href^='/households?batch=']", timeout=30_000)
    batch_id = int(imported.rsplit("/", 1)[1])
    with hanyin.uow() as uow:
        codes = list(uow.session.scalars(select(Household.code).where(Household.import_batch_id == batch_id)))
    assert sorted(code[-4:] for code in codes) == [str(first + n) for n in range(4)]

    # The whole import is taken back: what it would do is said first, and once more asked for.
    page.click("a[href$='/undo']")
    page.wait_for_url("**/undo")
    check_page(page)
    page.locator("form[action$='/undo'] button").click()
    page.click("#xy-confirm [value=yes]")
    page.wait_for_selector("text=was undone" if english else "text=该导入已撤销", timeout=30_000)
    check_page(page)
    with hanyin.uow() as uow:
        left = uow.session.scalars(select(Household.id).where(Household.import_batch_id == batch_id)).all()
        assert (left, uow.get(ImportBatch, batch_id).state) == ([], "undone")


def test_the_error_workbook_goes_out_and_comes_back_and_only_its_rows_are_read(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/imports/new")
    people = [head(4300 + n, name=name) for n, name in enumerate(NAMES)]
    upload(
        page,
        "名单.xlsx",
        roster(*people[:3], {**people[3], "birth_date": "1980-13-41"}, {**people[4], "sex": "未知数"}),
    )
    page.wait_for_selector("#errors", timeout=30_000)
    imported = int(page.url.rsplit("/", 1)[1])
    with page.expect_download() as waiting:
        page.locator("#workbook a[href$='errors.xlsx']").click()
    book = openpyxl.load_workbook(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    sheet = book.active
    assert sheet is not None
    columns = {cell.value: cell.column for cell in sheet[1]}
    rows = {str(sheet.cell(row, columns["姓名"]).value): row for row in range(2, sheet.max_row + 1)}
    assert sorted(rows) == ["王试五", "王试四"]
    sheet.cell(rows["王试四"], columns["出生日期"]).value = "1980-12-31"
    sheet.cell(rows["王试五"], columns["性别"]).value = "女"
    stream = io.BytesIO()
    book.save(stream)
    back = {"name": "改好.xlsx", "mimeType": XLSX, "buffer": stream.getvalue()}
    page.set_input_files("#workbook-file", back)
    page.locator("form[action$='/workbook'] button").click()
    write = page.wait_for_selector("button:has-text('全部写入，共 5 户')", timeout=30_000)
    assert "改好.xlsx" in page.inner_text("#repairs")
    check_page(page)
    with hanyin.uow() as uow:
        statement = select(ImportRow.row_no).where(ImportRow.batch_id == imported, ImportRow.mended != [])
        assert sorted(uow.session.scalars(statement)) == [5, 6]
    write.click()
    page.wait_for_selector("a[href^='/households?batch=']", timeout=30_000)
    with hanyin.uow() as uow:
        statement = select(Person.name, Person.sex).where(Person.import_batch_id == imported, Person.name == "王试五")
        assert [tuple(row) for row in uow.session.execute(statement)] == [("王试五", 2)]
