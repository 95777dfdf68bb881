"""Signing in with a second factor, and an account of one town."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from xiangyue.features.households.models import Household
from xiangyue.testing.fixtures import PASSWORD, County
from xiangyue.testing.live import LiveServer


def test_second_factor_is_set_up_and_then_asked_for(
    live: LiveServer, hanyin: County, sign_in: Callable[..., Any], new_page: Callable[..., Any]
) -> None:
    account = hanyin.account("county_admin", name="测试甲")
    page = sign_in(hanyin, account, path="/me/second-factor")
    secret = re.sub(r"\s", "", page.input_value("#totp-secret") or page.inner_text("#totp-secret"))
    page.fill("input[name=code]", pyotp.TOTP(secret).now())
    page.press("input[name=code]", "Enter")
    page.wait_for_selector("h1:has-text('备用码')")

    other = new_page()
    other.goto(live.url(hanyin.host, "/sign-in"))
    other.fill("input[name=login]", account.login)
    other.fill("input[name=password]", PASSWORD)
    other.press("input[name=password]", "Enter")
    other.wait_for_url(re.compile("/sign-in/code"))
    other.goto(live.url(hanyin.host, "/areas"))
    other.wait_for_url(re.compile("/sign-in/code"))  # nothing else opens before the code
    other.fill("input[name=code]", "000000")
    other.press("input[name=code]", "Enter")
    other.wait_for_selector("[role=alert], .alert-danger")
    # The code used a moment ago is spent, so the next step's is given.
    following = pyotp.TOTP(secret).at(time.time() + 30)
    other.fill("input[name=code]", following)
    other.press("input[name=code]", "Enter")
    other.wait_for_selector("nav >> text=账号")


@pytest.fixture(scope="module")
def two_towns(hanyin: County) -> tuple[int, int]:
    """Households in two towns; returns the towns' codes."""
    first, second = (hanyin.info.area_code + town * 1_000_000 for town in (101, 102))
    with hanyin.uow() as uow:
        for number, town, name in ((1, first, "本镇户"), (2, second, "外镇户")):
            uow.session.add(
                Household(id=number, area_code=town + 201_000, code=f"{number}", head_name=name, sort_key=name)
            )
    return first, second


def test_an_account_of_one_town_sees_nothing_of_another(
    live: LiveServer, hanyin: County, two_towns: tuple[int, int], sign_in: Callable[..., Any]
) -> None:
    account = hanyin.account("town", area=two_towns[0])
    page = sign_in(hanyin, account, path="/households")
    page.goto(live.url(hanyin.host, "/households"))
    assert page.locator("text=本镇户").count() > 0
    assert "外镇户" not in page.content()
    for path in ("/households/2", f"/areas/{two_towns[1]}", "/households?q=外镇户"):
        answer = page.goto(live.url(hanyin.host, path))
        assert answer is not None
        assert (answer.status == 404) == (not path.startswith("/households?"))
        assert "外镇户" not in page.inner_text("main").replace("“外镇户”", "") or path.endswith("外镇户")
    page.goto(live.url(hanyin.host, "/households"))
    found = page.evaluate("fetch('/api/v1/households').then(answer => answer.json())")
    assert [h["head_name"] for h in found["items"]] == ["本镇户"]
