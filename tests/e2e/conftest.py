"""Helpers of the browser tests: one instance for all, sign in, check a page by axe, look for sideways scrolling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from xiangyue.config import Settings
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import PASSWORD, County, module_database, runtime_on
from xiangyue.testing.live import LiveServer, serve, wait_for

AXE = Path(__file__).resolve().parents[2] / "core/xiangyue/web/frontend/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

#: The database behind the instance that all modules share, and the instance's name in Redis.
SHARED = "shared_live"


@pytest.fixture(scope="module")
def runtime(provisioned: Settings, pg_server: Any, request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """On the shared instance's database, made anew for each module; on its own where a module says OWN_PROCESSES."""
    if getattr(request.module, "OWN_PROCESSES", False):
        with runtime_on(module_database(request.module.__name__), provisioned, pg_server) as made:
            yield made
        return
    # The instance runs on: to it the database was away for a moment. Counties have the same numbers again.
    pg_server.drop_database(SHARED)
    with runtime_on(SHARED, provisioned, pg_server) as made:
        # Messages, limits and counts of the module before.
        for key in list(made.redis.scan_iter(f"*{SHARED}*")):
            made.redis.delete(key)
        yield made
        wait_for(lambda: not _running(made), what="the end of the jobs that run")


def _running(runtime: Runtime) -> bool:
    # As the owner, who sees the jobs of all counties.
    with psycopg.connect(runtime.settings.migration_database_url) as connection:
        return connection.execute("SELECT FROM job WHERE state = 'running'").fetchone() is not None


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Runtime], LiveServer]]:
    """``serving(runtime)``: the instance, started at the first call, ready on the runtime's database at each."""
    running: list[LiveServer] = []
    with ExitStack() as stack:

        def go(runtime: Runtime) -> LiveServer:
            if not running:
                log = tmp_path_factory.mktemp("live") / "processes.log"
                running.append(stack.enter_context(serve(runtime, log)))
            wait_for(running[0].answers, what="the live server")
            return running[0]

        yield go


@pytest.fixture(scope="module")
def live(runtime: Runtime, serving: Callable[[Runtime], LiveServer]) -> LiveServer:
    """The shared instance: one web worker, one job worker, the scheduler."""
    return serving(runtime)


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


#: Texts that stand one character or two a line: Chinese may break anywhere, so nothing keeps their box wide. Not those
#: of tables, whose columns are the reader's choice.
SQUEEZED = """() => [...document.querySelectorAll('main :not(td, td *)')].filter(e => {
  const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
  const box = e.getBoundingClientRect();
  return own.length > 5 && box.width > 0 && box.width < 56 && box.height > 70;
}).map(e => e.textContent.trim().slice(0, 40))"""

#: Cells of cards (rows on a phone) of which a part begins farther left than the first, under the label, or is cut off.
ASTRAY = """() => [...document.querySelectorAll('main td[data-label]')].filter(cell => {
  if (getComputedStyle(cell).display === 'table-cell') return false;
  const boxes = [...cell.childNodes].flatMap(node => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return node.nodeType === 1 ? [node.getBoundingClientRect()] : [...range.getClientRects()];
  }).filter(box => box.width > 0);
  const right = cell.getBoundingClientRect().right;
  return boxes.some(box => box.left < boxes[0].left - 1 || box.right > right + 1);
}).map(cell => cell.dataset.label + ': ' + cell.textContent.trim().slice(0, 40))"""


@pytest.fixture
def check_width() -> Callable[[Any], None]:
    """Fail on sideways scrolling, on a text squeezed into a column, and on a value under its label or cut off."""

    def check(page: Any) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"
        assert page.evaluate(SQUEEZED) == [], page.url
        assert page.evaluate(ASTRAY) == [], page.url

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
