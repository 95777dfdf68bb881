"""What the API does with input that cannot be meant: it says where, what and how to mend it, and does nothing."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.testing.fixtures import County


@pytest.fixture
def client(hanyin: County) -> Any:
    return hanyin.client(hanyin.account("county_admin"))


def messages(response: Any) -> dict[str, str]:
    return {error["path"]: error["message"] for error in response.json["errors"]}


def test_what_a_value_should_be_is_said_in_the_readers_language(client: Any) -> None:
    wrong = "/api/v1/households?limit=900&sort=nme&min_persons=x"
    assert messages(client.get(wrong)) == {
        "limit": "应在 1 至 200 之间。",
        "sort": "不认识：nme。可用：name, code, size, updated, custom.<key>。",
        "min_persons": "请填写整数。",
    }
    english = messages(client.get(wrong, headers={"Accept-Language": "en"}))
    assert english["min_persons"] == "This must be a whole number."
    assert english["sort"] == "Unknown: nme. Known: name, code, size, updated, custom.<key>."


def test_a_misspelt_filter_does_not_answer_the_whole_county(client: Any) -> None:
    response = client.get("/api/v1/households?areas=610921100000&bogus=1")
    assert response.status_code == 422
    said = messages(response)
    assert "area" in said["areas"]
    assert "sort" in said["bogus"]
    assert client.get("/api/v1/households?custom.nothing=1").status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/households/99999999999999999999", "/households/99999999999999999999"])
def test_a_number_that_no_row_can_have_is_no_address(client: Any, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/households?q=%00", "/households?q=%00", "/search?q=a%00b"])
def test_characters_that_cannot_be_stored_are_refused(client: Any, path: str) -> None:
    assert client.get(path).status_code in (200, 422)


def test_a_body_that_is_not_json_is_not_an_empty_one(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    with hanyin.uow() as uow:
        _, token = create_token_for(uow, account_id=account.id, name="test", scopes=["*"], days=1)
    url, headers = "/api/v1/households", {"Authorization": f"Bearer {token}"}
    client = hanyin.client()
    assert client.post(url, data="abc", content_type="text/plain", headers=headers).status_code == 415
    assert client.post(url, data="abc", content_type="application/json", headers=headers).status_code in (400, 422)


@pytest.mark.parametrize("path", ["jobs", "audit", "accounts", "imports", "households", "persons", "areas"])
@pytest.mark.parametrize(
    "cursor", [["abc"], [1e30], [None], [True], ["\x00", 1], [2**70, 2**70], {}, "x", [[1], [2]], ["2026-01-01", "x"]]
)
def test_a_cursor_that_we_never_gave_is_refused(client: Any, path: str, cursor: Any) -> None:
    made = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
    for given in (made, f"{made}=="):
        assert client.get(f"/api/v1/{path}?cursor={quote(given)}").status_code == 422
