"""Saved views in a browser: filter a list, save it, find it again, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.kit import register

from xiangyue.testing.fixtures import County

pytestmark = pytest.mark.usefixtures("live")


@pytest.mark.parametrize("width", [360, 1440])
def test_save_what_a_list_shows(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    register(hanyin, {360: "王德福", 1440: "欧阳明"}[width], "王小明")
    name = f"两口之家{width}"
    page = sign_in(hanyin, hanyin.account("county_admin"), width=width, path="/households?min_persons=2")
    page.locator("summary", has_text="视图").click()
    page.get_by_label("把当前所见存为").fill(name)
    check_page(page)
    page.get_by_role("button", name="保存视图").click()
    tab = page.get_by_role("navigation", name="已存视图").get_by_role("link", name=name)
    tab.wait_for()
    assert tab.get_attribute("aria-current") == "true"
    check_page(page)
    page.get_by_role("navigation", name="已存视图").get_by_role("link", name="全部", exact=True).click()
    page.wait_for_url(lambda url: "min_persons" not in url)
    tab.click()
    page.wait_for_url("**min_persons=2**")
    page.locator("summary", has_text="视图").click()
    page.get_by_role("link", name="管理视图").click()
    page.get_by_role("link", name="修改").click()
    page.get_by_label("视图名称").fill(f"{name}新")
    check_page(page)
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name=f"{name}新").wait_for()
    check_page(page)
