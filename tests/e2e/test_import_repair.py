"""A messy file from the upload over the columns and the repair of its cells to the register, on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from tests.e2e.test_import import XLSX
from tests.unit.roster_samples import workbook

from xiangyue.features.households.models import Household
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
def test_from_a_messy_file_to_the_register(
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
    assert page.evaluate("document.activeElement.closest('article')?.id") == "r7"

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
