"""Files of several sheets and with one row for each household: chosen, matched, named in errors, written."""

from __future__ import annotations

import io

import openpyxl
from sqlalchemy import select
from tests.corpus.case import HEAD, HEADER, OTHER, WIFE, changed
from tests.corpus.formats import xlsx
from tests.integration.imports_kit import batch_of, checked, commit, empty
from tests.integration.test_imports_pages import act, html, token, uploaded, work
from tests.integration.test_imports_repair import mend

from xiangyue.features.households.models import Household, Person
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

_TWO = xlsx([HEADER, HEAD, WIFE], None, 茨沟村=[["二"], HEADER, changed(OTHER, phone="12", id_number=HEAD[5])])
_WIDE = ["镇", "村", "户编号", "住址", "户主姓名", "户主身份证号", "成员1姓名", "成员1身份证号", "成员1与户主关系"]
_HOME = [*HEAD[:3], "三组17号", *HEAD[4:6], "陈试二", WIFE[5], "妻"]


def test_sheets_are_chosen_on_the_page_and_named_in_errors(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, _TWO)
    found = work(hanyin, batch_id)
    assert (found.state, found.counts["rows"], found.counts["errors"]) == ("checked", 3, 2)
    page = html(client, f"/imports/{batch_id}")
    assert "第 茨沟村!3 行" in page
    assert "已在第 2 行出现" not in page
    assert "Sheet!2" in page  # the citizen number's first row
    assert "已读取 2 个工作表" in page
    with client.get(f"/imports/{batch_id}/errors.xlsx") as answer:
        cells = list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    assert "茨沟村!3" in str(cells[1])

    columns = html(client, f"/imports/{batch_id}/columns")
    assert 'name="sheet" value="茨沟村"' in columns
    assert 'name="column_100000"' in columns
    english = hanyin.client("county_admin", locale="en")
    assert english_page_faults(html(english, f"/imports/{batch_id}/columns")) == []
    assert english_page_faults(html(english, f"/imports/{batch_id}")) == []

    chosen = {f"column_{place + start}": key for start in (0, 100_000) for place, key in enumerate(_KEYS)}
    form = {"csrf_token": token(client), "version": found.version, "several": "1", **chosen}
    nothing = client.post(f"/imports/{batch_id}/columns", data=form)
    assert (nothing.status_code, "请至少选择一个要读取的工作表。" in nothing.text) == (422, True)
    act(client, batch_id, "columns", version=found.version, several="1", sheet="Sheet", **chosen)
    found = work(hanyin, batch_id)
    assert (found.state, found.counts["rows"], found.counts["errors"]) == ("checked", 2, 0)
    assert "工作表“茨沟村”也是花名册，没有读取" in html(client, f"/imports/{batch_id}")


_KEYS = ("town", "village", "household_no", "relation", "name", "id_number", "phone")


def test_the_api_says_and_takes_which_sheets_are_read(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    client, headers = hanyin.client(), hanyin.bearer(account)
    batch = checked(hanyin, _TWO)
    url = f"/api/v1/imports/{batch.id}"
    answer = client.get(f"{url}/columns", headers=headers)
    assert answer.json["sheets"] == [
        {"name": "Sheet", "read": True, "members": None},
        {"name": "茨沟村", "read": True, "members": None},
    ]
    items = answer.json["items"]
    assert [(item["position"], item["sheet"]) for item in items][6:8] == [(6, "Sheet"), (100_000, "茨沟村")]
    errors = client.get(f"{url}/errors", headers=headers).json["items"]
    assert [(error["row"], error["place"]) for error in errors] == [(3, "茨沟村!3"), (3, "茨沟村!3")]
    change = {"targets": {str(item["position"]): item["target"] for item in items}, "sheets": ["茨沟村"]}
    answer = client.post(f"{url}/columns", json=change, headers={**headers, "If-Match": answer.headers["ETag"]})
    assert answer.status_code == 202
    found = work(hanyin, batch.id)
    assert (found.header["sheet"], found.counts["rows"]) == ("茨沟村", 1)


def test_a_row_for_each_household_becomes_households_and_persons(hanyin: County) -> None:
    empty(hanyin)
    batch = checked(hanyin, xlsx([_WIDE, _HOME]))
    assert (batch.state, batch.counts["errors"], batch.counts["rows"]) == ("checked", 0, 2)
    assert batch.header["sheets"][0]["members"] == 1
    page = html(hanyin.client("county_admin"), f"/imports/{batch.id}")
    assert "每行是一户及其成员" in page
    commit(hanyin, batch)
    assert batch_of(hanyin, batch.id).state == "committed"
    with hanyin.uow() as uow:
        home = uow.session.scalars(select(Household)).one()
        assert (home.head_name, home.address, home.person_count) == ("王试一", "三组17号", 2)
        people = uow.session.execute(select(Person.name, Person.relation).order_by(Person.relation)).all()
        assert [tuple(row) for row in people] == [("王试一", "02"), ("陈试二", "12")]
    # The same file once more changes nothing.
    again = checked(hanyin, xlsx([_WIDE, _HOME]))
    assert (again.counts["households_unchanged"], again.counts["persons_unchanged"]) == (1, 2)


def test_members_below_their_head_are_of_his_household_and_without_one_hold_it_back(hanyin: County) -> None:
    empty(hanyin)
    son = ["", "", "", "长子", "王试三", "610921200301011218", ""]
    lost = ["", "", "", "次子", "王试五", "610921200501011217", ""]
    batch = checked(hanyin, xlsx([HEADER, OTHER, HEAD, ["", "", "", *WIFE[3:]], son, [], lost]))
    counts = batch.counts
    assert (counts["rows"], counts["errors"], counts["households"], counts["valid_households"]) == (5, 3, 2, 1)
    page = html(hanyin.client("county_admin"), f"/imports/{batch.id}")
    assert "2 行未写镇、村或户编号" in page
    for column, value in zip(("town", "village", "household_no"), HEAD, strict=False):
        mend(hanyin, batch.id, 7, column, value)
    counts = batch_of(hanyin, batch.id).counts
    assert (counts["errors"], counts["households"], counts["valid_households"]) == (0, 2, 2)
    commit(hanyin, batch_of(hanyin, batch.id))
    with hanyin.uow() as uow:
        homes = dict(uow.session.execute(select(Household.head_name, Household.person_count)).all())
        assert homes == {"王试一": 4, "李试三": 1}
