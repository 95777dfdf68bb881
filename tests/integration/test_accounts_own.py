"""One's own account: particulars, password, second factor, sessions, tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from accounts_kit import XUANWO, YANPING, actions, fresh, send, sign_in
from sqlalchemy import select

from xiangyue.access.models import Account, AccountSession, ApiToken, OneTimeLink, Role
from xiangyue.features.accounts.jobs import run_sweep
from xiangyue.testing.fixtures import PASSWORD, County

NEW_PASSWORD = "seven green bicycles 42"


def test_particulars_are_saved_and_a_lost_update_is_shown(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    client = hanyin.client(account)
    data = {"name": "欧阳·小明", "locale": "en", "large_text": "1", "version": "1"}
    assert send(client, "/me", data).status_code == 303
    stored = fresh(hanyin, account)
    assert (stored.name, stored.locale, stored.large_text) == ("欧阳·小明", "en", True)
    stale = send(client, "/me", {**data, "name": "另一个"})
    assert stale.status_code == 409
    assert "欧阳·小明" in stale.get_data(as_text=True)
    empty = send(client, "/me", {**data, "name": " ", "version": "2"})
    assert empty.status_code == 422


def test_a_password_given_by_others_is_changed_first(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING, must_change_password=True)
    client = hanyin.client()
    sign_in(client, account.login, PASSWORD, next="/me")
    assert client.get("/me").headers["Location"].startswith("/me/password?next=")
    page = client.get("/me/password?next=/me/rights").get_data(as_text=True)
    assert "您的密码是别人给的" in page
    for given, expected in (
        ({"current": "not it at all", "password": NEW_PASSWORD}, "当前密码不对"),
        ({"current": PASSWORD, "password": "short"}, "至少要 10 个字符"),
        ({"current": PASSWORD, "password": f"{account.login}-{account.login}"}, "登录名"),
        ({"current": PASSWORD, "password": PASSWORD}, "不能与当前密码相同"),
    ):
        answer = send(client, "/me/password", given)
        assert answer.status_code == 422
        assert expected in answer.get_data(as_text=True)
    done = send(client, "/me/password", {"current": PASSWORD, "password": NEW_PASSWORD, "next": "/me/rights"})
    assert done.headers["Location"] == "/me/rights"
    assert client.get("/me").status_code == 200
    assert sign_in(hanyin.client(), account.login, PASSWORD).status_code == 422
    assert "password.change" in actions(hanyin, account.id)


def test_a_new_password_signs_other_browsers_out(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    here, there = hanyin.client(account), hanyin.client(account)
    send(here, "/me/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 303


def test_sessions_are_ended_one_by_one_and_all_others(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    stranger = hanyin.client("village", area=YANPING)
    here, second, third = (hanyin.client(account) for _ in range(3))
    assert "当前" in here.get("/me").get_data(as_text=True)
    with hanyin.uow() as uow:
        rows = select(AccountSession.id).where(AccountSession.account_id == account.id)
        ids = list(uow.session.scalars(rows.order_by(AccountSession.id)))
    assert send(stranger, f"/me/sessions/{ids[1]}/end", on="/me").status_code == 404
    assert second.get("/me").status_code == 200
    assert send(here, f"/me/sessions/{ids[1]}/end", on="/me").status_code == 303
    assert second.get("/me").status_code == 303
    send(here, "/me/sessions/end-others", on="/me")
    assert third.get("/me").status_code == 303
    assert here.get("/me").status_code == 200


def turn_on(client: Any) -> None:
    page = client.get("/me/second-factor").get_data(as_text=True)
    found = re.search(r'id="totp-secret" value="([A-Z2-7 ]+)"', page)
    assert found is not None
    code = pyotp.TOTP(found.group(1).replace(" ", "")).now()
    assert send(client, "/me/second-factor", {"code": code}).status_code == 200


def test_the_second_factor_is_turned_off_by_password_unless_demanded(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    client = hanyin.client(account)
    turn_on(client)
    off = "/me/second-factor/off"
    assert send(client, off, {"password": "no"}, on="/me/second-factor").status_code == 422
    again = send(client, "/me/second-factor/codes", {"password": PASSWORD}, on="/me/second-factor")
    assert again.get_data(as_text=True).count('<code class="fs-3">') == 10
    with hanyin.uow() as uow:
        role = uow.session.scalars(select(Role).where(Role.key == "village")).one()
        role.requires_totp = True
    assert send(client, off, {"password": PASSWORD}, on="/me/second-factor").status_code == 409
    with hanyin.uow() as uow:
        uow.get_for_update(Role, role.id).requires_totp = False
    assert send(client, off, {"password": PASSWORD}, on="/me/second-factor").status_code == 303
    assert fresh(hanyin, account).totp_secret is None
    assert [a for a in actions(hanyin, account.id) if a.startswith("second")] == [
        "second_factor.on",
        "second_factor.codes",
        "second_factor.off",
    ]


def test_the_secret_is_stored_encrypted(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    page = hanyin.client(account).get("/me/second-factor").get_data(as_text=True)
    found = re.search(r'id="totp-secret" value="([A-Z2-7 ]+)"', page)
    assert found is not None
    stored = fresh(hanyin, account).totp_secret
    assert stored is not None
    assert found.group(1).replace(" ", "").encode() not in stored


def make_token(client: Any, **data: Any) -> Any:
    base = {"name": "报表", "days": "30", "scopes": ["*"]}
    return send(client, "/me/tokens", {**base, **data}, on="/me/tokens/new")


def token_in(answer: Any) -> str:
    found = re.search(r'value="(xyt_\w+)"', answer.get_data(as_text=True))
    assert found is not None
    return found.group(1)


def test_a_token_is_shown_once_limited_by_scope_and_revoked_at_once(hanyin: County) -> None:
    account = hanyin.account("town", area=XUANWO)
    client = hanyin.client(account)
    made = make_token(client, scopes=["area.view"])
    assert made.status_code == 200
    token = token_in(made)
    assert token not in client.get("/me").get_data(as_text=True)
    api = hanyin.client()
    bearer = {"Authorization": f"Bearer {token}"}
    me = api.get("/api/v1/me", headers=bearer)
    assert me.get_json()["token_scopes"] == ["area.view"]
    assert api.get("/api/v1/accounts", headers=bearer).status_code == 403
    assert api.get("/me", headers=bearer).status_code == 303  # tokens are for the API only
    more = api.post("/api/v1/me/tokens", headers=bearer, json={"name": "x", "scopes": ["*"]})
    assert more.status_code == 403
    with hanyin.uow() as uow:
        row = uow.session.scalars(select(ApiToken).where(ApiToken.account_id == account.id)).one()
    assert token.encode() not in row.token_hash
    stranger = hanyin.client("town", area=XUANWO)
    assert send(stranger, f"/me/tokens/{row.id}/revoke", on="/me").status_code == 404
    assert api.get("/api/v1/me", headers=bearer).status_code == 200
    send(client, f"/me/tokens/{row.id}/revoke", on="/me")
    assert api.get("/api/v1/me", headers=bearer).status_code == 401
    assert [a for a in actions(hanyin, account.id) if "token" in a] == ["token.create", "token.revoke"]


def test_a_token_cannot_hold_more_than_its_owner_or_last_for_ever(hanyin: County) -> None:
    client = hanyin.client("village", area=YANPING)
    for bad in (
        {"scopes": ["role.manage"]},
        {"scopes": []},
        {"days": "366"},
        {"days": "x"},
        {"name": "  "},
    ):
        assert make_token(client, **bad).status_code == 422


def test_an_expired_token_is_refused(hanyin: County) -> None:
    account = hanyin.account("town", area=XUANWO)
    token = token_in(make_token(hanyin.client(account)))
    with hanyin.uow() as uow:
        row = uow.session.scalars(select(ApiToken).where(ApiToken.account_id == account.id)).one()
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    answer = hanyin.client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_what_ended_long_ago_is_swept(tongyu: County) -> None:
    account = tongyu.account("village", area=220822100000000)
    now = datetime.now(UTC)
    with tongyu.uow() as uow:
        for i, days in enumerate((31, 29, -1)):
            ends = now - timedelta(days=days)
            uow.session.add(AccountSession(account_id=account.id, token_hash=bytes([i]) * 32, expires_at=ends))
            uow.session.add(
                OneTimeLink(account_id=account.id, token_hash=bytes([i]) * 32, purpose="reset", expires_at=ends)
            )

    class Context:
        uow = staticmethod(tongyu.uow)

    assert run_sweep(Context()) == {"sessions": 1, "links": 1}
    with tongyu.uow() as uow:
        left = select(AccountSession).where(AccountSession.account_id == account.id)
        assert len(list(uow.session.scalars(left))) == 2
        assert uow.get(Account, account.id).login == account.login


def test_last_sign_ins_are_shown(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    sign_in(hanyin.client(), account.login, "wrong password 5")
    client = hanyin.client()
    sign_in(client, account.login, PASSWORD)
    page = client.get("/me").get_data(as_text=True)
    assert "登录失败" in page
    assert "127.0.0.1" in page
