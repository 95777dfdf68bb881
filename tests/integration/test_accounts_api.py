"""The API of accounts, roles and one's own account."""

from __future__ import annotations

from typing import Any

import pytest
from accounts_kit import CHENGGUAN, XUANWO, YANPING, actions, fresh
from sqlalchemy import select

from xiangyue.access.models import Account
from xiangyue.features.accounts.queries.accounts import grants_of
from xiangyue.features.accounts.schemas import AccountSchema, RoleSchema
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.testing.fixtures import County


class Api:
    """Calls with a bearer token."""

    def __init__(self, county: County, account: Account, *scopes: str) -> None:
        with county.uow() as uow:
            _, token = create_token_for(uow, account_id=account.id, name="test", scopes=scopes or ["*"], days=1)
        self.client = county.client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers={**self.headers, **more})


@pytest.fixture
def admin(hanyin: County) -> Api:
    return Api(hanyin, hanyin.account("county_admin"))


def test_accounts_are_listed_in_pages_with_chosen_fields(hanyin: County, admin: Api) -> None:
    for i in range(5):
        hanyin.account("village", area=YANPING, login=f"listed{i}")
    first = admin("GET", "/accounts?q=listed&sort=-login&limit=2&fields=login,state").get_json()
    assert first["items"] == [
        {"login": "listed4", "state": "active"},
        {"login": "listed3", "state": "active"},
    ]
    second = admin("GET", f"/accounts?q=listed&sort=-login&limit=2&cursor={first['next']}").get_json()
    assert [a["login"] for a in second["items"]] == ["listed2", "listed1"]
    assert set(second["items"][0]) == set(AccountSchema().fields)
    assert second["items"][0]["grants"][0]["area_name"] == "漩涡镇 · 堰坪村"
    for bad in ("limit=201", "sort=password_hash", "fields=password_hash", "cursor=%%%", "state=odd"):
        answer = admin("GET", f"/accounts?{bad}")
        assert answer.status_code == 422, bad
        assert answer.content_type == "application/problem+json"


def test_a_town_sees_only_its_own(hanyin: County) -> None:
    inside = hanyin.account("village", area=YANPING, login="api-inside")
    outside = hanyin.account("village", area=CHENGGUAN, login="api-outside")
    town = Api(hanyin, hanyin.account("town", area=XUANWO))
    logins = [a["login"] for a in town("GET", "/accounts?q=api-").get_json()["items"]]
    assert logins == ["api-inside"]
    assert town("GET", f"/accounts/{inside.id}").status_code == 200
    for method, path in (
        ("GET", ""),
        ("GET", "/grants"),
        ("POST", "/link"),
    ):
        assert town(method, f"/accounts/{outside.id}{path}").status_code == 404
    patched = town("PATCH", f"/accounts/{outside.id}", {"name": "x"}, If_Match='"1"')
    assert patched.status_code == 404
    grant = town("POST", f"/accounts/{inside.id}/grants", {"role": "county_admin", "area_code": YANPING})
    assert grant.status_code == 422
    assert grant.get_json()["errors"][0]["path"] == "role"


def test_another_countys_account_is_not_there(hanyin: County, tongyu: County, admin: Api) -> None:
    foreign = tongyu.account("village", area=220822100000000)
    with hanyin.uow() as uow:
        taken = uow.session.scalars(select(Account.id).where(Account.id == foreign.id)).one_or_none()
    if taken is None:
        assert admin("GET", f"/accounts/{foreign.id}").status_code == 404
    logins = admin("GET", "/accounts?limit=200&fields=login").get_json()["items"]
    assert {"login": foreign.login} not in logins
    token_elsewhere = tongyu.client().get("/api/v1/me", headers=admin.headers)
    assert token_elsewhere.status_code == 401


def test_make_change_and_grant(hanyin: County, admin: Api) -> None:
    made = admin("POST", "/accounts", {"login": "api.made", "name": "接口人", "role": "village", "area_code": YANPING})
    assert made.status_code == 201
    body = made.get_json()
    account = body["account"]
    assert account["state"] == "invited"
    assert body["link"].startswith(f"http://{hanyin.host}/link/xyl_")
    path = f"/accounts/{account['id']}"
    shown = admin("GET", path)
    assert shown.headers["ETag"].startswith('"1-')
    assert admin("PATCH", path, {"post": "文书"}).status_code == 428
    changed = admin("PATCH", path, {"post": "文书"}, If_Match=shown.headers["ETag"])
    assert changed.get_json()["post"] == "文书"
    assert changed.headers["ETag"].startswith('"2-')
    stale = admin("PATCH", path, {"post": "会计"}, If_Match='"1"')
    assert stale.status_code == 412
    assert stale.get_json()["current"]["post"] == "文书"
    granted = admin("POST", f"{path}/grants", {"role": "grid_leader", "area_code": YANPING})
    assert granted.status_code == 201
    assert granted.get_json()["role"] == "grid_leader"
    assert len(admin("GET", f"{path}/grants").get_json()) == 2
    assert admin("DELETE", f"{path}/grants/{granted.get_json()['id']}").status_code == 204
    disabled = admin("PATCH", path, {"state": "disabled"}, If_Match='"2"')
    assert disabled.get_json()["state"] == "disabled"
    assert admin("POST", f"{path}/link").status_code == 409
    assert "account.disable" in actions(hanyin, account["id"])


