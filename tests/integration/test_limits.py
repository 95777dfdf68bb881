"""Rate limits of requests over HTTP: those of a token, those of uploads; without Redis nobody is stopped."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xiangyue.access.ratelimit import BATCH, RULES
from xiangyue.app import create_app
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County


def limited(county: County, **settings: Any) -> Iterator[County]:
    """The same county in an application with other settings."""
    runtime = Runtime(replace(county.runtime.settings, **settings))
    yield County(runtime, create_app(runtime=runtime), county.info)
    runtime.engine.dispose()


@pytest.fixture
def twenty(hanyin: County) -> Iterator[County]:
    yield from limited(hanyin, api_requests_per_minute=2 * BATCH)


@pytest.fixture
def cut_off(hanyin: County, tmp_path: Path) -> Iterator[County]:
    yield from limited(hanyin, api_requests_per_minute=BATCH, redis_url=f"unix://{tmp_path}/none.sock?db=0")


def bearer(county: County) -> dict[str, str]:
    account = county.account("county_admin")
    with county.uow() as uow:
        _row, token = create_token_for(uow, account_id=account.id, name="test", scopes=["*"], days=1)
    return {"Authorization": f"Bearer {token}"}


def test_a_token_that_asks_too_often_is_told_how_long_to_wait(twenty: County) -> None:
    client, mine, other = twenty.client(), bearer(twenty), bearer(twenty)
    answers = [client.get("/api/v1/me", headers=mine) for _ in range(3 * BATCH)]
    assert {a.status_code for a in answers[: 2 * BATCH]} == {200}
    refused = answers[-1]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.get_json()["type"] == "urn:xiangyue:error:too_many"
    assert client.get("/api/v1/me", headers=mine).status_code == 429
    assert client.get("/api/v1/me", headers=other).status_code == 200


def test_without_redis_tokens_work(cut_off: County) -> None:
    client, mine = cut_off.client(), bearer(cut_off)
    assert {client.get("/api/v1/me", headers=mine).status_code for _ in range(3 * BATCH)} == {200}


def test_uploads_are_limited_by_page_and_by_token_alike(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    hanyin.client(account)
    key = f"{hanyin.info.id}:{account.id}"
    for _ in range(RULES["upload"].item.amount):
        hanyin.runtime.limiter.hit(key, "upload")
    client = hanyin.client(account)
    html = client.get("/imports/new").get_data(as_text=True)
    form = {"csrf_token": html.split('name="csrf_token" value="')[1].split('"')[0], "source": "x", "purpose": "x"}
    page = client.post("/imports", data={**form, "file": (io.BytesIO(b"PK"), "a.xlsx")})
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 60
    with hanyin.uow() as uow:
        _row, token = create_token_for(uow, account_id=account.id, name="test", scopes=["*"], days=1)
    answer = hanyin.client().post(
        "/api/v1/imports",
        headers={"Authorization": f"Bearer {token}"},
        data={"purpose": "x", "file": (io.BytesIO(b"PK"), "a.xlsx")},
    )
    assert answer.status_code == 429
