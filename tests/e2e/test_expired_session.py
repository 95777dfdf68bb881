"""The session ends, the token is stale, the network is away, the finger presses twice: what was typed stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.e2e.kit import VILLAGE, register, standing

from xiangyue.access.models import Account, AccountSession
from xiangyue.features.households.models import Household
from xiangyue.testing.fixtures import PASSWORD, County

NEW = f"/households/new?area={VILLAGE}"


@pytest.fixture
def account(hanyin: County) -> Account:
    return hanyin.account("county_admin")


def end_sessions(county: County, account: Account) -> None:
    with county.uow() as uow:
        uow.session.execute(
            update(AccountSession).where(AccountSession.account_id == account.id).values(revoked_at=datetime.now(UTC))
        )


def households(county: County, name: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(func.count(Household.id)).where(Household.head_name == name)).one()


def type_household(page: Any, name: str, address: str = "三组33号") -> None:
    page.fill("[name='head.name']", name)
    page.fill("[name=address]", address)
    if page.locator("[name='custom.housing']").count():
        page.select_option("[name='custom.housing']", index=1)


def submit(page: Any) -> None:
    page.click(".xy-form-actions button.btn-primary")


def test_what_was_typed_comes_back_after_signing_in_again(
    hanyin: County, account: Account, sign_in: Callable[..., Any]
) -> None:
    household = register(hanyin, "陈桂兰", address="一组1号")
    page = sign_in(hanyin, account, path=f"/households/{household.id}/edit")
    page.fill("[name=address]", "八组88号")
    page.fill("[name=note]", "写到一半")
    end_sessions(hanyin, account)
    submit(page)
    page.wait_for_url(lambda url: "/sign-in?" in url and "expired=1" in url)
    page.wait_for_selector("[role=alert], .xy-alert")
    page.fill("input[name=login]", account.login)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/edit")
    page.wait_for_function("document.querySelector('[name=note]').value === '写到一半'")
    assert page.input_value("[name=address]") == "八组88号"
    assert standing(hanyin, household.id).address == "一组1号"
    submit(page)
    page.wait_for_url(f"**/households/{household.id}")
    assert standing(hanyin, household.id).address == "八组88号"
    # Saved is saved: the draft does not come back over it.
    page.goto(page.url + "/edit")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('xy-draft:')).length") == 0


def test_a_form_of_an_earlier_session_is_refused_and_its_words_kept(
    hanyin: County, account: Account, sign_in: Callable[..., Any]
) -> None:
    page = sign_in(hanyin, account, path=NEW)
    type_household(page, "欧阳明")
    page.evaluate("document.querySelector('form[data-draft] [name=csrf_token]').value = 'of-yesterday'")
    submit(page)
    page.wait_for_selector("[data-error] h1")
    assert households(hanyin, "欧阳明") == 0
    page.go_back()
    page.reload()
    page.wait_for_function("document.querySelector('[name=\"head.name\"]').value === '欧阳明'")
    submit(page)
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    assert households(hanyin, "欧阳明") == 1


def test_sent_twice_is_one_household(hanyin: County, account: Account, sign_in: Callable[..., Any]) -> None:
    page = sign_in(hanyin, account, path=NEW)
    type_household(page, "单雄信")
    page.dblclick(".xy-form-actions button.btn-primary")
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    assert households(hanyin, "单雄信") == 1

    # Without the guard in the browser the form's own number still makes it one.
    page.goto(page.url.rsplit("/", 1)[0] + f"/new?area={VILLAGE}")
    type_household(page, "单雄义")
    answers = page.evaluate(
        """async () => {
          const form = document.querySelector('form[data-draft]');
          const send = () => fetch(form.action, {method: 'POST', body: new FormData(form)});
          return (await Promise.all([send(), send(), send()])).map(answer => answer.status);
        }"""
    )
    assert answers == [200, 200, 200]
    assert households(hanyin, "单雄义") == 1


def test_without_a_network_the_words_stay(hanyin: County, account: Account, sign_in: Callable[..., Any]) -> None:
    page = sign_in(hanyin, account, path=NEW)
    type_household(page, "王木子")
    page.context.set_offline(True)
    submit(page)
    page.wait_for_selector("#xy-toasts .xy-toast")
    assert page.input_value("[name='head.name']") == "王木子"
    page.context.set_offline(False)
    submit(page)
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    assert households(hanyin, "王木子") == 1
