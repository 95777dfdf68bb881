"""Links of pages lead somewhere: what an actor may not open is not offered; names and searches fit the place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

TOWN = "610921100000"
PAGES = ("/", "/areas", f"/areas/{TOWN}", f"/areas/{TOWN[:6]}100200", "/cockpit", "/me")
ROLES = ("county_admin", "department", "town", "village", "grid_leader", "group_head", "auditor")


def local_links(html: str) -> set[str]:
    found = re.findall(r'(?:href|hx-get)="(/[^"#]*)"', html)
    return {link.replace("&amp;", "&") for link in found if not link.startswith(("/static/", "//"))}


@pytest.mark.parametrize("role", ROLES)
def test_no_link_of_a_page_is_closed_to_its_reader(hanyin: County, role: str) -> None:
    area = {"town": 610921100000_000, **dict.fromkeys(("county_admin", "department", "auditor"))}.get(
        role, 610921100200_000
    )
    client = hanyin.client(role, area=area)
    offered: dict[str, str] = {}
    for page in PAGES:
        shown = client.get(page)
        if shown.status_code in (403, 404):
            continue  # not offered to this role, or outside its area
        assert shown.status_code == 200, page
        # Each link once: most stand on every page.
        offered.update({link: page for link in local_links(shown.text) if link not in offered})
    closed = {
        (page, link): status
        for link, page in sorted(offered.items())
        if (status := client.get(link).status_code) >= 400
    }
    assert "/" in offered.values()
    assert closed == {}


def test_the_county_has_its_english_name_on_english_pages(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    client.set_cookie("xy_locale", "en", domain=hanyin.host)
    for page in ("/cockpit", "/areas"):
        html = client.get(page).text
        assert re.search(r'class="xy-area-now"[^>]*>\s*Hanyin County', html)
        assert english_page_faults(html) == []
    main = client.get("/cockpit").text.partition("<main")[2]
    assert "Hanyin County" in main
    assert "汉阴县" not in main


def test_the_console_looks_for_counties_and_counties_for_people(hanyin: County, operator: County) -> None:
    def search(client: Any, page: str) -> tuple[str, str]:
        form = re.search(r'<form class="xy-search" action="([^"]*)" method="(\w+)"', client.get(page).text)
        assert form is not None
        return form[1], form[2]

    for page in ("/console/counties", "/audit", "/me", "/accounts"):
        assert search(operator.client("operator_admin"), page) == ("/console/counties", "get")
    assert search(hanyin.client("county_admin"), "/me") == ("/search", "post")
    assert "编号或住址…" in hanyin.client("county_admin").get("/").text
    assert "网格码" not in hanyin.client("county_admin").get("/").text


def test_a_phone_has_my_own_page_among_its_tabs(hanyin: County, operator: County) -> None:
    for client in (hanyin.client("village", area=610921100200_000), operator.client("operator_support")):
        tabs = client.get("/me").text.partition('<nav class="xy-tabs')[2].partition("</nav>")[0]
        assert re.search(r'<a href="/me" aria-current="page".*我的</a>', tabs)
        assert 2 <= tabs.count("<a ") <= 5
