"""Language and text size are a person's own and stay with the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xiangyue.testing.fixtures import County


def test_language_and_large_text_follow_the_person(hanyin: County, sign_in: Callable[..., Any]) -> None:
    account = hanyin.account("county_admin")
    page = sign_in(hanyin, account)
    assert page.get_attribute("html", "lang") == "zh-CN"
    page.click("header .xy-language button")
    page.wait_for_selector("html[lang=en]")
    page.wait_for_selector("nav >> text=Households")
    page.click("header .xy-account summary")
    page.click("header .xy-account button[name=large_text]")
    page.wait_for_selector("html.xy-large")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    elsewhere = sign_in(hanyin, account, path="/households")
    elsewhere.wait_for_selector("html.xy-large[lang=en]")
    elsewhere.click("header .xy-language button")
    elsewhere.wait_for_selector("html[lang=zh-CN]")
    assert "/households" in elsewhere.url  # the switch keeps the page

    assert sign_in(hanyin, hanyin.account("county_admin")).get_attribute("html", "class") in ("", "xy-js")
