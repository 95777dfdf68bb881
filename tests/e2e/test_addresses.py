"""What stands in the address bar, and that what leads on from it follows it when a list was filtered in place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from tests.e2e.kit import register

from xiangyue.features.households.models import Person
from xiangyue.features.households.service_persons import edit_person
from xiangyue.testing.fixtures import County

ID_NUMBER = "610921198001310011"


def test_a_citizen_number_is_found_and_in_no_address(hanyin: County, sign_in: Callable[..., Any]) -> None:
    household = register(hanyin, "钟其昌")
    register(hanyin, "钟其盛")
    with hanyin.uow() as uow:
        person = uow.session.scalars(select(Person).where(Person.household_id == household.id)).one()
        edit_person(
            uow,
            keys=hanyin.runtime.tenant_keys(uow),
            person_id=person.id,
            version=person.version,
            changes={"id_number": ID_NUMBER},
            allow_synthetic=True,
        )
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/persons")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.locator("form.xy-filters input[name=q]").press_sequentially(ID_NUMBER, delay=20)
    page.wait_for_url(re.compile(r"/persons\?.*q=(~|%7E)[0-9a-f]{32}"))
    page.wait_for_selector("#persons tbody tr:only-child >> text=钟其昌")
    page.select_option("form.xy-filters select[name=away]", "no")
    page.wait_for_url(re.compile(r"away=no"))
    page.wait_for_selector("#persons tbody tr:only-child >> text=钟其昌")
    page.keyboard.press("Control+k")
    page.fill("#xy-find-q", ID_NUMBER)
    page.wait_for_selector("#xy-find-found >> text=钟其昌")
    page.press("#xy-find-q", "Enter")
    page.wait_for_url(re.compile(r"/search\?q=(~|%7E)[0-9a-f]{32}$"))
    page.wait_for_selector("#found >> text=钟其昌")
    assert addresses
    assert not [address for address in addresses if ID_NUMBER[:17] in address]


def test_the_area_switcher_and_the_language_keep_a_filter_set_in_place(
    hanyin: County, sign_in: Callable[..., Any]
) -> None:
    register(hanyin, "卢守信")
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/households")
    page.fill("form.xy-filters input[name=q]", "卢守信")
    page.wait_for_url(re.compile(r"[?&]q="))
    page.wait_for_selector("#households tbody tr:only-child >> text=卢守信")
    page.click(".xy-area summary")
    page.click(".xy-area-list a[data-code^='610921100']")
    page.wait_for_url(re.compile(r"area=610921100"))
    assert page.input_value("form.xy-filters input[name=q]") == "卢守信"
    page.fill("form.xy-filters input[name=q]", "卢守")
    page.wait_for_url(lambda url: url.endswith("%E5%8D%A2%E5%AE%88"))
    page.click("header .xy-language button")
    page.wait_for_selector("html[lang=en]")
    assert page.input_value("form.xy-filters input[name=q]") == "卢守"
