"""Two villages become one: the dry run, the change itself, and its undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.kit import register

from xiangyue.features.households.models import Household
from xiangyue.testing.fixtures import County

#: Villages of Hanyin that no other journey uses.
PAIRS = {360: (610921100217_000, 610921100218_000), 1440: (610921100219_000, 610921100220_000)}


@pytest.mark.parametrize("width", [360, 1440])
def test_two_villages_are_merged_and_parted_again(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    goes, stays = PAIRS[width]
    household = register(hanyin, "童安然", area=goes).id
    account = hanyin.account("county_admin", locale="en")
    page = sign_in(hanyin, account, width=width, path=f"/areas/{goes // 1000}")
    page.click("a:has-text('Change this area')")
    check_page(page)
    page.click("main a:has-text('Merge')")
    page.select_option("select[name=into]", str(stays))
    page.fill("input[name=on]", "2026-05-01")
    page.fill("input[name=reason]", "县政发〔2026〕7号")
    check_page(page)
    page.click("button:has-text('See what would move')")
    page.wait_for_selector("text=Dry run")
    check_page(page)
    assert "1" in page.inner_text("#steps")
    assert area_of(hanyin, household) == goes
    page.click("button:has-text('Carry out the change')")
    page.locator("dialog[open] button.btn-primary, dialog[open] button.btn-danger").click()
    page.wait_for_selector("text=1 household went along", timeout=60_000)
    check_page(page)
    assert area_of(hanyin, household) == stays
    page.fill("input[name=reason]", "two lines too early")
    page.click("button:has-text('Undo this change of areas')")
    page.wait_for_selector("text=Everything is as it was before", timeout=60_000)
    assert area_of(hanyin, household) == goes


def area_of(county: County, household: int) -> int:
    with county.uow() as uow:
        return uow.get(Household, household).area_code
