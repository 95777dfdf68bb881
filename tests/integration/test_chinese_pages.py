"""Every page that can be reached has its words in Chinese: whoever acted, whatever was changed, however it failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from imports_kit import synthetic
from sqlalchemy import select

from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.households.models import Household
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service import close_household, edit_household
from xiangyue.features.households.service_records import set_award
from xiangyue.features.imports.inline import import_roster
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import chinese_page_faults

#: Sign-in names, addresses, files, versions, keys and titles as published: the same in every language.
NAMES = (
    r"https?://\S+", r"(?<!\w)/[\w./-]+", r"[\w.-]+\.(xlsx|csv|toml|localhost|md)\b", r"\blocalhost\b",
    r"\b(user\d+|tester|doctor)\b", r"\b[0-9a-f]{12,}\b", r"\b(hanyin|tongyu|huarong|shuangliao|operator)\b",
    r"\b(household|person)\.\w+", r"\b[a-z]+(_[a-z]+)+\b", r"\bxiangyue(\.plugins| db upgrade)", r"\bPython\b",
    "《App违法违规收集使用个人信息行为认定方法》", r"\{(village|level|serial)\}",
)  # fmt: skip
MOST_PAGES = 160


def local_links(html: str) -> list[str]:
    found = re.findall(r'href="(/[^"#]*)"', html)
    return [link.replace("&amp;", "&") for link in found if not link.startswith(("/static/", "/api/", "//"))]


def walk(client: FlaskClient, *starts: str) -> Iterator[tuple[str, Any]]:
    """Pages reached from some, one of each kind: numbers in an address make no other kind."""
    waiting, seen = list(starts), set()
    while waiting and len(seen) < MOST_PAGES:
        link = waiting.pop(0)
        kind = re.sub(r"\d+", "9", re.sub(r"=[^&]*", "=", link))
        if kind in seen:
            continue
        seen.add(kind)
        answer = client.get(link)
        if answer.mimetype == "text/html":
            yield link, answer
            waiting += local_links(answer.text)
        answer.close()


def faults(client: FlaskClient, *starts: str) -> str:
    """Wrong texts, one a line, each with a page that has it."""
    found: dict[str, str] = {}
    pages = 0
    for link, answer in walk(client, *starts):
        pages += 1
        for text in chinese_page_faults(answer.text, NAMES):
            found.setdefault(text, link)
    assert pages > 25
    return "\n".join(f"{link}: {text}" for text, link in found.items())


@pytest.fixture(scope="module")
def county(hanyin: County, tmp_path_factory: pytest.TempPathFactory) -> County:
    """Filled by the command line and by people: what each of them did stands in lists and in the trail."""
    roster = synthetic(hanyin, tmp_path_factory.mktemp("roster"), 6)
    done = import_roster(hanyin.runtime, hanyin.info, roster, source="民政办", purpose="核对底册")
    assert done.state == "committed"
    account = hanyin.account("county_admin", name="赵书记")
    with hanyin.uow() as uow:
        create_token_for(uow, account_id=account.id, name="表格", scopes=["*"], days=1)
        household = uow.session.scalars(select(Household).limit(1)).one()
    with hanyin.uow(hanyin.actor(HOUSEHOLD_EDIT)) as uow:
        household = edit_household(
            uow, household_id=household.id, version=household.version, changes={"custom": {"housing": "own"}}
        )
        close_household(uow, household_id=household.id, version=household.version, on=date(2025, 1, 2), reason="搬迁")
        set_award(uow, household_id=household.id + 1, key="safe_family", year=2024, awarded=True)
    return hanyin


def test_pages_of_a_county(county: County) -> None:
    assert faults(county.client("county_admin", name="钱主任"), "/", "/audit", "/jobs", "/households", "/persons") == ""


def test_pages_of_the_console(operator: County) -> None:
    assert faults(operator.client("operator_admin", name="李运营"), "/console/counties", "/audit") == ""


def test_error_pages(county: County) -> None:
    client = county.client("village", area=610921100200_000, name="孙村长")
    for address in ("/nothing", "/accounts", "/households/1/nothing", "/audit/export?since=x", "/households?mark=x"):
        assert chinese_page_faults(client.get(address, follow_redirects=True).text, NAMES) == [], address
    for address in ("/households/new", "/imports"):
        assert chinese_page_faults(client.post(address, data={}).text, NAMES) == [], address
