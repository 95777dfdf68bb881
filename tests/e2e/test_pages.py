"""Every main page on a phone and on a desk, in Chinese and in English: opens, is accessible, fits, is translated."""

from __future__ import annotations

import io
from collections.abc import Callable
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
        "/areas",
        f"/areas/{village}",
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
        "/me",
        "/me/rights",
        "/me/password",
        "/me/second-factor",
        "/me/tokens/new",
        "/search?q=wang",
        "/api/docs",
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


def faults_of(live: LiveServer, county: County, page: Any, paths: list[str], check: Any, english: bool) -> list[str]:
    """Open the pages one after the other and gather all that is wrong, so that one run shows everything."""
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("response", lambda r: noise.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    faults: list[str] = []
    for path in paths:
        answer = page.goto(live.url(county.host, path))
        if answer.status != 200:
            faults.append(f"{path}: status {answer.status}")
        try:
            check(page)
        except AssertionError as error:
            faults.append(str(error).split("\n")[0])
        if english:
            faults += [f"{path}: Chinese: {words}" for words in english_page_faults(page.content())]
        faults += [f"{path}: console: {text}" for text in noise]
        noise.clear()
    return faults


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 1440])
def test_pages_of_a_county(
    live: LiveServer,
    hanyin: County,
    county_pages: list[str],
    sign_in: Callable[..., Any],
    check_page: Callable[[Any], None],
    width: int,
    locale: str,
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin", locale=locale, name="测试甲"), width=width)
    assert page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[locale]
    assert faults_of(live, hanyin, page, county_pages, check_page, locale == "en") == []


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 1440])
def test_pages_of_the_operator(
    live: LiveServer,
    operator: County,
    sign_in: Callable[..., Any],
    check_page: Callable[[Any], None],
    width: int,
    locale: str,
) -> None:
    account = operator.account("operator_admin", area=0, locale=locale)
    page = sign_in(operator, account, width=width)
    assert faults_of(live, operator, page, CONSOLE_PAGES, check_page, locale == "en") == []


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 1440])
def test_sign_in_pages(
    live: LiveServer,
    hanyin: County,
    new_page: Callable[..., Any],
    check_page: Callable[[Any], None],
    width: int,
    locale: str,
) -> None:
    page = new_page(width)
    page.goto(live.url(hanyin.host, "/sign-in"))
    if locale == "en":
        page.locator("button[name=locale][value=en]:visible").first.click()
        page.wait_for_selector("html[lang=en]")
    assert faults_of(live, hanyin, page, ["/sign-in", "/sign-in?expired=1"], check_page, locale == "en") == []
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
