"""Two people change one household at the same time: nobody's words are lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.kit import register, standing

from xiangyue.testing.fixtures import County


def test_the_second_save_shows_both_values_and_saves_on_top(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    household = register(hanyin, "王德福", address="一组1号", note="旧话")
    form = f"/households/{household.id}/edit"
    first = sign_in(hanyin, hanyin.account("county_admin"), path=form)
    second = sign_in(hanyin, hanyin.account("county_admin"), path=form)

    first.fill("[name=address]", "三组33号")
    first.press("[name=address]", "Enter")
    first.wait_for_url(f"**/households/{household.id}")

    second.fill("[name=address]", "五组55号")
    second.fill("[name=note]", "新话")
    second.press("[name=address]", "Enter")
    conflict = second.wait_for_selector(".xy-conflict")
    words = conflict.inner_text()
    assert "五组55号" in words
    assert "三组33号" in words
    # The note was changed by one of them only: it is no conflict.
    assert "旧话" not in words
    assert second.input_value("[name=address]") == "五组55号"
    assert second.input_value("[name=note]") == "新话"
    assert standing(hanyin, household.id).address == "三组33号"
    check_page(second)

    second.click("tr:has-text('三组33号') [data-take]")
    assert second.input_value("[name=address]") == "三组33号"
    second.fill("[name=address]", "五组55号")
    second.press("[name=address]", "Enter")
    second.wait_for_url(f"**/households/{household.id}")
    saved = standing(hanyin, household.id)
    assert (saved.address, saved.note) == ("五组55号", "新话")
    # What the first one saved is not gone either: the household's history has it.
    assert "三组33号" in second.inner_text("main")


def test_what_i_did_not_touch_stays_as_somebody_else_saved_it(hanyin: County, sign_in: Callable[..., Any]) -> None:
    household = register(hanyin, "周永贵", address="一组1号", note="旧话")
    form = f"/households/{household.id}/edit"
    first = sign_in(hanyin, hanyin.account("county_admin"), path=form)
    second = sign_in(hanyin, hanyin.account("county_admin"), path=form)

    first.fill("[name=note]", "甲备注\n第二行")
    first.press("[name=address]", "Enter")
    first.wait_for_url(f"**/households/{household.id}")

    second.fill("[name=address]", "五组55号")
    second.press("[name=address]", "Enter")
    second.wait_for_url(f"**/households/{household.id}")
    saved = standing(hanyin, household.id)
    assert (saved.address, saved.note) == ("五组55号", "甲备注\n第二行")
    assert "别人同时改过的内容也保留：备注" in second.inner_text("main")
