"""Every page of accounts in both languages, as a page and as a fragment; nothing Chinese unmarked in English."""

from __future__ import annotations

import re
from html import unescape

import pytest
from accounts_kit import CHENGGUAN, XUANWO, send
from sqlalchemy import select

from xiangyue.access.models import Account, AuditEntry, Role
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

PUBLIC = ("/sign-in", "/sign-in?expired=1", "/link/xyl_gone")
OWN = ("/me", "/me/password", "/me/second-factor", "/me/tokens/new", "/me/rights")
MANAGED = (
    "/accounts",
    "/accounts?sort=-last_sign_in_at&cols=second_factor&cols=last_sign_in_at",
    "/accounts?q=nobody",
    "/accounts/export?q=周",
    "/accounts/new",
    "/accounts/{account}",
    "/accounts/{account}/edit",
    "/accounts/{account}/rights",
    "/accounts/{account}/rights?permission=household.view&area=610921107000000",
    "/roles",
    "/roles/new",
    "/roles/new?template=town",
    "/roles/{role}",
    "/roles/{role}/edit",
)


@pytest.fixture(scope="module")
def ids(hanyin: County) -> dict[str, int]:
    account = hanyin.account("town", area=XUANWO, name="周页面", post="主任")
    with hanyin.uow() as uow:
        role = uow.session.scalars(select(Role.id).where(Role.key == "town")).one()
    hanyin.client(account)
    return {"account": account.id, "role": role}


@pytest.fixture(scope="module")
def admin(hanyin: County) -> Account:
    return hanyin.account("county_admin", name="陈页面")


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("path", [*PUBLIC, *OWN, *MANAGED])
def test_pages_speak_both_languages(
    hanyin: County, admin: Account, ids: dict[str, int], path: str, locale: str
) -> None:
    with hanyin.uow() as uow:
        uow.get_for_update(Account, admin.id).locale = locale
    client = hanyin.client(None if path in PUBLIC else admin)
    client.set_cookie("xy_locale", locale, domain=hanyin.host)
    answer = client.get(path.format(**ids))
    assert answer.status_code == (404 if "gone" in path else 200)
    page = answer.get_data(as_text=True)
    assert f'<html lang="{"en" if locale == "en" else "zh-CN"}"' in page
    assert "style=" not in page
    assert "onclick=" not in page
    if locale == "en":
        assert english_page_faults(page) == []
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_answers_that_show_a_secret(hanyin: County, admin: Account, locale: str) -> None:
    with hanyin.uow() as uow:
        uow.get_for_update(Account, admin.id).locale = locale
    client = hanyin.client(admin)
    data = {
        "name": "赵一",
        "login": f"secret.{locale}",
        "role": "village",
        "area_code": "610921107202000",
    }
    pages = [
        send(client, "/accounts", data, on="/accounts/new"),
        send(client, "/me/tokens", {"name": "t", "days": "30", "scopes": "*"}, on="/me/tokens/new"),
    ]
    for answer in pages:
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]
        if locale == "en":
            assert english_page_faults(answer.get_data(as_text=True)) == []


@pytest.mark.parametrize("role", ["village", "grid_leader", "department", "auditor"])
def test_who_may_not_is_told_so(hanyin: County, ids: dict[str, int], role: str) -> None:
    client = hanyin.client(role)
    seen = 200 if role == "auditor" else 403
    assert client.get("/accounts").status_code == seen
    assert client.get(f"/accounts/{ids['account']}").status_code == seen
    assert client.get("/accounts/new").status_code == 403
    assert client.get("/roles/new").status_code == 403
    assert client.get("/me").status_code == 200


def test_the_list_is_exported_as_far_as_one_sees_it(hanyin: County, ids: dict[str, int]) -> None:
    hanyin.account("village", area=CHENGGUAN, name="周别处")
    client = hanyin.client("town", area=XUANWO)
    url = "/accounts/export?q=周&cols=login,roles&sort=-name"
    assert send(client, url, {"purpose": "", "format": "csv"}).status_code == 422
    lines = send(client, url, {"purpose": "换届交接", "format": "csv"}).get_data(as_text=True).splitlines()
    assert lines[0].lstrip("\ufeff") == "姓名,登录名,角色与区域"
    assert [line.split(",")[0] for line in lines[1:-1]] == ["周页面"]
    assert "漩涡镇" in lines[1]
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "account.export")).one()
        assert (entry.purpose, entry.object_label in lines[-1]) == ("换届交接", True)
    assert hanyin.client("village").get("/accounts/export").status_code == 403


def test_without_a_session_one_is_sent_to_sign_in(hanyin: County) -> None:
    for path in ("/me", "/accounts", "/roles", "/me/password"):
        answer = hanyin.client().get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/sign-in?next={path}"


def test_two_administrators_change_one_account(hanyin: County) -> None:
    account = hanyin.account("village", area=610921100200_000, name="周永贵", post="文书")
    client = hanyin.client("county_admin")
    url = f"/accounts/{account.id}/edit"
    form = client.get(url).text

    def value(page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found is not None
        return unescape(found[1])

    base = {
        "csrf_token": value(form, "csrf_token"), "version": "1", "opened": value(form, "opened"), "name": "周永贵",
        "post": "文书",
    }  # fmt: skip
    assert client.post(url, data={**base, "post": "会计"}).status_code == 303
    assert client.post(url, data={**base, "name": "周永桂"}).status_code == 303
    with hanyin.uow() as uow:
        row = uow.get(Account, account.id)
        assert (row.name, row.post) == ("周永桂", "会计")
    late = client.post(url, data={**base, "post": "出纳"})
    assert late.status_code == 409
    assert late.text.count("data-take=") == 1
    assert 'value="周永桂"' in late.text
