"""A village is planned, a household moved by hand, a leader proposed, the draft put in force, the boards printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.grids.models import GridSetting
from xiangyue.features.grids.policy import SizeRule
from xiangyue.features.grids.standing import division_on
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.testing.fixtures import County
from xiangyue.testing.sheets import sheet_words

#: Villages of Xuanwo, one for each width.
VILLAGES = {360: 610921107203_000, 1440: 610921107204_000}


def fill(county: County, village: int) -> None:
    """Twelve households of two in one group; the county wants three to five in a grid."""
    rows = [
        HouseholdRow(
            village + 1,
            f"{village // 1000}{n:04}",
            f"1组{n}号",
            [
                {"name": f"鲁{'甲乙丙丁戊己庚辛壬癸子丑'[n - 1]}{p}", "relation": "02" if p == 0 else "20",
                 "birth_date": date(1980, 1, 31)}
                for p in range(2)
            ],
        )
        for n in range(1, 13)
    ]  # fmt: skip
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)
        rule = SizeRule("registered", min_households=3, max_households=5).plain()
        row = uow.session.scalars(select(GridSetting).where(GridSetting.key == "size3")).one_or_none()
        if row is None:
            uow.session.add(GridSetting(key="size3", value=rule))
        else:
            row.value = rule


def figures(page: Any, part: int) -> str:
    return str(page.locator("[data-part]").nth(part).locator("[data-sizes]").inner_text())


@pytest.mark.parametrize("width", [360, 1440])
def test_from_the_plan_to_the_day_it_is_in_force(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    village = VILLAGES[width]
    fill(hanyin, village)
    page = sign_in(hanyin, hanyin.account("county_admin", locale="en"), width=width, path="/grid-drafts/new")
    page.select_option("select[name=area]", str(village // 1000))
    check_page(page)
    page.click("main button:has-text('Plan grids')")
    page.wait_for_url(re.compile(r"/grid-drafts/\d+$"))
    check_page(page)
    draft_id = int(page.url.rsplit("/", 1)[1])
    assert [figures(page, n) for n in range(3)] == ["4 households · 8 persons"] * 3
    house = page.locator("[data-part]").nth(0).locator("[data-household]").last
    moved = int(house.get_attribute("data-household"))
    if width == 360:
        # By selection: what the grids would be is told before anything is done.
        house.locator("input").check()
        page.select_option("#board-part", index=1)
        assert "5 households" in page.locator("[data-part]").nth(1).locator("[data-then]").inner_text()
        page.click(".xy-board-bar button")
    else:
        target = page.locator("[data-part]").nth(1)
        house.hover()
        page.mouse.down()
        box = target.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30, steps=8)
        assert "5 households" in target.locator("[data-then]").inner_text()
        assert "within the rule" in target.locator("[data-then]").inner_text()
        page.mouse.up()
    page.wait_for_selector("text=Moved.")
    assert [figures(page, n) for n in range(2)] == ["3 households · 6 persons", "5 households · 10 persons"]
    page.click("[data-part] >> nth=0 >> a:has-text('Change')")
    page.fill("input[name=leader]", "外来干部")
    check_page(page)
    page.click("main button:has-text('Save')")
    page.wait_for_selector("text=Saved.")
    page.click("button:has-text('Submit for approval')")
    page.wait_for_selector("text=Waits for approval")
    check_page(page)
    page.click("main button:has-text('Approve')")
    page.wait_for_selector("h2:has-text('Put in force'), h3:has-text('Put in force')")
    page.fill("input[name=on]", "2026-03-01")
    page.fill("input[name=reason]", "年度调整")
    assert page.is_checked("input[value=outside]"), "nobody on the register has this name"
    page.fill("input[name^='phone.']", "0915-5210000")
    page.fill("input[name=term_until]", "2028-12-31")
    check_page(page)
    page.click("main form button:has-text('Put in force')")
    page.wait_for_selector("text=from 2026-03-01 on")
    check_page(page)
    with hanyin.uow() as uow:
        assert uow.get(GridDraft, draft_id).state == "in_force"
        division = division_on(uow, village, date(2026, 3, 1))
        assert division.cells[division.homes[moved]].name.endswith("-2")
        assert sorted(len(division.households(leaf)) for leaf in division.leaves()) == [3, 4, 5]
    page.click("a:has-text('Print all boards')")
    page.wait_for_selector("h1:has-text('Print boards')")
    check_page(page)
    with page.expect_download() as waiting:
        page.click("main button:has-text('Print boards')")
    sheets = sheet_words(Path(waiting.value.path()).read_bytes())
    assert len(sheets) == 3
    assert "外来干部" in sheets[0]
    assert "0915-5210000" in sheets[0]
    assert not [sheet for sheet in sheets if "鲁" in sheet], "nothing of households"
