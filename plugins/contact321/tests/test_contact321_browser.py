"""In a browser: a county switches three-colour households on, sets its rule, computes, confirms, reads why, switches
off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contact321_kit import SIX, VILLAGE, colours, compute, empty, fill, home_of, row_of, switch
from tests.e2e.conftest import check_page, check_width, sign_in

from xiangyue.sdk.testing import County, LiveServer, wait_for
from xiangyue_contact321 import law

__all__ = ["check_page", "check_width", "sign_in"]

PLUGIN = "/settings/plugins/contact321"
OVERVIEW = "/p/contact321/?area=all"
TOWN = 610921100000_000


@pytest.fixture(name="county", scope="module")
def filled(hanyin: County) -> Iterator[County]:
    switch(hanyin, False)  # its profile has it on
    fill(hanyin, SIX)
    yield hanyin
    empty(hanyin)


def confirm(page: Any) -> None:
    page.locator("dialog[open] button.btn-primary, dialog[open] button.btn-danger").click()


def test_from_switching_on_to_switching_off(
    live: LiveServer, county: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    admin = sign_in(county, county.account("county_admin"))

    def show(page: Any, path: str) -> None:
        page.goto(live.url(county.host, path))

    # Switch on, and set the rule; what the schema refuses is named at its field.
    show(admin, PLUGIN)
    admin.get_by_role("button", name="启用").click()
    confirm(admin)
    admin.wait_for_selector(".xy-alert-success")
    check_page(admin)
    admin.fill("[name='values.coverage_percent']", "101")
    admin.get_by_role("button", name="保存设置").click()
    admin.wait_for_selector(".xy-summary")
    admin.fill("[name='values.coverage_percent']", "90")
    admin.fill("[name='values.valid_months']", "6")
    admin.get_by_role("button", name="保存设置").click()
    admin.wait_for_selector(".xy-alert-success")

    # Compute: as a job, whose page the browser is led to.
    show(admin, OVERVIEW)
    check_page(admin)
    admin.get_by_role("button", name="重新计算颜色").click()
    admin.wait_for_url("**/jobs/*")
    wait_for(lambda: len(colours(county)) == 6, what="the colours")
    show(admin, OVERVIEW)
    admin.get_by_text("20,000").first.wait_for()
    check_page(admin)

    # The village on a phone: what waits, one household, confirm.
    village = sign_in(county, county.account("village", area=VILLAGE), width=360)
    show(village, "/p/contact321/?area=all")
    check_page(village)
    village.get_by_role("link", name="待办：村评").click()
    village.get_by_text("乙略低").first.click()
    village.get_by_text(law.SOURCE).first.wait_for()
    check_page(village)
    village.get_by_role("button", name="确认", exact=True).click()
    village.get_by_text("已确认").first.wait_for()

    # What the rule leaves open is decided with a reason.
    show(village, f"/classifications/{row_of(county, '丁去年').id}")
    assert village.get_by_text("近两年评上过平安家庭").first.is_visible()
    village.locator("label", has_text="黄").first.click()
    village.locator("textarea[name=note]").fill("村民代表会议议定")
    village.get_by_role("button", name="确认", exact=True).click()
    village.get_by_text("已确认").first.wait_for()

    # The red one: without the right, that it is red and no more.
    show(village, f"/households/{home_of(county, '戊残疾')}")
    assert village.get_by_text("红 · 依据受限").first.is_visible()
    assert village.get_by_text(law.HOTLINE).is_visible()
    check_page(village)

    # The town: in force, and why.
    town = sign_in(county, county.account("town", area=TOWN))
    show(town, OVERVIEW)
    town.get_by_role("link", name="待办：镇审").click()
    town.get_by_text("乙略低").first.click()
    town.get_by_role("button", name="确认", exact=True).click()
    wait_for(lambda: row_of(county, "乙略低").state == "in_force", what="the confirmation")
    show(town, f"/classifications/{row_of(county, '乙略低').id}")
    for text in ("19,999 元", "近两年未被评为平安家庭", law.SOURCE):
        assert town.get_by_text(text).first.is_visible(), text
    show(town, f"/households/{home_of(county, '乙略低')}")
    assert town.get_by_text(law.FRONT_LINE).is_visible()
    show(town, "/cockpit?area=all")
    assert town.get_by_text("分村查看，含缺什么").is_visible()
    check_page(town)

    # Switch off: gone at the next request.
    show(admin, PLUGIN)
    admin.get_by_role("button", name="停用").click()
    confirm(admin)
    admin.wait_for_selector(".xy-alert-success")
    assert town.goto(live.url(county.host, OVERVIEW)).status == 404
    show(town, f"/households/{home_of(county, '乙略低')}")
    assert town.get_by_text("三色户").count() == 0
    assert row_of(county, "乙略低").outcome == "yellow"


def test_pages_in_english_fit_a_phone(
    live: LiveServer, county: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    switch(county)
    compute(county)
    page = sign_in(county, county.account("county_admin", locale="en"), width=360)
    paths = [
        OVERVIEW, "/cockpit?area=all", f"/households/{home_of(county, '丙较高')}", PLUGIN,
        "/households?area=all&cols=name,contact321_colour&contact321_colour=undetermined",
    ]  # fmt: skip
    for path in paths:
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(live.url(county.host, path))
            check_page(page)
