"""A citizen number that is searched for finds its person and stands in no address, page, log or audit entry."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from households_kit import ID_NUMBER, OTHER_TOWN, entries, filled_county, hidden, post, text

from xiangyue.features.households.identifiers import seal_word
from xiangyue.testing.fixtures import County
from xiangyue.web import logs

__all__ = ["filled_county"]

SEAL = re.compile(r"q=~[0-9a-f]{32}|q=%7E[0-9a-f]{32}")


@pytest.fixture(name="lines")
def logged_lines(county: County, capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure(county.runtime.settings)
    yield lambda: capfd.readouterr().err
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def sealed(answer: Any) -> str:
    """Where an answer leads: an address with a seal in the number's place."""
    assert answer.status_code == 303
    assert SEAL.search(answer.location)
    assert ID_NUMBER not in answer.location
    assert ID_NUMBER not in answer.get_data(as_text=True)
    return str(answer.location)


@pytest.mark.parametrize("typed", [ID_NUMBER, f" {ID_NUMBER[:6]} {ID_NUMBER[6:]} ", "６１０９２１198001310011"])
def test_forms_that_search_lead_to_a_sealed_address_without_a_script(county: County, typed: str) -> None:
    client = county.client("county_admin")
    for page, url in (
        ("/search", "/search"),
        ("/households", "/households/filter"),
        ("/persons", "/persons/filter"),
    ):
        found = text(client, sealed(post(client, page, url, q=typed)))
        assert "王德福" in found
        assert "吴·木子" not in found
        assert ID_NUMBER not in found


def test_the_page_itself_sends_its_search_forms_by_post(county: County) -> None:
    client = county.client("county_admin")
    for url, target in (
        ("/households", "/households/filter"),
        ("/persons", "/persons/filter"),
        ("/search", "/search"),
        ("/", "/search"),
    ):
        page = text(client, url)
        assert re.search(rf'<form[^>]* method="post" action="{target}"', page) or re.search(
            rf'<form[^>]* action="{target}" method="post"', page
        )
        assert "hx-get" not in "".join(re.findall(r'<input[^>]*name="q"[^>]*>', page))


def test_what_is_typed_is_answered_at_once(county: County) -> None:
    client = county.client("county_admin")
    token = hidden(text(client, "/"), "csrf_token")
    headers = {"HX-Request": "true", "X-CSRF-Token": token}
    found = client.post("/search?brief=1", data={"q": ID_NUMBER}, headers=headers).get_data(as_text=True)
    assert "王德福" in found
    assert ID_NUMBER not in found


def test_an_address_with_a_number_is_led_on_with_all_else_it_says(county: County) -> None:
    client = county.client("county_admin")
    for path in ("/households", "/persons", "/households/export", "/persons/export"):
        target = sealed(client.get(f"{path}?q={ID_NUMBER}&sort=-name&cols=name"))
        assert target.startswith(f"{path}?")
        assert "sort=-name" in target
        assert "cols=name" in target
    sealed(client.get(f"/search?q={ID_NUMBER}"))
    # 17 digits tell the last one: sealed as well, and nobody is found.
    assert "王德福" not in text(client, sealed(client.get(f"/persons?q={ID_NUMBER[:17]}")))


def test_sorting_columns_and_export_go_on_with_the_seal(county: County) -> None:
    client = county.client("county_admin")
    address = sealed(post(client, "/persons", "/persons/filter", q=ID_NUMBER, sort="-birth_date"))
    page = text(client, address)
    assert "不显示" in page
    seal = re.search(r"~[0-9a-f]{32}", page)
    assert seal is not None
    hrefs = re.findall(r'href="(/persons[^"]*)"', page)
    for part in ("sort=name", "/persons/export"):
        (href, *_more) = [h for h in hrefs if part in h]
        assert SEAL.search(href)
    # The filter form carries the seal on, so that another condition narrows the same list.
    assert hidden(page, "q") == seal[0]
    answer = post(client, address, f"/persons/export?q={seal[0]}", purpose="核对低保名单")
    assert answer.status_code == 200
    (entry,) = entries(county, "person.export")[-1:]
    assert ID_NUMBER not in json.dumps(entry.after)


def test_a_seal_is_worth_nothing_elsewhere(county: County, tongyu: County) -> None:
    seal = sealed(post(county.client("county_admin"), "/persons", "/persons/filter", q=ID_NUMBER))
    assert "王德福" in text(county.client("county_admin"), seal)
    assert "王德福" not in text(county.client("town", area=OTHER_TOWN), seal)
    with tongyu.uow() as uow:
        theirs = tongyu.runtime.tenant_keys(uow)
    with county.uow() as uow:
        mine = county.runtime.tenant_keys(uow)
        assert seal_word(mine, ID_NUMBER) != seal_word(theirs, ID_NUMBER)
    assert "王德福" not in text(tongyu.client("county_admin"), seal)


def test_the_way_through_sign_in_does_not_carry_the_number(county: County) -> None:
    answer = county.client().get(f"/households?q={ID_NUMBER}&sort=code")
    assert answer.status_code == 303
    assert ID_NUMBER not in answer.location
    assert "sort" in answer.location
    owing = county.client(county.account(must_change_password=True))
    answer = owing.get(f"/households?q={ID_NUMBER}")
    assert answer.location.startswith("/me/password")
    assert ID_NUMBER not in answer.location


def test_logs_of_pages_and_api_hold_no_number(county: County, lines: Any) -> None:
    client = county.client("county_admin")
    old = ID_NUMBER[:6] + ID_NUMBER[8:17]
    for path in (
        f"/households?q={ID_NUMBER}",
        f"/areas/{old}",
        f"/areas/{ID_NUMBER}",
        f"/nowhere/{ID_NUMBER}",
        f"/api/v1/households?q={ID_NUMBER}",
        f"/api/v1/search?q={ID_NUMBER}",
        f"/api/v1/areas/{ID_NUMBER}",
    ):
        client.get(path)
    written = lines()
    assert written.count('"event":"request"') == 7
    assert ID_NUMBER not in written
    assert old not in written
