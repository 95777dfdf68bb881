"""Colours follow what they rest on: changes of households and members, rosters, and the plugin's own switch."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import xlsxwriter
from contact321_kit import (
    OTHER_VILLAGE,
    SAFE,
    SIX,
    YEAR,
    Home,
    client_with,
    colours,
    compute,
    empty,
    entries,
    fill,
    home_of,
    page_text,
    row_of,
    rows,
    switch,
)
from sqlalchemy import select

from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import (
    AREA_VIEW,
    HOUSEHOLD_EDIT,
    HOUSEHOLD_VIEW,
    SENSITIVE_VIEW,
    HouseholdAward,
    Person,
    set_award,
    set_income,
)
from xiangyue.sdk.testing import County
from xiangyue_contact321 import policy, service

ALL, NONE = (True, True, True), (False, False, None)
PAIR: dict[str, Home] = {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())}
RIGHTS = (AREA_VIEW, HOUSEHOLD_VIEW, HOUSEHOLD_EDIT, SENSITIVE_VIEW, "mark.sensitive.edit", "import.run", "area.edit")
Call = Callable[..., Any]


@pytest.fixture(name="county")
def switched_on(hanyin: County) -> Iterator[County]:
    switch(hanyin)
    hanyin.run_jobs()
    yield hanyin
    empty(hanyin)


@pytest.fixture
def pair(county: County) -> County:
    fill(county, PAIR)
    compute(county)
    assert colours(county) == {"富": "green", "贫": "yellow"}
    return county


@pytest.fixture
def call(county: County) -> Call:
    """A call of the core's API that must succeed, and the jobs that follow it; returns its answer."""
    headers, client = county.bearer(county.account_with(*RIGHTS)), county.client()

    def make(method: str, path: str, body: Any = None, *, version: int | None = None, **options: Any) -> Any:
        match = {} if version is None else {"If-Match": f'"{version}"'}
        given = {"json": body} if body is not None else options
        answer = client.open(f"/api/v1{path}", method=method, headers={**headers, **match}, **given)
        assert answer.status_code < 300, (path, answer.status_code, answer.get_data(as_text=True))
        county.run_jobs()
        return answer.get_json()

    return make


def person_of(county: County, head: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Person.id).where(Person.household_id == home_of(county, head))).one()


def test_an_income_moves_the_whole_village(pair: County) -> None:
    with pair.uow() as uow:
        set_income(uow, household_id=home_of(pair, "贫"), year=YEAR, amount=90_000)
    assert "classification.compute" not in pair.run_jobs()
    assert colours(pair) == {"富": "open_below", "贫": "open_above"}
    assert row_of(pair, "富").inputs["mean"] == 60_000


def test_an_award_moves_the_whole_village(pair: County) -> None:
    with pair.uow() as uow:
        set_award(uow, household_id=home_of(pair, "贫"), key=SAFE, year=YEAR, awarded=True)
    pair.run_jobs()
    assert colours(pair) == {"富": "green", "贫": "open_below"}


def test_a_mark_makes_red_and_its_end_takes_it_away(pair: County, call: Call) -> None:
    before = row_of(pair, "贫").version
    mark = call("POST", f"/persons/{person_of(pair, '富')}/marks", {"mark": "disabled"})
    assert colours(pair)["富"] == "red"
    call("POST", f"/marks/{mark['id']}/end", {})
    assert colours(pair)["富"] == "green"
    assert row_of(pair, "贫").version == before


def test_told_again_or_of_nobody_it_writes_nothing(pair: County) -> None:
    with pair.uow() as uow:
        set_income(uow, household_id=home_of(pair, "贫"), year=YEAR, amount=11_000)
    pair.run_jobs()
    before = rows(pair)
    for household, action in ((home_of(pair, "贫"), "household.income"), (10**9, "mark.add")):
        with pair.uow() as uow:
            service.follow_change(uow, household_id=household, action=action)
    assert rows(pair) == before


def test_a_new_note_computes_nothing(pair: County, call: Call) -> None:
    computed = len(entries(pair, "classification.compute"))
    call("PATCH", f"/households/{home_of(pair, '贫')}", {"note": "屋顶已修"}, version=1)
    assert len(entries(pair, "classification.compute")) == computed


def test_a_household_that_moves_is_compared_with_its_new_village(pair: County, call: Call) -> None:
    fill(pair, {"邻": (90_000, NONE, ())}, area=OTHER_VILLAGE)
    call("PATCH", f"/households/{home_of(pair, '富')}", {"area_code": OTHER_VILLAGE}, version=1)
    assert (colours(pair)["富"], row_of(pair, "富").inputs["mean"]) == ("open_below", 60_000)


def test_a_household_that_closed_counts_no_more(pair: County, call: Call) -> None:
    closing = {"on": today().isoformat(), "reason": "迁走"}
    call("POST", f"/households/{home_of(pair, '富')}/close", closing, version=1)
    assert colours(pair) == {"贫": "open_above"}


