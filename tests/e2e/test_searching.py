"""The search dialog: by keyboard and by touch, with Chinese input, on a phone, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.kit import register

from xiangyue.testing.fixtures import County
from xiangyue.testing.live import LiveServer

FIELD, FOUND = "#xy-find-q", "#xy-find-found:not([aria-busy])"


def chosen(page: Any) -> str:
    """What the field points at."""
    id = page.get_attribute(FIELD, "aria-activedescendant")
    return str(page.inner_text(f"#{id} .xy-option-title")) if id else ""


@pytest.mark.parametrize("english", [False, True], ids=["zh", "en"])
def test_by_keyboard_from_any_page(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], english: bool
) -> None:
    group = "九组" if english else "六组"
    household = register(hanyin, "欧阳修远", address=f"城关镇东南村{group}68号")
    page = sign_in(hanyin, hanyin.account("county_admin"), english=english, path="/areas")
    page.keyboard.press("/")
    page.wait_for_selector("dialog.xy-find[open]")
    # What can be typed stands there before anything is.
    assert page.locator(".xy-find .xy-find-help li").count() == 4
    check_page(page)
    page.keyboard.type("阳修")
    page.wait_for_selector(f"{FOUND} >> text=欧阳修远")
    assert page.get_attribute(FIELD, "aria-expanded") == "true"
    check_page(page)
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "欧阳修远"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    # The focus stays inside.
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.xy-find", state="hidden")
    page.keyboard.press("Control+k")
    page.keyboard.type(f"{group}68")
    page.wait_for_selector(f"{FOUND} a[href='/households/{household.id}']")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/households/{household.id}$"))
    # Enter without a choice goes to the page; a page of the menu is found by its name.
    page.keyboard.press("Control+k")
    page.keyboard.type("ockpit" if english else "jsc")
    page.wait_for_selector(f"{FOUND} a[href='/cockpit']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q="))
    check_page(page)


def test_a_slash_in_a_field_is_a_slash_and_typing_in_the_box_opens_the_dialog(
    hanyin: County, sign_in: Callable[..., Any]
) -> None:
    register(hanyin, "司马光年")
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/households")
    page.fill("form.xy-filters input[name=q]", "")
    page.locator("form.xy-filters input[name=q]").press("/")
    assert page.locator("dialog.xy-find[open]").count() == 0
    page.locator("#xy-search").focus()
    assert page.locator("dialog.xy-find[open]").count() == 0
    page.keyboard.type("司马")
    page.wait_for_selector(f"{FOUND} >> text=司马光年")
    assert page.input_value(FIELD) == "司马"


def test_half_typed_pinyin_asks_for_nothing(hanyin: County, sign_in: Callable[..., Any]) -> None:
    register(hanyin, "诸葛明远")
    page = sign_in(hanyin, hanyin.account("county_admin"))
    sent: list[str] = []
    page.on("request", lambda request: "/search" in request.url and sent.append(request.post_data or ""))
    page.clock.install()  # the page's time goes on only when told to
    page.keyboard.press("Control+k")
    keyboard = page.context.new_cdp_session(page)
    for typed in ("z", "zh", "zhu", "zhu'g", "zhu'ge"):
        keyboard.send(
            "Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)}
        )
        page.clock.run_for(220)
    assert sent == []
    keyboard.send("Input.insertText", {"text": "诸葛"})
    page.clock.run_for(220)
    page.wait_for_selector(f"{FOUND} >> text=诸葛明远")
    assert len(sent) == 1


def test_on_a_phone_by_touch(hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]) -> None:
    household = register(hanyin, "慕容清和", address="城关镇东南村七组79号" + "很长的地址" * 12)
    page = sign_in(hanyin, hanyin.account("county_admin"), width=360)
    page.click(".xy-search-button")
    page.wait_for_selector("dialog.xy-find[open]")
    check_page(page)
    page.fill(FIELD, "慕容")
    page.wait_for_selector(f"{FOUND} >> text=慕容清和")
    check_page(page)
    assert min(box["height"] for box in (o.bounding_box() for o in page.locator("[role=option]").all())) >= 44
    page.fill(FIELD, "七组79")
    page.wait_for_selector(f"{FOUND} a[href='/households/{household.id}']")
    page.click("[data-find-close]")
    page.wait_for_selector("dialog.xy-find", state="hidden")
    page.click(".xy-search-button")
    page.fill(FIELD, "慕容")
    page.click(f"{FOUND} a[href='/households/{household.id}']")
    page.wait_for_url(re.compile(rf"/households/{household.id}$"))


def test_nothing_found_and_everything_of_a_kind(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    for n in range(7):
        register(hanyin, f"夏侯{'甲乙丙丁戊己庚'[n]}")
    page = sign_in(hanyin, hanyin.account("county_admin"))
    page.keyboard.press("Control+k")
    page.fill(FIELD, "没有这样的")
    page.wait_for_selector(f"{FOUND} .xy-find-none")
    assert page.get_attribute(FIELD, "aria-expanded") == "false"
    check_page(page)
    page.fill(FIELD, "夏侯")
    page.click(f"{FOUND} a[href*='kind=persons']")
    page.wait_for_url(re.compile(r"/search\?.*kind=persons"))
    assert page.locator("#found .xy-row").count() == 7
    check_page(page)


def test_without_a_script_the_box_leads_to_the_page(
    hanyin: County, live: LiveServer, sign_in: Callable[..., Any]
) -> None:
    register(hanyin, "令狐远山")
    page = sign_in(hanyin, hanyin.account("county_admin"))
    page.route("**/app-*.js", lambda route: route.abort())
    page.goto(live.url(hanyin.host, "/areas"))
    page.fill("#xy-search", "令狐")
    page.press("#xy-search", "Enter")
    page.wait_for_url(re.compile(r"/search\?q="))
    assert page.locator("#found >> text=令狐远山").count()
