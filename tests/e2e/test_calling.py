"""Scenario 10 in a browser: a storm evacuation reaches ten heads, nine confirm; the village sees the tenth head's
households, old people living alone first. A roll call cannot be sent, and there is no ranking of who answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select

from xiangyue.access.models import Account
from xiangyue.features.callouts import queries, service
from xiangyue.features.callouts.models import Callout, CalloutAnswer, CalloutGroup, CalloutHousehold
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.models import Grid, GridChange, GridCode, GridHousehold, GridSizeNote, GridVersion
from xiangyue.features.household_groups import service as groups
from xiangyue.features.household_groups import service_heads
from xiangyue.features.household_groups.models import (
    HouseholdGroup,
    HouseholdGroupChange,
    HouseholdGroupHead,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, NameSuffix, Person
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

#: Yanping of Hanyin's town Xuanwo.
VILLAGE = 610921107202_000
TABLES = (
    CalloutAnswer, CalloutHousehold, CalloutGroup, Callout, HouseholdGroupHead, HouseholdGroupMember,
    HouseholdGroupVersion, HouseholdGroup, HouseholdGroupChange, GridSizeNote, GridHousehold, GridVersion, GridCode,
    Grid, GridChange, NameSuffix, Person, Household,
)  # fmt: skip


@pytest.fixture(autouse=True)
def undone(hanyin: County) -> Iterator[None]:
    yield
    with hanyin.uow() as uow:
        for model in TABLES:
            uow.session.execute(delete(model))


def ten_groups(county: County, head: Account) -> None:
    """Ten groups of ten; the head of the tenth signs in. In it, number 0096 is an old man who lives alone."""
    with county.uow() as uow:
        couple: list[Any] = [{"name": "张甲", "relation": "02", "birth_date": date(1980, 1, 31)},
                             {"name": "王乙", "relation": "10", "birth_date": date(1981, 1, 31)}]  # fmt: skip
        alone: list[Any] = [{"name": "李老汉", "relation": "02", "birth_date": date(1940, 1, 31)}]
        rows = [HouseholdRow(VILLAGE, f"{VILLAGE // 1000}{n:04}", f"{n}号", alone if n == 96 else couple)
                for n in range(1, 101)]  # fmt: skip
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)
        ids = list(
            uow.session.scalars(select(Household.id).where(Household.area_code == VILLAGE).order_by(Household.code))
        )
        change = grids.create_grid(uow, area_code=VILLAGE, name="堰坪", level=2, on=today(), household_ids=ids,
                                   size_reason="x")  # fmt: skip
        parts = [{"name": f"第{n + 1:02}组", "household_ids": ids[n * 10 : n * 10 + 10]} for n in range(10)]
        made = groups.create_groups(uow, grid_id=change.changes["made"][0], on=today(), parts=parts)
        login = uow.session.scalars(select(Account.login).where(Account.id == head.id)).one()
        for n, group in enumerate(made.rows["groups"]):
            person = uow.session.scalars(select(Person.id).where(Person.household_id == ids[n * 10])).first()
            assert person is not None
            service_heads.name_head(uow, group_id=group, person_id=person, valid_from=today(),
                                    login=login if n == 9 else "")  # fmt: skip


def test_scenario_ten(hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]) -> None:
    head = hanyin.account("grid_leader", area=VILLAGE)
    ten_groups(hanyin, head)
    village = sign_in(hanyin, hanyin.account("village", area=VILLAGE), width=1440, path="/calls/new")
    check_page(village)
    kinds = village.locator("[name=kind] option").all_inner_texts()
    assert not [kind for kind in kinds if "点名" in kind or "会议" in kind]
    village.select_option("[name=kind]", "evacuation")
    village.fill("[name=message]", "各组点名")
    village.click("#form button.btn-primary")
    assert "不用来查人在不在" in village.inner_text("main")  # refused, and what was typed is still there
    village.fill("[name=message]", "暴雨红色预警，请立即转移到村小学")
    village.click("#form button.btn-primary")
    village.wait_for_selector("#live")
    check_page(village)
    with hanyin.uow() as uow:
        call = uow.session.scalars(select(Callout.id)).one()
        parts = sorted(queries.groups_of_call(uow, call), key=lambda row: row["name"])
        for part in parts[:9]:
            service.answer(uow, callout_group_id=part["id"], client_id=uuid.uuid4(), states={}, rest="reached")
    village.reload()
    cards = village.locator("#live [id^=group-]")
    assert "第10组" in cards.nth(0).inner_text()
    rows = cards.nth(0).locator("li").all_inner_texts()
    assert len(rows) == 10
    assert "李老汉" in rows[0]
    assert "独居老人" in rows[0]
    assert [cards.nth(n).inner_text()[:4] for n in range(1, 4)] == [
        "第01组",
        "第02组",
        "第03组",
    ]  # by name, not by speed
    phone = sign_in(hanyin, head, width=360, path="/")
    phone.click("main a[href*='/calls/groups/'] >> nth=0")
    phone.wait_for_selector("#answers")
    check_page(phone)
    phone.context.set_offline(True)
    phone.click("[data-keep-sending] button[name=all]")
    phone.wait_for_selector(".xy-unsent:not([hidden])")
    context, address = phone.context, phone.url
    phone.close()  # and it is sent by itself when a page of the same account opens again
    context.set_offline(False)
    phone = context.new_page()
    with phone.expect_response("**/answers"):
        phone.goto(address.partition("/calls")[0])
    phone.goto(address)
    phone.wait_for_selector("#answers:not(:has(button[name=all]))")
    context.set_offline(True)
    phone.click("#answers [value=help] >> nth=0")
    phone.wait_for_selector(".xy-unsent:not([hidden])")
    phone.close()
    context.set_offline(False)
    phone, held = context.new_page(), []
    phone.route("**/answers", lambda route: held.append(route))
    with phone.expect_request("**/answers"):
        phone.goto(address)
    # It is on its way, so nothing says that it is unsent.
    assert phone.locator(".xy-unsent").is_hidden()
    held[0].continue_()
    phone.wait_for_selector("#answers button.btn-primary[value=help]")
    check_page(phone)
    # Two taps of a household: the first arrives as the second fails, which is then sent by itself all the same.
    phone.unroute("**/answers")
    held.clear()
    phone.route("**/answers", lambda route: held.append(route) if len(held) < 2 else route.continue_())
    for state in ("reached", "help"):
        with phone.expect_request("**/answers"):
            phone.click(f"#answers [value={state}] >> nth=1")
    held[1].abort()
    phone.wait_for_selector(".xy-unsent:not([hidden])")
    held[0].continue_()
    phone.wait_for_selector("#answers button.btn-primary[value=reached] >> nth=8")
    phone.wait_for_selector("#answers button.btn-primary[value=help] >> nth=1")
    village.wait_for_selector("#live:has-text('需要帮助')")  # by itself
    assert "10 / 10" in village.inner_text("#live") or "9 / 10" in village.inner_text("#live")
    village.fill("[name=note]", "全部转移")
    village.click("#end button.btn-primary")
    village.wait_for_selector("text=这次叫应已结束")
    check_page(village)
    with hanyin.uow() as uow:
        assert uow.get(Callout, call).summary["reached"] == 98
        assert len(uow.session.scalars(select(CalloutAnswer.id)).all()) == 13
