"""The operator's API under /api/v1/operator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from xiangyue.access.models import ApiToken
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.features.console.schemas import CountySchema
from xiangyue.testing.fixtures import County

BASE = "/api/v1/operator/counties"


def bearer(county: County, role: str, *scopes: str) -> dict[str, str]:
    """Headers of an API token of a new account with this role."""
    account = county.account(role)
    token, digest = new_token(API_PREFIX)
    with county.uow() as uow:
        uow.session.add(
            ApiToken(
                account_id=account.id,
                name="test",
                token_hash=digest,
                scopes=list(scopes) or ["*"],
                expires_at=datetime.now(UTC) + timedelta(hours=1),
            )
        )
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def api(operator: County) -> FlaskClient:
    client = operator.client()
    client.environ_base["HTTP_AUTHORIZATION"] = bearer(operator, "operator_admin")["Authorization"]
    return client


def test_list_and_one_agree_with_the_schema(api: FlaskClient) -> None:
    body = api.get(BASE).get_json()
    assert [c["slug"] for c in body["items"]] == ["hanyin", "tongyu"]
    assert body["next"] is None
    one = api.get(f"{BASE}/hanyin")
    assert one.headers["ETag"].startswith(f'"{one.get_json()["version"]}-')
    assert set(one.get_json()) == set(CountySchema().fields)
    assert set(one.get_json()["usage"]) == set(CountySchema().fields["usage"].schema.fields)  # type: ignore[attr-defined]
    assert CountySchema().validate({k: v for k, v in one.get_json().items() if v is not None}) == {}
    assert (one.get_json()["code"], one.get_json()["hosts"]) == ("610921", ["hanyin.localhost"])


def test_fields_filters_and_pages(api: FlaskClient) -> None:
    assert api.get(f"{BASE}?fields=slug,state&q=tong").get_json()["items"] == [{"slug": "tongyu", "state": "active"}]
    first = api.get(f"{BASE}?limit=1&sort=-code&fields=slug").get_json()
    assert first["items"] == [{"slug": "hanyin"}]
    second = api.get(f"{BASE}?limit=1&sort=-code&fields=slug&cursor={first['next']}").get_json()
    assert second == {"items": [{"slug": "tongyu"}], "next": None}


@pytest.mark.parametrize("query", ["limit=21", "sort=size", "fields=secret", "cursor=x", "state=gone", "province=1"])
def test_bad_arguments(api: FlaskClient, query: str) -> None:
    answer = api.get(f"{BASE}?{query}")
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_provision_by_code(api: FlaskClient, operator: County) -> None:
    dry = api.post(BASE, json={"code": "110105", "dry_run": True})
    assert (dry.status_code, dry.get_json()["slug"], dry.get_json()["applied"]) == (200, "chaoyang-110105", False)
    assert operator.runtime.directory.by_slug("chaoyang-110105") is None
    made = api.post(BASE, json={"code": "110105", "slug": "chaoyang"})
    assert made.status_code == 201
    assert {"verb": "add", "what": "tenant chaoyang", "before": None, "after": None} in made.get_json()["changes"]
    assert len(made.get_json()["changes"]) == len(dry.get_json()["changes"])
    assert api.get(f"{BASE}/chaoyang").get_json()["name_en"] == "Chaoyang District"
    assert api.post(BASE, json={"code": "110105"}).status_code == 409
    assert api.post(BASE, json={"code": "999999"}).status_code == 404
    assert api.post(BASE, json={"code": "11"}).get_json()["errors"][0]["path"] == "code"
    assert api.post(BASE, json={"code": "130926", "slug": "API"}).get_json()["errors"][0]["path"] == "slug"
    invited = api.post(f"{BASE}/chaoyang/administrators", json={"login": "admin", "name": "王"})
    assert invited.status_code == 201
    assert invited.get_json()["address"].startswith("http://chaoyang.localhost")


def test_suspend_and_resume_need_the_version(api: FlaskClient, tongyu: County) -> None:
    tag = api.get(f"{BASE}/tongyu").headers["ETag"]
    body = {"reason": "维护"}
    assert api.post(f"{BASE}/tongyu/suspend", json=body).status_code == 428
    assert api.post(f"{BASE}/tongyu/suspend", json={"reason": " "}, headers={"If-Match": tag}).status_code == 422
    done = api.post(f"{BASE}/tongyu/suspend", json=body, headers={"If-Match": tag})
    assert (done.status_code, done.get_json()["state"]) == (200, "suspended")
    assert done.headers["ETag"] != tag
    headers = bearer(tongyu, "county_admin")
    stopped = tongyu.client().get("/api/v1/areas", headers=headers)
    assert (stopped.status_code, "维护" in stopped.get_json()["detail"]) == (403, True)
    stale = api.post(f"{BASE}/tongyu/resume", headers={"If-Match": tag})
    assert stale.status_code == 412
    assert stale.get_json()["current"]["state"] == "suspended"
    assert api.post(f"{BASE}/tongyu/resume", headers={"If-Match": done.headers["ETag"]}).status_code == 200
    assert tongyu.client().get("/api/v1/areas", headers=headers).status_code == 200
    tag = api.get(f"{BASE}/tongyu").headers["ETag"]
    assert api.post(f"{BASE}/tongyu/resume", headers={"If-Match": tag}).status_code == 409


def test_rights_and_scopes_of_tokens(operator: County, hanyin: County) -> None:
    client = operator.client()
    support = bearer(operator, "operator_support")
    assert client.get(BASE, headers=support).status_code == 200
    body: dict[str, Any] = {"json": {"reason": "x"}}
    assert client.post(f"{BASE}/hanyin/suspend", headers={**support, "If-Match": '"1"'}, **body).status_code == 403
    narrow = bearer(operator, "operator_admin", "operator.view")
    assert client.post(f"{BASE}/hanyin/suspend", headers={**narrow, "If-Match": '"1"'}, **body).status_code == 403
    # A county's token opens nothing here, nor the operator's there.
    assert client.get(BASE, headers=bearer(hanyin, "county_admin")).status_code == 401
    assert hanyin.client().get("/api/v1/areas", headers=support).status_code == 401
