"""Classifications in a browser: pages on a phone and on a desk, a decision from the list to what is in force."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.integration.classifications_kit import (
    EVERY_RIGHT,
    account_with,
    computed_county,  # noqa: F401 - a fixture
    home_of,
    put_in_force,
    row_of,
)
from werkzeug.serving import make_server

from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

#: The application is that of this process.
OWN_PROCESSES = True
PHONE, DESK = (360, 740), (1440, 900)


@pytest.fixture
def address(app: Any) -> Iterator[Callable[[County, str], str]]:
    """The application of this process, served: the classifier is planted here and in no other process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield lambda county, path: f"http://{county.host}:{server.port}{path}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_as(address: Callable[[County, str], str], new_page: Callable[..., Any]) -> Callable[..., Any]:
    """A signed-in page of somebody with every right of the test's rule."""

    def go(county: County, locale: str = "zh") -> Any:
        account = account_with(county, *EVERY_RIGHT, AREA_VIEW, COCKPIT_VIEW, locale=locale)
        client: FlaskClient = county.client(account)
        name = f"xy_session_{county.runtime.settings.cookie_suffix}"
        cookie = client.get_cookie(name, domain=county.host)
        assert cookie is not None
        page = new_page(PHONE[0])
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": address(county, "/")}])
        return page

    return go


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_pages_fit_and_are_accessible(
    county: County,
    address: Callable[[County, str], str],
    open_as: Callable[..., Any],
    check_page: Callable[[Any], None],
    locale: str,
) -> None:
    put_in_force(county, "富有", "yellow", note="村民代表会议议定,收入为一次性补偿")
    page = open_as(county, locale)
    paths = [
        "/classifications?area=all",
        "/classifications?area=all&cols=name,classifier,standing,state,waits,proposed,grounds,due,computed,version",
        "/classifications?area=all&state=lapsed",
        f"/classifications/{row_of(county, '富有').id}",
        f"/classifications/{row_of(county, '患病').id}",
        "/classifications/export?area=all",
        f"/households/{home_of(county, '富有')}",
        "/households?area=all&cols=name,classification&classification=shade.colour:open",
        "/cockpit?area=all",
        "/?area=all",
    ]
    for path in paths:
        for width, height in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(address(county, path))
            check_page(page)
        if locale == "en":
            assert english_page_faults(page.content()) == [], path


def test_a_decision_on_the_phone(
    county: County, address: Callable[[County, str], str], open_as: Callable[..., Any]
) -> None:
    page = open_as(county)
    page.goto(address(county, "/?area=all"))
    page.get_by_text("6 户等待").or_(page.get_by_text("8 户等待")).first.click()
    page.get_by_text("两难").first.click()
    page.locator("label", has_text="Yellow").click()
    page.locator("textarea[name=note]").fill("村民代表会议议定")
    page.get_by_role("button", name="确认", exact=True).click()
    page.get_by_text("已确认").first.wait_for()
    # Step two is offered what step one agreed on.
    page.get_by_role("button", name="确认", exact=True).click()
    page.get_by_text("重新认定前仍然有效").wait_for()
    assert row_of(county, "两难").state == "in_force"
    assert page.get_by_text("村民代表会议议定").first.is_visible()
