"""A roster with errors through the browser: errors by cell, the error workbook, the mended file, the register."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import select
from tests.e2e.kit import head, roster

from xiangyue.features.households.models import Household
from xiangyue.testing.fixtures import County

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GOOD = [head(n, name="王试" + "一二三四五"[n - 1]) for n in range(1, 6)]
BROKEN = [
    GOOD[0],
    {**GOOD[1], "town": "漩窝镇"},
    {**GOOD[2], "birth_date": "1980-13-41"},
    GOOD[3],
    {**GOOD[4], "sex": "未知数"},
]


def upload(page: Any, name: str, data: bytes) -> None:
    page.set_input_files("input[type=file]", {"name": name, "mimeType": XLSX, "buffer": data})
    page.fill("[name=purpose]", "核对底册")
    page.press("[name=purpose]", "Enter")
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())


def test_from_a_roster_with_errors_to_households_in_the_register(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/imports/new")
    check_page(page)
    upload(page, "名单.xlsx", roster(*BROKEN))
    # The progress card replaces itself until the check has ended; then the errors stand there.
    page.wait_for_selector("#errors", timeout=30_000)
    check_page(page)
    chosen = page.locator(".list-group-item.active")
    looks = chosen.evaluate("e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).boxShadow]")
    assert looks == ["rgb(232, 241, 236)", "rgb(31, 111, 74) 3px 0px 0px 0px inset"]
    errors = page.inner_text("#errors")
    for words in ("第 3 行", "漩涡镇", "第 4 行", "第 6 行"):
        assert words in errors
    typed = page.eval_on_selector_all("#errors [name=value]", "all => all.map(one => one.value)")
    assert typed == ["漩窝镇", "1980-13-41", "未知数"]
    assert "出生日期" in errors
    assert page.locator("button:has-text('全部写入')").count() == 0

    with page.expect_download() as waiting:
        page.click("a[href$='errors.xlsx'] >> nth=0")
    book = openpyxl.load_workbook(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    sheet = book.active
    assert sheet is not None
    names = {row[5] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert names == {"王试二", "王试三", "王试五"}

    page.click("a[href*='again=']")
    page.wait_for_url("**/imports/new*")
    assert page.input_value("[name=purpose]") == "核对底册"
    upload(page, "改好的名单.xlsx", roster(*GOOD))
    write = page.wait_for_selector("button:has-text('全部写入，共 5 户')", timeout=30_000)
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Household.id)).all() == []
    assert "新" in page.inner_text("main table")
    check_page(page)
    write.click()
    page.wait_for_selector("a[href^='/households?batch=']", timeout=30_000)
    check_page(page)
    desk = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    check_page(page)
    page.set_viewport_size(desk)
    page.click("a[href^='/households?batch=']")
    page.wait_for_url(lambda url: "/households?batch=" in url)
    shown = page.inner_text("main")
    for person in GOOD:
        assert person["name"] in shown
