"""Every main page on a phone and on a desk, in Chinese and in English: opens, is accessible, fits, is translated."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from tests.e2e.kit import VILLAGE, head, register, roster

from xiangyue.access.models import AuditEntry, Role
from xiangyue.features.households import policy as households_policy
from xiangyue.features.households.models import Person
from xiangyue.features.imports import policy as imports_policy
from xiangyue.features.imports.service import upload_roster
from xiangyue.testing.fixtures import County
from xiangyue.testing.live import LiveServer
from xiangyue.testing.source import english_page_faults


def seed(county: County) -> list[str]:
    """Households, persons, an import with errors, an account with a role; gives the addresses of the pages."""
    households = [register(county, name, "王小明", "陈小兰") for name in ("王德福", "欧阳明", "单雄")]
    account = county.account("town", area=VILLAGE - VILLAGE % 1_000_000, name="李镇长")
    with county.uow(county.actor(imports_policy.IMPORT_RUN, households_policy.HOUSEHOLD_EDIT)) as uow:
        stream = io.BytesIO(roster(head(1), head(2, town="漩窝镇")))
        batch = upload_roster(
            uow, county.runtime.storage, stream=stream, name="名单.xlsx", source="民政办", purpose="核对底册"
        )
    with county.uow() as uow:
        person = uow.session.scalars(select(Person.id).where(Person.name == "王小明")).first()
        role = uow.session.scalars(select(Role.id).where(Role.key == "town")).one()
        entry = uow.session.scalars(select(AuditEntry.id).where(AuditEntry.object_type == "household")).first()
    house = f"/households/{households[0].id}"
    village = VILLAGE // 1000
    return [
        "/",
        "/households",
        "/households?q=wang",
        house,
        f"{house}/edit",
        "/households/new",
        f"/households/new?area={village}",
        f"{house}/persons/new",
        "/households/export",
        f"/persons/{person}",
        f"/persons/{person}/edit",
        "/persons",
        "/persons/export",
        "/views",
        "/areas",
        f"/areas/{village}",
        "/areas/changes",
        "/register/acts",
        "/organisations",
        "/organisations/kinds",
        "/privacy",
        "/privacy/fields",
        "/privacy/notices",
        "/facts",
        "/duplicates",
        "/grids",
        "/grids/coverage",
        "/ten-household-groups",
        "/imports",
        "/imports/new",
        f"/imports/{batch.id}",
        "/cockpit",
        "/accounts",
        "/accounts/new",
        f"/accounts/{account.id}",
        f"/accounts/{account.id}/edit",
        f"/accounts/{account.id}/rights",
        "/roles",
        "/roles/new",
        f"/roles/{role}",
        f"/roles/{role}/edit",
        "/audit",
        f"/audit/{entry}",
        "/audit/verify",
        "/jobs",
        f"/jobs/{batch.job_id}",
        "/settings",
        "/settings/marks",
        "/settings/marks/new",
        "/settings/awards",
        "/settings/plugins",
        "/me",
        "/me/rights",
        "/me/password",
        "/me/second-factor",
        "/me/tokens/new",
        "/search?q=wang",
    ]


@pytest.fixture(scope="module")
def county_pages(live: LiveServer, hanyin: County) -> list[str]:
    return seed(hanyin)


CONSOLE_PAGES = [
    "/",
    "/console",
    "/console/counties",
    "/console/counties/hanyin",
    "/console/counties/hanyin/administrator",
    "/console/counties/hanyin/divisions",
    "/console/provision",
    "/console/profiles",
    "/console/profiles/hanyin",
    "/console/plugins",
    "/accounts",
    "/roles",
    "/audit",
    "/jobs",
    "/me",
]


PHONE, DESK = (360, 740), (1440, 900)
Check = Callable[[Any], None]
#: How far below its figure each label stands; one that is a link is 44 px high on a phone.
LABELS = """all => [...new Set(all.map(one => {
  const words = document.createTreeWalker(one.querySelector(".xy-sub"), NodeFilter.SHOW_TEXT);
  while (words.nextNode() && !words.currentNode.data.trim());
  const box = document.createRange(); box.selectNode(words.currentNode);
  const figure = one.querySelector(".xy-kpi-value").getBoundingClientRect();
  return Math.round(box.getBoundingClientRect().top - figure.bottom);
}))]"""


@dataclass
class Walk:
    """Opens pages one after the other and gathers all that is wrong, so that one run shows everything.

    A page is loaded on a phone's width and then widened to a desk's. axe reads the Chinese page on the phone and the
    English one on the desk: each layout and each language once, in half the time.
    """

    server: LiveServer
    county: County
    check_page: Check
    check_width: Check

    def faults(self, page: Any, locale: str, paths: list[str]) -> list[str]:
        noise: list[str] = []
        page.on("console", lambda m: noise.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("response", lambda r: noise.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        found: list[str] = []
        for path in paths:
            page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            answer = page.goto(self.server.url(self.county.host, path))
            if answer.status != 200:
                found.append(f"{path}: status {answer.status}")
            found += self._try(self.check_page if locale == "zh" else self.check_width, page)
            if len(below := page.eval_on_selector_all(".xy-kpi", LABELS)) > 1:
                found.append(f"{path}: labels of figures stand at different heights: {below}")
            page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
            found += self._try(self.check_page if locale == "en" else self.check_width, page)
            if locale == "en":
                found += [f"{path}: Chinese: {words}" for words in english_page_faults(page.content())]
            found += [f"{path}: console: {text}" for text in noise]
            noise.clear()
        return found

    @staticmethod
    def _try(check: Check, page: Any) -> list[str]:
        try:
            check(page)
        except AssertionError as error:
            return [f"{page.viewport_size['width']} px: {str(error).splitlines()[0]}"]
        return []


@pytest.fixture
def walk(live: LiveServer, check_page: Check, check_width: Check) -> Callable[..., list[str]]:
    """``walk(county, page, locale, paths)``: what is wrong with these pages, one line each."""

    def go(county: County, page: Any, locale: str, paths: list[str]) -> list[str]:
        return Walk(live, county, check_page, check_width).faults(page, locale, paths)

    return go


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_pages_of_a_county(
    hanyin: County, county_pages: list[str], sign_in: Callable[..., Any], walk: Callable[..., list[str]], locale: str
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin", locale=locale, name="测试甲"))
    assert page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[locale]
    faults = walk(hanyin, page, locale, county_pages)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_pages_of_the_operator(
    operator: County, sign_in: Callable[..., Any], walk: Callable[..., list[str]], locale: str
) -> None:
    page = sign_in(operator, operator.account("operator_admin", area=0, locale=locale))
    faults = walk(operator, page, locale, CONSOLE_PAGES)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_pages_before_signing_in(
    live: LiveServer,
    hanyin: County,
    new_page: Callable[..., Any],
    walk: Callable[..., list[str]],
    check_page: Check,
    locale: str,
) -> None:
    page = new_page()
    page.goto(live.url(hanyin.host, "/sign-in"))
    if locale == "en":
        page.locator("button[name=locale][value=en]:visible").first.click()
        page.wait_for_selector("html[lang=en]")
    faults = walk(hanyin, page, locale, ["/sign-in", "/sign-in?expired=1"])
    assert not faults, "\n".join(faults)
    page.fill("input[name=login]", "nobody")
    page.fill("input[name=password]", "wrong")
    page.press("input[name=password]", "Enter")
    page.wait_for_selector("[role=alert], .xy-alert-danger")
    check_page(page)
    missing = page.goto(live.url(hanyin.host, "/no/such/page"))
    assert missing is not None
    assert missing.status == 404
    check_page(page)
    if locale == "en":
        assert english_page_faults(page.content()) == []


def test_the_api_reference_opens_under_the_pages_policy(
    live: LiveServer, hanyin: County, sign_in: Callable[..., Any]
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin"))
    noise: list[str] = []
    page.on("console", lambda m: noise.append(m.text) if m.type == "error" else None)
    page.goto(live.url(hanyin.host, "/api/v1/docs"))
    page.wait_for_selector("#swagger .opblock")
    assert noise == []
