"""Pages of the register: forms of acts, two taps and what the village says to them, history and undo, lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import delete, event
from tests.integration import households_kit
from tests.integration.households_kit import OTHER_VILLAGE, VILLAGE, hidden, id_of, post, text

from xiangyue.features.households.bulk import upsert_households
from xiangyue.features.households.memberships import set_relation
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdAward,
    HouseholdIncome,
    HouseholdMember,
    NameSuffix,
    Person,
    PersonMark,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County


@pytest.fixture(name="county")
def filled_county(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), households_kit.roster(), source="2024年花名册")
    yield hanyin
    with hanyin.uow() as uow:
        models = (
            RegisterActPart, RegisterAct, CustomValue, HouseholdAward,
            HouseholdIncome, NameSuffix, PersonMark, HouseholdMember,
            Person, Household,
        )  # fmt: skip
        for model in models:
            uow.session.execute(delete(model))


def home(county: County, number: int = 1) -> int:
    return id_of(county, Household, code=f"610921100200{number:04}")


def one(county: County, name: str) -> int:
    return id_of(county, Person, name=name)


def acts(county: County) -> list[RegisterAct]:
    with county.uow() as uow:
        return list(uow.session.query(RegisterAct).order_by(RegisterAct.id))


def send(client: Any, id: int, kind: str, **fields: Any) -> Any:
    url = f"/households/{id}/acts/{kind}"
    return post(client, url, url, **{"on": today().isoformat(), **fields})


def test_a_split_through_form_and_history_to_its_undo(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    wrong = send(client, id, "split", registered="1", living="1", address="新居1号", reason="分家")
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert 'value="新居1号"' in page  # what was typed stays
    done = send(
        client,
        id,
        "split",
        persons=[wife],
        person_id=wife,
        registered="1",
        living="1",
        address="新居1号",
        reason="分家",
    )
    assert done.status_code == 303
    (act,) = acts(county)
    assert (act.kind, act.state, act.reason) == ("split", "done", "分家")
    old = text(client, f"/households/{id}")
    with county.uow() as uow:
        new_code = uow.get(Household, act.other_household_id).code
    assert f"新户的户号是 {new_code}。" in old
    assert f'href="/register/acts/{act.id}"' in old
    assert "分户" in old
    new = text(client, f"/households/{act.other_household_id}")
    assert "陈桂兰" in new
    assert "新居1号" in new
    # As it was the day before.
    then = text(client, f"/households/{id}?on={(today() - timedelta(days=1)).isoformat()}")
    assert "陈桂兰" in then
    assert "只能查看" in then
    assert "/edit" not in then
    detail = text(client, f"/register/acts/{act.id}")
    assert "撤销后恢复为" in detail
    # One word to the breadcrumb's flexible box, or it falls apart into columns.
    assert f'<a href="/households/{id}"><span>' in detail
    url = f"/register/acts/{act.id}"
    assert post(client, url, f"{url}/undo", version=str(act.version), reason="").status_code == 422
    assert post(client, url, f"{url}/undo", version=str(act.version), reason="办错了").status_code == 303
    assert acts(county)[0].state == "undone"
    assert "办错了" in text(client, f"/households/{id}")


def test_what_was_built_on_an_act_stands_on_its_page(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    assert send(client, id, "return", person_id=wife).status_code == 303
    assert (
        send(client, id, "head_change", person_id=wife, **{f"relations.{one(county, '王德福')}": "11"}).status_code
        == 303
    )
    first, second = acts(county)
    url = f"/register/acts/{first.id}"
    page = text(client, url)
    assert "不能再撤销" in page
    assert "变更户主" in page
    assert post(client, url, f"{url}/undo", version="1", reason="试试").status_code == 409
    later = f"/register/acts/{second.id}"
    assert post(client, later, f"{later}/undo", version="1", reason="先撤这项").status_code == 303
    assert post(client, url, f"{url}/undo", version="1", reason="再撤这项").status_code == 303


def test_relations_to_a_new_head_are_suggested_and_sent_once_more(county: County) -> None:
    client, id = county.client("county_admin"), home(county)
    old, wife = one(county, "王德福"), one(county, "陈桂兰")
    asked = send(client, id, "head_change", person_id=wife)
    assert asked.status_code == 200
    assert acts(county) == []
    assert f'name="relations.{old}"' in asked.text
    chosen = asked.text.split(f'name="relations.{old}"')[1].split("</select>")[0]
    assert '<option value="11" selected>' in chosen
    assert "请核对推荐的与新户主关系" in asked.text
    done = send(client, id, "head_change", person_id=wife, suggested_for=wife, **{f"relations.{old}": "11"})
    assert done.status_code == 303
    with county.uow() as uow:
        assert uow.get(Person, old).relation == "11"


def test_whose_relation_cannot_be_told_is_pointed_out_and_left_empty(county: County) -> None:
    client, id = county.client("county_admin"), home(county)
    old, wife = one(county, "王德福"), one(county, "陈桂兰")
    with county.uow() as uow:
        set_relation(uow, uow.get(Person, wife), "27")
    asked = send(client, id, "head_change", person_id=wife)
    assert "请自行选择：王德福" in asked.text
    assert send(client, id, "head_change", person_id=wife, suggested_for=wife).status_code == 303
    with county.uow() as uow:
        assert (uow.get(Person, old).relation, uow.get(Person, wife).relation) == ("", "02")


def test_two_taps_are_reported_and_confirmed_or_sent_back(county: County) -> None:
    id, head = home(county), one(county, "王德福")
    leader = county.account("grid_leader", area=VILLAGE)
    client = county.client(leader)
    page = text(client, f"/households/{id}")
    assert 'data-dialog-open="tap-leave"' in page
    assert 'data-dialog-open="tap-birth"' in page
    assert f'name="person_id" value="{head}"' in page
    assert post(client, f"/households/{id}", f"/households/{id}/acts/leave", on=today().isoformat(), person_id=head,
                reason="去西安务工").status_code == 303  # fmt: skip
    assert post(client, f"/households/{id}", f"/households/{id}/acts/birth", on=today().isoformat(), registered="1",
                living="1", **{"values.sex": "2", "values.name": ""}).status_code == 303  # fmt: skip
    left, born = acts(county)
    assert (left.state, born.state) == ("reported", "reported")
    waiting = text(client, f"/households/{id}")
    assert "待确认" in waiting
    assert "去西安务工" in waiting
    again = send(client, id, "leave", person_id=head, reason="又报一次")
    assert again.status_code == 422
    assert 'value="又报一次"' in again.get_data(as_text=True)
    # Who only reports cannot do more.
    assert client.get(f"/households/{id}/acts/split").status_code == 403
    assert post(client, f"/households/{id}", f"/register/acts/{left.id}/confirm", version="1").status_code == 403

    village = county.client(county.account("village", area=VILLAGE))
    assert "王德福" in text(village, "/")
    assert "2 条" in text(village, "/register/reports")
    url = f"/register/acts/{left.id}"
    assert post(village, url, f"{url}/confirm", version="1", on=today().isoformat()).status_code == 303
    with county.uow() as uow:
        assert uow.get(Person, head).away is True
    sheet = post(village, "/register/reports", "/register/reports/refuse", ids=[born.id])
    assert "退回原因" in sheet.get_data(as_text=True)
    assert post(village, "/register/reports", "/register/reports/refuse", ids=[born.id], reason="").status_code == 422
    refused = post(village, "/register/reports", "/register/reports/refuse", ids=[born.id], reason="没有出生证明")
    assert refused.status_code == 303
    # Whoever reported it sees what came of it.
    assert "没有出生证明" in text(client, "/")
    mine = text(client, "/register/reports?mine=yes")
    assert "没有出生证明" in mine


def test_many_are_confirmed_and_what_cannot_be_is_named(county: County) -> None:
    id, head, wife = home(county), one(county, "王德福"), one(county, "陈桂兰")
    leader = county.client(county.account("grid_leader", area=VILLAGE))
    assert send(leader, id, "leave", person_id=head).status_code == 303
    assert send(leader, id, "death", person_id=wife).status_code == 303
    village = county.client(county.account("village", area=VILLAGE))
    assert send(village, id, "death", person_id=wife).status_code == 303  # in between, by the village itself
    reported = [act.id for act in acts(county) if act.state == "reported"]
    assert post(village, "/register/reports", "/register/reports/confirm", ids=reported).status_code == 303
    said = text(village, "/register/reports")
    assert "已确认 1 条上报" in said
    assert "陈桂兰" in said
    assert sorted(act.state for act in acts(county)) == ["done", "done", "reported"]


def test_a_household_that_lost_its_head_says_so_and_offers_to_name_one(county: County) -> None:
    client, id, head, wife = county.client("county_admin"), home(county), one(county, "王德福"), one(county, "陈桂兰")
    offer = f'href="/households/{id}/acts/head_change" class="btn btn-sm"'
    assert "本户没有户主" not in text(client, f"/households/{id}")
    assert "无户主" not in text(client, "/households?area=all")
    done = send(client, id, "death", person_id=head, back="person")
    assert done.location == f"/households/{id}", "where another is named, not the page of whoever died"
    page = text(client, f"/households/{id}")
    assert "本户没有户主" in page
    assert offer in page
    viewer = text(county.client("department"), f"/households/{id}")
    assert "本户没有户主" in viewer
    assert offer not in viewer
    listed = text(client, "/households?area=all&has_head=no")
    assert re.search(r"陈桂兰</span></b></a> <span[^>]*>无户主", listed)
    assert "吴·木子" not in listed
    assert "陈桂兰" not in text(client, "/households?area=all&has_head=yes")
    file = post(client, "/households/export?area=all", "/households/export?area=all", purpose="核对", format="csv")
    assert "陈桂兰（无户主）" in file.text
    assert "吴·木子（" not in file.text
    found = county.client().get(
        "/api/v1/households?has_head=no&fields=code,has_head", headers=county.bearer(county.account("county_admin"))
    )
    assert found.json["items"] == [{"code": "6109211002000001", "has_head": False}]
    back = send(client, id, "leave", person_id=wife, back="person", registered="1")
    assert back.location != f"/households/{id}", "it had no head before either"
    assert send(client, id, "head_change", person_id=wife).status_code == 303
    assert "本户没有户主" not in text(client, f"/households/{id}")


def test_a_move_finds_the_other_household_as_one_types(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    url = f"/households/{id}/acts/move?person={wife}"
    found = post(client, url, "/register/households", q="吴", without=str(id))
    assert f'value="{home(county, 2)}"' in found.get_data(as_text=True)
    looked = post(client, url, f"/households/{id}/acts/move?person={wife}", q="吴", look="1", reason="出嫁")
    assert looked.status_code == 200
    assert 'value="出嫁"' in looked.get_data(as_text=True)
    nothing = post(client, url, url, person_id=wife, on=today().isoformat(), living="1")
    assert nothing.status_code == 422
    done = post(client, url, url, person_id=wife, on=today().isoformat(), living="1", back="person",
                other_household_id=home(county, 2), relation="10")  # fmt: skip
    assert done.headers["Location"] == f"/persons/{wife}"
    # On the household register of the one, living in the other.
    page = text(client, f"/households/{id}")
    assert "住在" in page
    assert "陈桂兰" in text(client, f"/households/{home(county, 2)}")


def test_a_merge_shows_first_what_goes_along(county: County) -> None:
    client, id, other = county.client("county_admin"), home(county, 2), home(county)
    url = f"/households/{id}/acts/merge"
    nothing = post(client, url, url, look="along", reason="投亲")
    assert (nothing.status_code, "请选择并入哪一户。" in nothing.text) == (422, True)
    assert 'value="投亲"' in nothing.text
    preview = text(client, f"{url}?other_household_id={other}")
    assert "没有未办完的事" in preview
    done = post(client, url, url, other_household_id=other, on=today().isoformat(), reason="投亲")
    assert done.status_code == 303
    assert "吴·木子" in text(client, f"/households/{other}")
    closed = text(client, f"/households/{id}")
    assert f'销户：<span lang="zh-CN">投亲</span> 成员已并入： <a href="/households/{other}">' in closed
    assert "户籍 0" not in closed
    (act,) = acts(county)
    detail = text(client, f"/register/acts/{act.id}")
    code = f"610921100200{2:04}"
    assert f"{code}</span> 户</span></a> {code}" not in detail


def test_the_ledger_filters_sorts_and_exports(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    assert send(client, id, "return", person_id=wife, reason="返乡").status_code == 303
    assert send(client, home(county, 2), "birth", registered="1", living="1", reason="顺产",
                **{"values.name": "吴小子", "values.sex": "1"}).status_code == 303  # fmt: skip
    everything = text(client, "/register/acts")
    assert "返乡" in everything
    assert client.get("/register/acts?from=gestern").status_code == 303
    assert "吴小子" in everything
    assert "吴小子" not in text(client, "/register/acts?kind=return")
    assert "返乡" not in text(client, "/register/acts?q=吴小子")
    assert "返乡" not in text(client, f"/register/acts?to={(today() - timedelta(days=1)).isoformat()}")
    assert "返乡" in text(client, "/register/acts?sort=recorded&state=done&area=610921100200")
    assert "返乡" not in text(client, "/register/acts?area=610921101")
    ask = "/register/acts/export?kind=return"
    assert post(client, ask, ask, purpose="", format="xlsx").status_code == 422
    sent = post(client, ask, ask, purpose="季度核对", format="xlsx")
    rows = list(openpyxl.load_workbook(BytesIO(sent.data)).worksheets[0].values)
    assert [row[0] for row in rows[2:]] == ["陈桂兰"]
    assert households_kit.entries(county, "register.export")[-1].purpose == "季度核对"
    # A long one is written by a job, under the same conditions, and noted alike.
    made = households_kit.exported_by_job(county, client, ask, purpose="年度核对", format="xlsx")
    assert [[*row][:3] for row in openpyxl.load_workbook(BytesIO(made)).worksheets[0].values][2:] == [
        [*row][:3] for row in rows[2:]
    ]
    entry = households_kit.entries(county, "register.export")[-1]
    before = households_kit.entries(county, "register.export")[-2].after
    assert (entry.purpose, {**entry.after, "number": ""}) == ("年度核对", {**before, "number": ""})


def test_another_area_is_not_there_and_viewers_get_no_buttons(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    assert send(client, id, "return", person_id=wife).status_code == 303
    act = acts(county)[0].id
    stranger = county.client(county.account("village", area=OTHER_VILLAGE))
    for url in (f"/households/{id}/acts/leave", f"/register/acts/{act}", f"/households/{id}?on=2026-01-01"):
        assert stranger.get(url).status_code == 404, url
    assert "陈桂兰" not in text(stranger, "/register/acts")
    url = f"/register/acts/{act}/undo"
    assert post(stranger, "/register/acts", url, version="1", reason="x").status_code == 404
    viewer = county.client("department")
    page = text(viewer, f"/households/{id}")
    assert 'data-dialog-open="tap-' not in page
    assert viewer.get(f"/households/{id}/acts/leave").status_code == 403
    assert client.get(f"/households/{id}/acts/fly").status_code == 404


def test_a_day_that_cannot_be_shown_leads_back(county: County) -> None:
    client, id = county.client("county_admin"), home(county)
    for day in ("2999-01-01", "gestern"):
        assert client.get(f"/households/{id}?on={day}").headers["Location"] == f"/households/{id}"
    assert "王德福" in text(client, f"/households/{id}?on={today().isoformat()}")


def test_the_ledger_takes_as_many_statements_for_many_acts(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")

    def statements(url: str) -> int:
        count = 0
        county.runtime.directory.forget()

        def on_execute(*_args: Any) -> None:
            nonlocal count
            count += 1

        event.listen(county.runtime.engine, "before_cursor_execute", on_execute)
        try:
            text(client, url)
        finally:
            event.remove(county.runtime.engine, "before_cursor_execute", on_execute)
        return count

    assert send(client, id, "return", person_id=wife).status_code == 303
    few = [statements(url) for url in ("/register/acts", f"/households/{id}", "/register/reports")]
    for kind in ("leave", "return", "leave", "return"):
        assert send(client, id, kind, person_id=wife).status_code == 303
    assert [statements(url) for url in ("/register/acts", f"/households/{id}", "/register/reports")] == few
    assert len(re.findall(r"/register/acts/\d+\"", text(client, "/register/acts"))) >= 5
    assert hidden(text(client, f"/households/{id}"), "csrf_token")


def test_what_happened_tells_that_a_death_was_undone(county: County) -> None:
    client, id, wife = county.client("county_admin"), home(county), one(county, "陈桂兰")
    assert send(client, id, "death", person_id=wife).status_code == 303
    (act,) = acts(county)
    url = f"/register/acts/{act.id}"
    assert post(client, url, f"{url}/undo", version=str(act.version), reason="人还健在").status_code == 303
    for page in (text(client, f"/persons/{wife}"), text(client, f"/households/{id}")):
        told = page[page.index('class="xy-timeline"') :]
        newest = told[: told.index("</li>")]
        assert "人还健在" in newest
        assert "死亡" in newest, "which act it was"
        assert "undone" not in newest
        assert "已去世" in told[len(newest) :]
