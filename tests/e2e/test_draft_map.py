"""On the map of a draft households are chosen by a rectangle and moved; the sizes are told beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from xiangyue.features.drafts import service
from xiangyue.features.drafts.models import GridDraftPart
from xiangyue.features.grids.models import GridSetting
from xiangyue.features.grids.policy import SizeRule
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household
from xiangyue.testing.fixtures import County

#: A village of Xuanwo.
VILLAGE = 610921107205_000
#: What somebody may call a grid, and no browser may take for more than words.
MARKUP = "<u>x</u>"


def drawn(county: County) -> int:
    """A draft of two grids of six households, which stand in a line from west to east; its id."""
    rows = [
        HouseholdRow(VILLAGE + 1, f"{VILLAGE // 1000}{n:04}", f"1组{n}号", [{"name": f"鲁{n}", "relation": "02"}])
        for n in range(1, 13)
    ]
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)
        homes = select(Household).where(Household.area_code == VILLAGE + 1).order_by(Household.code)
        for n, home in enumerate(uow.session.scalars(homes)):
            home.location = f"{108.43 + n / 1000:.6f},32.860000"
        rule = SizeRule("registered", min_households=4, max_households=8).plain()
        row = uow.session.scalars(select(GridSetting).where(GridSetting.key == "size3")).one_or_none()
        if row is None:
            uow.session.add(GridSetting(key="size3", value=rule))
        else:
            row.value = rule
        uow.session.flush()
        draft = service.plan_draft(uow, village=VILLAGE, name="方案", joining="none")
        first = uow.session.scalars(select(GridDraftPart).where(GridDraftPart.draft_id == draft.id)).first()
        assert first is not None
        first.name = MARKUP
        return draft.id


def test_chosen_by_a_rectangle_and_moved(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    id = drawn(hanyin)
    account = hanyin.account("county_admin", locale="en")
    page = sign_in(hanyin, account, width=1440, path=f"/grid-drafts/{id}")
    page.wait_for_selector("#map-draft .xy-pin")
    check_page(page)
    pins = page.locator("#map-draft .xy-pin")
    assert [pins.nth(n).inner_text() for n in range(12)] == ["1"] * 6 + ["2"] * 6
    pins.nth(0).hover()
    assert page.locator(".leaflet-tooltip").inner_text().endswith(MARKUP)
    # A click chooses one, and again leaves it.
    pins.nth(0).click()
    assert page.locator("#board input:checked").count() == 1
    pins.nth(0).click()
    assert page.locator("#board input:checked").count() == 0
    page.click("[data-map-rectangle]")
    first, last = pins.nth(4).bounding_box(), pins.nth(5).bounding_box()
    page.mouse.move(first["x"] - 4, first["y"] - 30)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] + 4, last["y"] + 60, steps=6)
    page.mouse.up()
    assert page.locator("#board input:checked").count() == 2
    page.select_option("#board-part", index=1)
    assert "8 households" in page.locator("[data-part]").nth(1).locator("[data-then]").inner_text()
    check_page(page)
    page.click(".xy-board-bar button:has-text('Move')")
    page.wait_for_selector("text=Moved.")
    page.wait_for_selector("#map-draft .xy-pin")
    assert sorted(pins.nth(n).inner_text() for n in range(12)) == ["1"] * 4 + ["2"] * 8
