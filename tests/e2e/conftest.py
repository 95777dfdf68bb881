"""Helpers of the browser tests: sign in, check a page by axe, look for sideways scrolling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xiangyue.testing.fixtures import PASSWORD, County
from xiangyue.testing.live import LiveServer

AXE = Path(__file__).resolve().parents[2] / "core/xiangyue/web/frontend/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def sign_in(live: LiveServer, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """``sign_in(county, account, width=…, english=…)``: a page of a browser of its own, signed in by the form."""

    def go(county: County, account: Any, *, width: int = 1440, english: bool = False, path: str = "/") -> Any:
        page = new_page(width)
        page.goto(live.url(county.host, f"/sign-in?next={path}"))
        page.fill("input[name=login]", account.login)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url.split("?")[0] or "/code" in url)
        if english:
            page.locator("button[name=locale][value=en]:visible").first.click()
            page.wait_for_selector("html[lang=en]")
        return page

    return go


@pytest.fixture
def check_width() -> Callable[[Any], None]:
    """Fail when the page is wider than its window."""

    def check(page: Any) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"

    return check


@pytest.fixture
def check_page(check_width: Callable[[Any], None]) -> Callable[[Any], None]:
    """Fail on an axe finding (WCAG 2.2 AA) and on sideways scrolling."""

    def check(page: Any) -> None:
        # Added through the debugger, which the page's content security policy does not forbid.
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false}).then("
            "r => r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | ')))",
            TAGS,
        )
        assert found == [], f"{page.url}: {found}"
        check_width(page)

    return check


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failed browser test leaves pictures of its pages in .cache/e2e."""
    report = yield
    if report.when == "call" and report.failed and "browser" in getattr(item, "funcargs", {}):
        folder = Path(__file__).resolve().parents[2] / ".cache" / "e2e"
        folder.mkdir(parents=True, exist_ok=True)
        pages = [page for context in item.funcargs["browser"].contexts for page in context.pages]  # type: ignore[attr-defined]
        for number, page in enumerate(pages):
            page.screenshot(path=folder / f"{item.name}-{number}.png", full_page=True)
    return report
