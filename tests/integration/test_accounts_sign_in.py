"""Signing in: what is said, what is locked, what a session may do, and the second step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from accounts_kit import actions, csrf, fresh, send, sign_in
from argon2 import PasswordHasher
from sqlalchemy import select

from xiangyue.access.models import Account, AccountSession, AuditEntry
from xiangyue.testing.fixtures import PASSWORD, County

WRONG = "登录名或密码不对"
LOCKED = "输错次数过多"


def cookie_of(client: object, county: County) -> str | None:
    name = f"xy_session_{county.runtime.settings.cookie_suffix}"
    found = client.get_cookie(name, domain=county.host)  # type: ignore[attr-defined]
    return None if found is None else found.value


def test_sign_in_sets_a_careful_cookie_and_goes_on(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client()
    answer = sign_in(client, account.login.upper() + " ", PASSWORD, next="/me?x=1")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/me?x=1"
    set_cookie = next(c for c in answer.headers.getlist("Set-Cookie") if "xy_session" in c)
    assert "HttpOnly" in set_cookie
    assert "SameSite=Lax" in set_cookie
    assert "Path=/" in set_cookie
    assert client.get("/me").status_code == 200
    assert actions(hanyin, account.id) == ["sign_in"]
    assert fresh(hanyin, account).last_sign_in_at is not None


def test_a_session_is_replaced_at_sign_in(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client(account)
    before = cookie_of(client, hanyin)
    assert before is not None
    token = csrf(client, "/me")
    client.post("/sign-in", data={"csrf_token": token, "login": account.login, "password": PASSWORD})
    after = cookie_of(client, hanyin)
    assert after not in (None, before)
    other = hanyin.client()
    other.set_cookie(f"xy_session_{hanyin.runtime.settings.cookie_suffix}", before, domain=hanyin.host)
    assert other.get("/me").status_code == 303


def test_unknown_and_wrong_say_the_same(hanyin: County) -> None:
    account = hanyin.account("town")
    for login in (account.login, "nobody-at-all"):
        answer = sign_in(hanyin.client(), login, "wrong password 1")
        assert answer.status_code == 422
        page = answer.get_data(as_text=True)
        assert WRONG in page
        assert f'value="{login}"' in page  # what was typed stays
        assert "wrong password 1" not in page


@pytest.mark.parametrize("known", [True, False])
def test_five_failures_lock_known_and_unknown_alike(hanyin: County, known: bool) -> None:
    login = hanyin.account("town").login if known else "ghost-account"
    client = hanyin.client()
    answers = [sign_in(client, login, "wrong password 2") for _ in range(6)]
    assert [a.status_code for a in answers] == [422, 422, 422, 422, 429, 429]
    assert all(LOCKED in a.get_data(as_text=True) for a in answers[4:])
    assert int(answers[4].headers["Retry-After"]) > 0


def test_a_locked_account_opens_after_the_time_not_by_the_password(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client()
    for _ in range(5):
        sign_in(client, account.login, "wrong password 3")
    assert sign_in(client, account.login, PASSWORD).status_code == 429
    assert "sign_in.locked" in actions(hanyin, account.id)
    with hanyin.uow() as uow:
        uow.get_for_update(Account, account.id).locked_until = datetime.now(UTC) - timedelta(seconds=1)
    assert sign_in(client, account.login, PASSWORD).status_code == 303
    assert fresh(hanyin, account).failed_count == 0


def test_failures_are_recorded_without_the_password(hanyin: County) -> None:
    sign_in(hanyin.client(), "Some Pass-word typed here!", "secret words 99")
    with hanyin.uow() as uow:
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "sign_in.failed").order_by(AuditEntry.id.desc())
        ).first()
    assert entry is not None
    assert entry.object_label == ""
    assert "secret" not in str(entry.after)


def test_disabled_and_unset_accounts_cannot_sign_in(hanyin: County) -> None:
    disabled = hanyin.account("town", state="disabled")
    assert sign_in(hanyin.client(), disabled.login, PASSWORD).status_code == 422
    unset = hanyin.account("town")
    with hanyin.uow() as uow:
        uow.get_for_update(Account, unset.id).password_hash = ""
    assert sign_in(hanyin.client(), unset.login, "").status_code == 422


def test_an_account_of_one_county_is_none_of_another(hanyin: County, tongyu: County) -> None:
    account = hanyin.account("town", login="only-in-hanyin")
    assert sign_in(tongyu.client(), account.login, PASSWORD).status_code == 422


def test_a_weaker_hash_is_made_anew(hanyin: County) -> None:
    account = hanyin.account("town")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with hanyin.uow() as uow:
        uow.get_for_update(Account, account.id).password_hash = weak
    assert sign_in(hanyin.client(), account.login, PASSWORD).status_code == 303
    assert fresh(hanyin, account).password_hash != weak


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil", "/\r\nX: y"]
)
def test_next_leads_nowhere_else(hanyin: County, target: str) -> None:
    account = hanyin.account("town")
    answer = sign_in(hanyin.client(), account.login, PASSWORD, next=target)
    assert answer.status_code == 303
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "\t" not in location
    assert "\n" not in location


def test_without_the_token_of_the_form_nothing_happens(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client()
    client.get("/sign-in")
    answer = client.post("/sign-in", data={"login": account.login, "password": PASSWORD})
    assert answer.status_code == 403
    assert cookie_of(client, hanyin) is None
    signed = hanyin.client(account)
    assert signed.post("/me", data={"name": "x"}).status_code == 403
    assert fresh(hanyin, account).name == account.name


def test_sign_out_ends_the_session_at_once(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client(account)
    token = cookie_of(client, hanyin)
    answer = send(client, "/sign-out", on="/me")
    assert answer.headers["Location"] == "/sign-in"
    assert token is not None
    again = hanyin.client()
    again.set_cookie(f"xy_session_{hanyin.runtime.settings.cookie_suffix}", token, domain=hanyin.host)
    assert again.get("/me").status_code == 303
    assert actions(hanyin, account.id) == ["sign_out"]


def test_an_expired_session_says_that_input_is_kept(hanyin: County) -> None:
    account = hanyin.account("town")
    client = hanyin.client(account)
    token = csrf(client, "/me")
    with hanyin.uow() as uow:
        for session in uow.session.scalars(select(AccountSession).where(AccountSession.account_id == account.id)):
            session.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    answer = client.post(
        "/me",
        data={"csrf_token": token, "name": "x"},
        headers={"Referer": f"http://{hanyin.host}/me"},
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/me&expired=1"
    assert "您填写的内容已保留" in client.get(answer.headers["Location"]).get_data(as_text=True)


def set_up_totp(county: County, account: Account) -> tuple[str, list[str]]:
    """Through the pages; returns (secret, recovery codes)."""
    import re

    client = county.client(account)
    page = client.get("/me/second-factor").get_data(as_text=True)
    found = re.search(r'id="totp-secret" value="([A-Z2-7 ]+)"', page)
    assert found is not None
    assert "<svg" in page
    secret = found.group(1).replace(" ", "")
    assert secret in client.get("/me/second-factor").get_data(as_text=True).replace(" ", "")
    wrong = send(client, "/me/second-factor", {"code": "000000"})
    assert wrong.status_code == 422
    now = datetime.now(UTC) - timedelta(seconds=30)
    done = send(client, "/me/second-factor", {"code": pyotp.TOTP(secret).at(now)})
    assert done.status_code == 200
    codes = re.findall(r"<code class=\"fs-3\">([\w-]+)</code>", done.get_data(as_text=True))
    assert len(codes) == 10
    return secret, codes


def test_second_factor_code_is_asked_and_good_once(hanyin: County) -> None:
    account = hanyin.account("town")
    secret, _ = set_up_totp(hanyin, account)
    client = hanyin.client()
    answer = sign_in(client, account.login, PASSWORD, next="/me/rights")
    assert answer.headers["Location"] == "/sign-in/code?next=%2Fme%2Frights"
    # With the password alone nothing is reached.
    for path in ("/me", "/me/password", "/me/second-factor", "/accounts"):
        assert client.get(path).headers["Location"].startswith("/sign-in/code")
    assert client.get("/api/v1/me").status_code == 401
    pending = cookie_of(client, hanyin)
    code = pyotp.TOTP(secret).now()
    done = send(client, "/sign-in/code", {"code": code, "next": "/me/rights"})
    assert done.headers["Location"] == "/me/rights"
    assert cookie_of(client, hanyin) != pending
    assert client.get("/me").status_code == 200
    # The same code read over the shoulder is good for nothing.
    other = hanyin.client()
    sign_in(other, account.login, PASSWORD)
    replay = send(other, "/sign-in/code", {"code": code})
    assert replay.status_code == 422
    assert other.get("/me").status_code == 302


def test_a_recovery_code_works_once(hanyin: County) -> None:
    account = hanyin.account("town")
    _, codes = set_up_totp(hanyin, account)
    for expected in (303, 422):
        client = hanyin.client()
        sign_in(client, account.login, PASSWORD)
        assert send(client, "/sign-in/code", {"code": codes[3].upper()}).status_code == expected
    assert len(fresh(hanyin, account).recovery_hashes) == 9


def test_wrong_codes_lock_the_account_and_end_the_session(hanyin: County) -> None:
    account = hanyin.account("town")
    set_up_totp(hanyin, account)
    client = hanyin.client()
    sign_in(client, account.login, PASSWORD)
    token = csrf(client, "/sign-in/code")
    codes = [client.post("/sign-in/code", data={"csrf_token": token, "code": "123456"}).status_code for _ in range(5)]
    assert codes == [422, 422, 422, 422, 429]
    assert client.get("/sign-in/code").headers["Location"].startswith("/sign-in")
    # The right password alone does not give five more tries.
    assert sign_in(hanyin.client(), account.login, PASSWORD).status_code == 429


def test_the_operator_signs_in_at_the_console(operator: County) -> None:
    from xiangyue.features.accounts.roles import ensure_operator_roles

    ensure_operator_roles(operator.runtime)
    account = operator.account("operator_admin", area=0)
    client = operator.client()
    assert sign_in(client, account.login, PASSWORD).status_code == 303
    assert client.get("/me").status_code == 200
    assert account.login in client.get("/accounts").get_data(as_text=True)
    assert "operator.manage" in client.get("/roles/new?template=operator_admin").get_data(as_text=True)


def test_language_is_remembered_before_and_after_sign_in(hanyin: County) -> None:
    client = hanyin.client()
    answer = send(client, "/preferences", {"locale": "en", "next": "/sign-in?next=/me"}, on="/sign-in")
    assert answer.headers["Location"] == "/sign-in?next=/me"
    assert "Forgot the password?" in client.get("/sign-in").get_data(as_text=True)
    account = hanyin.account("town")
    signed = hanyin.client(account)
    send(signed, "/preferences", {"locale": "en", "next": "/me"}, on="/me")
    send(signed, "/preferences", {"large_text": "1", "next": "/me"}, on="/me")
    stored = fresh(hanyin, account)
    assert (stored.locale, stored.large_text) == ("en", True)
    assert 'class="xy-large"' in signed.get("/me").get_data(as_text=True)
    # On another device the account's language holds, whatever the cookie there says.
    assert "Signed-in browsers" in hanyin.client(account).get("/me").get_data(as_text=True)


def test_demo_accounts_are_shown_on_a_demo_only(hanyin: County) -> None:
    from dataclasses import replace

    from xiangyue.app import create_app
    from xiangyue.features.demo import accounts, ensure_accounts
    from xiangyue.runtime import Runtime

    assert "xiangyue-demo-2026" not in hanyin.client().get("/sign-in").get_data(as_text=True)
    runtime = Runtime(replace(hanyin.runtime.settings, demo=True))
    known = {a.site for a in accounts()}
    assert known == {"hanyin", "huarong", "shuangliao", "tongyu", "operator"}
    assert ensure_accounts(runtime) > 0
    assert ensure_accounts(runtime) == 0
    county = County(runtime, create_app(runtime=runtime), hanyin.info)
    client = county.client()
    page = client.get("/sign-in").get_data(as_text=True)
    assert page.count("xiangyue-demo-2026") == 2 * sum(a.site == "hanyin" for a in accounts())
    demo = next(a for a in accounts() if a.role_key == "town")
    assert sign_in(client, demo.login, demo.password).status_code == 303
    assert client.get("/me").status_code == 200  # no password change is owed
    runtime.engine.dispose()