def test_members_who_leave_take_their_marks_along(pair: County, call: Call) -> None:
    person = person_of(pair, "富")
    call("POST", f"/persons/{person}/marks", {"mark": "disabled"})
    assert colours(pair)["富"] == "red"
    home = row_of(pair, "富").household_id
    call("POST", f"/persons/{person}/left", {"state": "deceased", "on": today().isoformat()}, version=1)
    assert {row.proposed for row in rows(pair).values() if row.household_id == home} == {"green"}


def test_switched_on_the_county_is_computed(hanyin: County) -> None:
    fill(hanyin, SIX)
    switch(hanyin)
    assert hanyin.run_jobs() == ["plugin.event", "classification.compute"]
    assert len(colours(hanyin)) == 6
    reader = client_with(hanyin, "audit.view", "job.view")
    trail = page_text(reader, "/audit?action=contact321.recompute")
    assert "启用了插件" in trail
    assert f"{policy.COLOUR}<" not in trail, "the rule's name, not its key"
    assert "三色户（321 联系机制）" in page_text(reader, "/jobs"), "a job that a plugin began"
    switch(hanyin, False)
    hanyin.run_jobs()
    assert len(colours(hanyin)) == 6  # kept
    empty(hanyin)


def test_a_roster_taken_in_while_the_county_is_computed_is_not_left_out(pair: County) -> None:
    with pair.uow() as uow:
        service.recompute_all(uow, batch=1)
        service.recompute_all(uow, batch=2)
    assert pair.run_jobs() == ["classification.compute"]
    assert [entry["batch"] for entry in entries(pair, "contact321.recompute")[-2:]] == [1, 2]
    assert policy.ACTIONS.keys() == {"contact321.awards", "contact321.recompute"}


AWARDS = ["平安家庭年度", "平安家庭", "前一年平安家庭", "平安家庭前第二年"]
#: Headings of the core's roster, with a value that fits everybody here.
COMMON: dict[str, Any] = {
    "镇": "城关镇", "村": "东南村", "组": "一组", "户编号": "", "与户主关系": "户主", "姓名": "", "性别": "男",
    "出生日期": "1980-01-01", "住址": "一组", "外出": "否", "户年收入(元)": 20_000, "收入年度": YEAR,
}  # fmt: skip


def roster(*households: tuple[str, int | None, Any, Any, Any, Any]) -> bytes:
    """(name, income, year of the award, won it in that year, the year before, the second before) of each."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [*COMMON, *AWARDS])
    for number, (name, income, *awards) in enumerate(households, 1):
        row = {**COMMON, "户编号": f"{number:04}", "姓名": name, "户年收入(元)": income or 20_000}
        for position, value in enumerate([*row.values(), *awards]):
            if value is not None:
                sheet.write(number, position, value)
    book.close()
    return stream.getvalue()


def upload(call: Call, data: bytes) -> dict[str, Any]:
    form = {"file": (io.BytesIO(data), "花名册.xlsx"), "source": "村级台账", "purpose": "建立户档"}
    batch = call("POST", "/imports", data=form, content_type="multipart/form-data")["id"]
    found: dict[str, Any] = call("GET", f"/imports/{batch}")
    return found


def test_a_roster_brings_awards_and_income_and_colours_follow(county: County, call: Call) -> None:
    data = roster(
        ("王富", 30_000, None, "是", "是", "√"),
        ("李贫", 10_000, YEAR, "否", "否", None),
        ("赵缺", 10_000, None, None, None, None),
        ("孙旧", 30_000, YEAR - 1, "是", None, None),
    )
    batch = upload(call, data)
    call("POST", f"/imports/{batch['id']}/commit", {}, version=batch["version"])
    assert call("GET", f"/imports/{batch['id']}")["state"] == "committed"
    assert colours(county) == {"王富": "green", "李贫": "yellow", "赵缺": "no_awards", "孙旧": "no_awards"}
    with county.uow() as uow:
        awards = uow.session.scalars(select(HouseholdAward)).all()
        old = [a for a in awards if a.household_id == home_of(county, "孙旧")]
    assert [(a.year, a.awarded, a.source, a.award_key) for a in old] == [(YEAR - 1, True, "花名册", SAFE)]
    assert len(awards) == 6
    written = entries(county, "contact321.awards")
    assert [(entry["rows"], entry["changed"]) for entry in written] == [(3, 3), (2, 2), (1, 1)]


def test_a_cell_that_is_neither_yes_nor_no_is_named(county: County, call: Call) -> None:
    batch = upload(call, roster(("王富", None, None, "也许", None, None), ("李贫", None, "去年", "是", None, None)))
    found = call("GET", f"/imports/{batch['id']}/errors")["items"]
    assert {(e["row"], e["column"]) for e in found} == {(2, "contact321_award_0"), (3, "contact321_award_year")}
    assert {e["column_label"] for e in found} == {"平安家庭", "平安家庭年度"}
