"""Two records of one person: from the list over the side-by-side page to one record, and back to two."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.kit import register

from xiangyue.features.duplicates.service import name_pair
from xiangyue.features.households.models import Person
from xiangyue.testing.fixtures import County


def person_of(county: County, household: int) -> int:
    with county.uow() as uow:
        found = uow.session.query(Person.id).filter(Person.household_id == household).one()
        return int(found[0])


@pytest.mark.parametrize("width", [360, 1440])
def test_a_merge_from_the_list_to_its_undo(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    names = ("葛天民", "葛天明") if width == 360 else ("邢一飞", "邢一非")
    ids = [person_of(hanyin, register(hanyin, name).id) for name in names]
    with hanyin.uow() as uow:
        name_pair(uow, kind="person", one=ids[0], other=ids[1])
    page = sign_in(hanyin, hanyin.account("county_admin", locale="en"), width=width, path="/duplicates?area=all")
    check_page(page)
    page.click(f"#duplicates a:has-text('{names[0]}')")
    page.wait_for_selector("h1:has-text('Are these one?')")
    check_page(page)
    assert page.locator("input[name=keep]").get_attribute("value") == "first"
    page.click("a:has-text('Keep this one instead')")
    page.wait_for_url(re.compile(r"keep=second"))
    page.check("input[name='take.name'][value=first]")
    page.click("button:has-text('Merge into one record')")
    page.wait_for_selector("text=Merged into one record")
    check_page(page)
    page.goto(page.url.split("/duplicates")[0] + f"/persons/{ids[0]}")
    page.wait_for_url(re.compile(rf"/persons/{ids[1]}$"))
    assert names[0] in page.inner_text("h1")
    page.go_back()
    page.click("button:has-text('Undo the merge')")
    page.locator("dialog[open] button.btn-primary, dialog[open] button.btn-danger").click()
    page.wait_for_selector("text=both records are as they were")
    with hanyin.uow() as uow:
        assert [uow.get(Person, id).name for id in ids] == list(names)
        assert [uow.get(Person, id).state for id in ids] == ["active", "active"]
