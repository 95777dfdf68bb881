"""The register in a browser: a split from its form over the history to its undo; two taps and what the village says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from tests.e2e.kit import VILLAGE, register, standing

from xiangyue.features.households.models import Person, RegisterAct
from xiangyue.testing.fixtures import County


def person(county: County, household_id: int, name: str) -> int:
    with county.uow() as uow:
        found = select(Person.id).where(Person.household_id == household_id, Person.name == name)
        return int(uow.session.scalars(found).one())


def acts(county: County, household_id: int) -> list[RegisterAct]:
    with county.uow() as uow:
        found = select(RegisterAct).where(RegisterAct.household_id == household_id).order_by(RegisterAct.id)
        return list(uow.session.scalars(found))


@pytest.mark.parametrize("width", [360, 1440])
def test_a_household_is_split_and_the_split_undone(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    household = register(hanyin, "王德福", "王小明", "王小红")
    page = sign_in(hanyin, hanyin.account("village", area=VILLAGE), width=width, path=f"/households/{household.id}")
    check_page(page)
    page.click("summary:has-text('办理变动')")
    page.click("a.dropdown-item:has-text('分户')")
    page.wait_for_selector("#form")
    # Nobody chosen: the form says so and keeps what was typed.
    page.fill("[name=address]", "新居二号")
    page.click("#form button.btn-primary")
    page.wait_for_selector(".xy-summary")
    assert page.input_value("[name=address]") == "新居二号"
    check_page(page)
    page.check(f"[name=persons][value='{person(hanyin, household.id, '王小明')}']")
    page.check(f"[name=person_id][value='{person(hanyin, household.id, '王小明')}']")
    page.fill("[name=reason]", "成家另过")
    page.click("#form button.btn-primary")
    page.wait_for_url(f"**/households/{household.id}")
    (act,) = acts(hanyin, household.id)
    assert act.other_household_id is not None
    assert standing(hanyin, act.other_household_id).address == "新居二号"
    assert "成家另过" in page.inner_text("#acts")
    assert "王小明" not in page.inner_text("#members")

    page.click("#acts a:has-text('撤销')")
    page.wait_for_selector("#undo")
    assert "王小明" in page.inner_text("#undo")
    check_page(page)
    page.click("#undo button[type=submit]")
    assert page.evaluate("document.activeElement.name") == "reason"
    assert not page.is_visible("#xy-confirm")
    page.fill("#undo [name=reason]", "办错了")
    page.click("#undo button[type=submit]")
    page.click("#xy-confirm [value=yes]")
    page.wait_for_selector("text=办错了")
    page.goto(page.url.split("/register/")[0] + f"/households/{household.id}")
    assert "王小明" in page.inner_text("#members")
    assert acts(hanyin, household.id)[0].state == "undone"


def test_what_the_form_of_an_act_answers_counts_more_than_the_browsers_draft(
    hanyin: County, sign_in: Callable[..., Any]
) -> None:
    household, other = register(hanyin, "赵德贵", "赵桂兰"), register(hanyin, "钱满仓")
    old, wife = person(hanyin, household.id, "赵德贵"), person(hanyin, household.id, "赵桂兰")
    form = f"/households/{household.id}/acts/head_change"
    page = sign_in(hanyin, hanyin.account("village", area=VILLAGE), path=form)
    page.check(f"[name=person_id][value='{wife}']")
    page.fill("[name=reason]", "年老")
    page.wait_for_selector("[data-draft-note]:not([hidden])")
    page.click("#form .xy-form-actions button.btn-primary")
    page.wait_for_selector(".xy-alert-info:has-text('请核对推荐的与新户主关系')")
    assert page.input_value(f"[name='relations.{old}']") == "11"
    assert page.locator(".xy-toast").count() == 0
    # Left and come back to: the draft says for whom they were suggested, and another head has others.
    page.goto(page.url)
    assert page.input_value(f"[name='relations.{old}']") == "11"
    assert page.input_value("[name=suggested_for]") == str(wife)
    page.click("#form .xy-form-actions button.btn-primary")
    page.wait_for_url(f"**/households/{household.id}")
    with hanyin.uow() as uow:
        assert (uow.get(Person, old).relation, uow.get(Person, wife).relation) == ("11", "02")

    page.goto(page.url + "/acts/merge")
    page.fill("#form [name=q]", "钱满仓")
    page.check(f"[name=other_household_id][value='{other.id}']")
    page.click("button:has-text('预览并户内容')")
    page.wait_for_selector("text=没有未办完的事")
    assert page.locator(".xy-toast").count() == 0
    assert page.is_checked(f"[name=other_household_id][value='{other.id}']")


def test_two_taps_report_and_the_village_confirms(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    long = "阿卜杜热合曼·" * 3 + "阿卜杜热合曼"
    household = register(hanyin, "李长青", "李小燕", long)
    home = f"/households/{household.id}"
    leader = sign_in(hanyin, hanyin.account("grid_leader", area=VILLAGE), width=360, path=home)
    check_page(leader)
    leader.click("[data-dialog-open=tap-leave]")
    leader.wait_for_selector("#tap-leave[open]")
    check_page(leader)
    # Enter, or Go on a phone, says of nobody that he or she left.
    leader.fill("#tap-leave [name=reason]", "去西安务工")
    leader.press("#tap-leave [name=reason]", "Enter")
    leader.press("#tap-leave [name=on]", "Enter")
    leader.wait_for_timeout(500)
    assert leader.is_visible("#tap-leave[open]")
    assert acts(hanyin, household.id) == []
    # What happened stands whole, also beside a name that takes three lines.
    assert leader.locator(f"#tap-leave button:has-text('{long}') span.text-nowrap").bounding_box()["height"] < 30
    # Without a network the sheet says so, over itself.
    leader.context.set_offline(True)
    leader.click("#tap-leave button[name=person_id]:has-text('李小燕')")
    seen = (
        "e => { const b = e.getBoundingClientRect(); return e.contains(document.elementFromPoint(b.x + 9, b.y + 9)) }"
    )
    assert leader.locator(".xy-toast:has-text('没有网络，未提交')").evaluate(seen)
    leader.context.set_offline(False)
    leader.click("#tap-leave button[name=person_id]:has-text('李小燕')")
    leader.wait_for_selector(".xy-alert-warning:has-text('李小燕')")
    check_page(leader)
    english = """taps => { document.documentElement.lang = 'en'; taps.append(taps.lastElementChild.cloneNode(true));
      return [...taps.querySelectorAll('span')].map(span => { span.textContent = 'Returned';
        const text = document.createRange(); text.selectNodeContents(span); return text.getClientRects().length; }) }"""
    assert leader.eval_on_selector(".xy-taps", english) == [1, 1, 1, 1]
    leader.screenshot(path="/tmp/a-taps.png")
    leader.reload()
    (act,) = acts(hanyin, household.id)
    assert (act.kind, act.state) == ("leave", "reported")

    village = sign_in(hanyin, hanyin.account("village", area=VILLAGE), width=360, path="/")
    village.click("a:has-text('确认') >> nth=0")
    village.wait_for_selector("#confirm-card")
    check_page(village)
    village.click("#confirm-card button[type=submit]")
    village.wait_for_selector("#undo")
    assert acts(hanyin, household.id)[0].state == "done"
    leader.goto(leader.url)
    assert "外出" in leader.inner_text("#members")
    leader.goto(leader.url.split("/households/")[0] + "/register/reports?mine=yes")
    assert "李小燕" in leader.inner_text("#reports")
    check_page(leader)