def test_a_limited_token_does_only_what_it_says(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    viewer = Api(hanyin, account, "account.view")
    assert viewer("GET", "/accounts").status_code == 200
    assert viewer("POST", "/accounts", {"login": "no.no", "name": "无"}).status_code == 403
    assert viewer("PATCH", "/me", {"name": "无"}, If_Match='"1"').status_code == 403
    # With the right to manage accounts alone it cannot hand out the rest of what its owner has.
    manager = Api(hanyin, account, "account.manage", "account.view")
    given = manager("POST", "/accounts", {"login": "no.no", "name": "无", "role": "county_admin"})
    assert given.status_code == 422
    other = hanyin.account("county_admin")
    assert manager("POST", f"/accounts/{other.id}/link").status_code == 403


def test_roles_and_permissions(hanyin: County, admin: Api) -> None:
    names = {p["name"] for p in admin("GET", "/permissions").get_json()["items"]}
    assert {"household.view", "account.manage"} <= names
    assert not any(n.startswith("operator.") for n in names)
    roles = admin("GET", "/roles").get_json()["items"]
    assert set(roles[0]) == set(RoleSchema().fields)
    made = admin("POST", "/roles", {"key": "api_role", "name": "接口角色", "permissions": ["area.view"]})
    assert made.status_code == 201
    path = f"/roles/{made.get_json()['id']}"
    assert admin("PATCH", path, {"name": "改名"}).status_code == 428
    changed = admin("PATCH", path, {"permissions": ["area.view", "cockpit.view"]}, If_Match='"1"')
    assert changed.get_json()["permissions"] == ["area.view", "cockpit.view"]
    assert admin("PATCH", path, {"name": "再改"}, If_Match='"1"').status_code == 412
    assert admin("DELETE", path).status_code == 204
    assert admin("GET", path).status_code == 404
    village = Api(hanyin, hanyin.account("village", area=YANPING))
    assert village("GET", "/roles").status_code == 403


def test_me_and_own_tokens(hanyin: County, admin: Api) -> None:
    me = admin("GET", "/me")
    body = me.get_json()
    assert body["token_scopes"] == ["*"]
    assert "password_hash" not in body
    done = admin("PATCH", "/me", {"locale": "en"}, If_Match=me.headers["ETag"])
    assert done.get_json()["locale"] == "en"
    made = admin("POST", "/me/tokens", {"name": "第二个", "scopes": ["account.view"], "days": 10})
    assert made.status_code == 201
    token = made.get_json()
    assert token["token"].startswith("xyt_")
    listed = admin("GET", "/me/tokens").get_json()["items"]
    assert "token" not in listed[0]
    assert {t["name"] for t in listed} == {"test", "第二个"}
    assert admin("DELETE", f"/me/tokens/{token['id']}").status_code == 204
    assert admin("DELETE", f"/me/tokens/{token['id']}").status_code == 404


def test_a_session_may_use_the_api_only_with_the_token_of_its_forms(hanyin: County) -> None:
    from accounts_kit import csrf

    account = hanyin.account("county_admin")
    client = hanyin.client(account)
    body = {"name": "浏览器", "scopes": ["*"]}
    assert client.post("/api/v1/me/tokens", json=body).status_code == 403
    headers = {"X-CSRF-Token": csrf(client, "/me")}
    assert client.post("/api/v1/me/tokens", json=body, headers=headers).status_code == 201
    with hanyin.uow() as uow:
        assert grants_of(uow, [account.id])[account.id][0].area.name == "汉阴县"
    assert fresh(hanyin, account).version == 1


def test_the_document_describes_it_all(hanyin: County) -> None:
    document = hanyin.client().get("/api/v1/openapi.json").get_json()
    for path in (
        "/accounts",
        "/accounts/{account_id}",
        "/accounts/{account_id}/grants",
        "/roles",
        "/me",
        "/me/tokens",
        "/permissions",
    ):
        assert f"/api/v1{path}" in document["paths"]
