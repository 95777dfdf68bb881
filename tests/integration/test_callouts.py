"""Calls in an emergency: who may send what, heads confirm once however often it is sent, nobody is ranked, nothing is
kept for ever."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from grids_kit import TOWN, VILLAGE
from groups_kit import empty_groups, head_of, lay_out
from households_kit import OTHER_TOWN, hidden, text
from sqlalchemy import delete, select, update

from xiangyue.access.models import Account, AuditEntry
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.callouts import queries, service
from xiangyue.features.callouts.models import Callout, CalloutAnswer, CalloutGroup, CalloutHousehold
from xiangyue.features.callouts.policy import CALLOUT_ANSWER
from xiangyue.features.callouts.refused import presence_word
from xiangyue.features.grids import service_posts
from xiangyue.features.grids.models import GridPost
from xiangyue.features.household_groups import service as service_groups
from xiangyue.features.household_groups.models import HouseholdGroup
from xiangyue.features.households.identifiers import PHONE, sealed
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy.models import PersonAccess, PersonAccessSet
from xiangyue.jobs.models import Job, OutboxMessage
from xiangyue.plugin.follows import follow_rows
from xiangyue.testing.fixtures import County

Laid = tuple[int, int, int]
TEXT = "暴雨红色预警，立即转移"


@pytest.fixture(name="laid")
def laid_out(hanyin: County) -> Iterator[Laid]:
    yield lay_out(hanyin)
    with hanyin.uow() as uow:
        for model in (CalloutAnswer, CalloutHousehold, CalloutGroup, Callout):
            uow.session.execute(delete(model))
    empty_groups(hanyin)


def send(county: County, **more: Any) -> tuple[int, dict[int, int]]:
    """(call, part of the call by group)."""
    with county.uow() as uow:
        values = {"client_id": uuid.uuid4(), "kind": "storm", "message": TEXT, "area_code": VILLAGE, **more}
        call = service.send_callout(uow, **values)
        return call.id, {row["group_id"]: row["id"] for row in queries.groups_of_call(uow, call.id)}


def test_a_roll_call_is_refused_and_so_is_whoever_has_not_the_right(hanyin: County, laid: Laid) -> None:
    said = ({"message": "各组点名，全员签到"}, {"message": "查 岗：在岗的回复"}, {"place": "到村部报到"})
    for wrong in ({"kind": "roll_call"}, {"kind": "meeting"}, {"kind": "other"}, *said):
        with pytest.raises(Invalid) as caught:
            send(hanyin, **wrong)
        ((why,),) = caught.value.fields.values()
        assert "险情和安全" in str(why)
    leader = hanyin.client(hanyin.account("grid_leader", area=VILLAGE))
    assert leader.get("/calls").status_code == 200
    assert leader.get(f"/calls/new?for={VILLAGE // 1000}").status_code == 403
    api = hanyin.client(hanyin.account("village", area=VILLAGE))
    body = {"client_id": str(uuid.uuid4()), "kind": "attendance", "message": "x", "area_code": str(VILLAGE // 1000)}
    url = f"/calls/new?for={VILLAGE // 1000}"
    form = {"csrf_token": hidden(text(api, url), "csrf_token"), **body}
    answer = api.post(url, data={**form, "whom": "area"})
    assert answer.status_code == 422
    assert "点名、考勤、会议" in answer.text
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Callout.id)).all() == []


def test_sent_and_answered_twice_counts_once(hanyin: County, laid: Laid) -> None:
    _grid, first, _second = laid
    account = hanyin.account("grid_leader", area=VILLAGE)
    with hanyin.uow() as uow:
        login = uow.session.scalars(select(Account.login).where(Account.id == account.id)).one()
        head_of(uow, first, login=login)
    client_id = uuid.uuid4()
    call, parts = send(hanyin, client_id=client_id)
    assert send(hanyin, client_id=client_id)[0] == call
    head = hanyin.client(account)
    assert TEXT in text(head, "/")
    assert TEXT in text(head, "/calls/mine")
    url = f"/calls/groups/{parts[first]}"
    page = text(head, url)
    form = {"csrf_token": hidden(page, "csrf_token"), "client_id": str(uuid.uuid4()), "all": "1"}
    for _again in range(3):
        assert head.post(f"{url}/answers", data=form).status_code == 303
    with hanyin.uow() as uow:
        assert len(uow.session.scalars(select(CalloutAnswer.id)).all()) == 1
        group = queries.call_group(uow, parts[first])
        assert group is not None
        assert (group["reached"], group["waiting"]) == (6, 0)
        house = queries.households_of(uow, [parts[first]])[0]["household_id"]
        assert not any(row["on_behalf"] for row in queries.households_of(uow, [parts[first]]))
    again = {**form, "client_id": str(uuid.uuid4()), "all": "", "household_id": str(house), "state": "help"}
    assert head.post(f"{url}/answers", data=again).status_code == 303
    with hanyin.uow() as uow:
        group = queries.call_group(uow, parts[first])
        assert group is not None
        assert (group["reached"], group["help"]) == (5, 1)
    # Another button of the same form, as when the answer to the first was lost on its way back.
    assert head.post(f"{url}/answers", data={**again, "state": "not_reached"}).status_code == 303
    with hanyin.uow() as uow:
        group = queries.call_group(uow, parts[first])
        assert group is not None
        assert (group["reached"], group["help"]) == (5, 0)


def test_a_call_stays_in_its_area(hanyin: County, laid: Laid) -> None:
    grid, first, _second = laid
    with pytest.raises(Invalid) as caught:
        send(hanyin, area_code=OTHER_TOWN, group_ids=[first])
    assert set(caught.value.fields) == {"group_ids"}
    for foreign in ({"area_code": OTHER_TOWN, "grid_ids": [grid]}, {"grid_ids": [grid, grid + 1]}):
        with pytest.raises(Invalid) as caught:
            send(hanyin, **foreign)
        assert set(caught.value.fields) == {"grid_ids"}
    assert list(send(hanyin, group_ids=[first])[1]) == [first]


def test_a_head_answers_for_the_own_group_only(hanyin: County, laid: Laid) -> None:
    _grid, first, second = laid
    call, parts = send(hanyin)
    village = hanyin.client(hanyin.account("village", area=VILLAGE))
    url = f"/calls/groups/{parts[second]}"
    form = {"csrf_token": hidden(text(village, url), "csrf_token"), "client_id": str(uuid.uuid4()), "all": "1"}
    assert "代十户长确认" in text(village, url)
    assert village.post(f"{url}/answers", data=form).status_code == 303
    assert "代为确认" in text(village, url)
    with hanyin.uow() as uow:
        assert all(row["on_behalf"] for row in queries.households_of(uow, [parts[second]]))
    with hanyin.uow(hanyin.actor(CALLOUT_ANSWER, area=VILLAGE)) as uow, pytest.raises(NotFound):
        service.answer(uow, callout_group_id=parts[first], client_id=uuid.uuid4(), states={}, rest="reached")
    with hanyin.uow() as uow:
        service.end_callout(uow, callout_id=call, version=1, note="水退")
    with hanyin.uow() as uow, pytest.raises(Conflict):
        service.answer(uow, callout_group_id=parts[first], client_id=uuid.uuid4(), states={}, rest="reached")


def test_without_an_answer_it_goes_on_to_the_grid_leader_once(hanyin: County, laid: Laid) -> None:
    grid, first, second = laid
    with hanyin.uow() as uow:
        service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, name="赵网格", valid_from=today())
    call, parts = send(hanyin)
    with hanyin.uow() as uow:
        job = uow.session.scalars(select(Job).where(Job.kind == service.ESCALATE, Job.params["callout_id"].as_integer()
                                                    == call)).one()  # fmt: skip
        waits = [m.payload for m in uow.session.scalars(select(OutboxMessage)) if m.payload.get("job_id") == job.id]
        assert all("not_before" in payload for payload in waits), "it leaves later"
        service.answer(uow, callout_group_id=parts[first], client_id=uuid.uuid4(), states={}, rest="reached")
        assert service.escalate(uow, callout_id=call) == 1
        assert service.escalate(uow, callout_id=call) == 0
        rows = {row["group_id"]: row for row in queries.groups_of_call(uow, call)}
        assert (rows[second]["leader_name"], rows[first]["leader_name"]) == ("赵网格", "")
        uow.session.execute(update(GridPost).values(name="＊"))  # as an erasure leaves it
        assert {row["leader_name"] for row in queries.groups_of_call(uow, call)} == {"＊", ""}
    leader = hanyin.client(hanyin.account("grid_leader", area=VILLAGE))
    assert "已转网格长" in text(leader, "/")


def test_drills_say_so_and_are_no_way_round(hanyin: County, laid: Laid) -> None:
    _grid, first, second = laid
    with hanyin.uow() as uow:
        service_groups.close_group(uow, group_id=second, version=uow.get(HouseholdGroup, second).version, on=today(),
                                   reason="重编")  # fmt: skip
    call, _parts = send(hanyin, drill=True)
    with hanyin.uow() as uow:  # who was in no group then, and is in a new one now, has had a drill all the same
        left = [id for id, _area in queries.in_no_group(uow, area_code=VILLAGE)]
        made = service_groups.create_groups(uow, grid_id=laid[0], on=today(), size_reason="x",
                                            parts=[{"name": "新组", "household_ids": left}])  # fmt: skip
    for whom in ({}, {"group_ids": [first]}, {"group_ids": made.rows["groups"]}):
        with pytest.raises(Invalid) as caught:
            send(hanyin, drill=True, **whom)
        assert "演练" in str(caught.value.fields["drill"][0])
    send(hanyin)  # a real one always goes
    client = hanyin.client(hanyin.account("town", area=TOWN))
    assert "演练" in text(client, f"/calls/{call}")
    assert "演练：暴雨" in text(client, f"/calls?area={VILLAGE // 1000}&drill=yes")


def test_words_that_stand_in_a_message_by_chance_are_let_through() -> None:
    said = ("安置点名单见村部", "现在岗上积水", "立即离开会场，转移到岗上", "Look after the old")
    assert [presence_word(text) for text in said] == ["", "", "", ""]
    assert [presence_word(text) for text in ("点　名", "點\u200b名")] == ["点名", "点名"]


def test_the_head_in_a_call_is_whoever_the_register_says(hanyin: County, laid: Laid) -> None:
    """No copy of the name: another record of the same person takes its place, and a new name is shown."""
    _grid, first, _second = laid
    with hanyin.uow() as uow:
        head = head_of(uow, first)
        other = uow.session.scalars(select(Person.id).where(Person.id != head.person_id).order_by(Person.id)).first()
        assert other is not None
    _call, parts = send(hanyin)
    with hanyin.uow() as uow:
        uow.get(Person, head.person_id).name = "＊"
        uow.session.flush()
        assert queries.call_group(uow, parts[first])["head_name"] == "＊"  # type: ignore[index]
        assert "callout_group" in follow_rows(uow, of="person", old=head.person_id, new=other)
        found = queries.call_group(uow, parts[first])
        assert found is not None
        assert (found["head_person_id"], found["head_name"]) == (other, uow.get(Person, other).name)
        uow.rollback()


def test_ended_calls_are_kept_for_a_limited_time(hanyin: County, laid: Laid) -> None:
    call, _parts = send(hanyin)
    with hanyin.uow() as uow:
        service.end_callout(uow, callout_id=call, version=1, note="")
        ended = uow.get(Callout, call)
        assert ended.summary["waiting"] == 12
        assert ended.keep_until == today() + timedelta(365)
        assert service.forget_old(uow) == 0
        uow.session.execute(update(Callout).values(keep_until=today() - timedelta(1)))
        assert service.forget_old(uow) == 1
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(CalloutHousehold.id)).all() == []


def test_telephones_are_shown_by_right_and_leave_an_entry(hanyin: County, laid: Laid) -> None:
    _grid, first, _second = laid
    with hanyin.uow() as uow:
        head = head_of(uow, first)
        keys = hanyin.runtime.tenant_keys(uow)
        phone, _index = sealed(keys, uow.tenant_id, PHONE, "13900000123")
        uow.session.execute(update(Person).where(Person.id == head.person_id).values(phone=phone))
    call, parts = send(hanyin)
    url = f"/calls/groups/{parts[first]}"
    town = hanyin.client(hanyin.account("town", area=TOWN))
    seen = text(town, url)
    assert "13900000123" not in seen
    form = {"csrf_token": hidden(seen, "csrf_token"), "household_id": ""}
    assert "13900000123" in town.post(f"{url}/phones", data=form).text
    with hanyin.uow() as uow:
        told = uow.session.scalars(select(AuditEntry.action).where(AuditEntry.purpose == f"紧急叫应第 {call} 号")).all()
        looked = select(PersonAccess.seen).where(PersonAccess.person_id == head.person_id)
        assert (told, uow.session.scalars(looked).all()) == (["callout.phones"], ["phone"])
    auditor = hanyin.client("auditor")
    theirs = {**form, "csrf_token": hidden(text(auditor, "/calls"), "csrf_token")}
    assert auditor.post(f"{url}/phones", data=theirs).status_code == 403
    with hanyin.uow() as uow:
        service.end_callout(uow, callout_id=call, version=uow.get(Callout, call).version)
    ended = town.post(f"{url}/phones", data=form)
    assert ended.status_code == 409
    assert "13900000123" not in ended.text
    assert "/phones" not in text(town, url)


def test_the_role_of_heads_reaches_the_own_ten_only(hanyin: County, laid: Laid) -> None:
    """The head telephones and answers for the own group, without the right to see calls or identities."""
    _grid, first, second = laid
    account = hanyin.account("group_head", area=VILLAGE)
    with hanyin.uow() as uow:
        login = uow.session.scalars(select(Account.login).where(Account.id == account.id)).one()
        house = head_of(uow, first, login=login)
        keys = hanyin.runtime.tenant_keys(uow)
        phone, _index = sealed(keys, uow.tenant_id, PHONE, "13900000123")
        uow.session.execute(update(Person).where(Person.id == house.person_id).values(phone=phone))
        household = uow.session.scalars(select(Person.household_id).where(Person.id == house.person_id)).one()
    call, parts = send(hanyin, drill=True)
    head = hanyin.client(account)
    assert "答复" in text(head, "/")
    url = f"/calls/groups/{parts[first]}"
    form = {"csrf_token": hidden(text(head, url), "csrf_token"), "household_id": str(household)}
    assert "tel:13900000123" in head.post(f"{url}/phones", data=form).text
    # Where nobody has one it is said at the household, to which the form leads back; not at the top of a long list.
    others = [id for id in re.findall(r'data-household="(\d+)"', text(head, url)) if id != str(household)]
    shown = head.post(f"{url}/phones", data={**form, "household_id": others[0]}).text
    cards = dict(re.findall(r'id="house-(\d+)"(.*?)(?=id="house-\d|</main>)', shown, re.S))
    assert [id for id, card in cards.items() if "没有登记电话" in card] == [others[0]]
    assert shown.count("没有登记电话") == 1
    assert f'{url}/phones#house-{household}"' in cards[str(household)]
    with hanyin.uow() as uow:
        told = select(AuditEntry.purpose).where(AuditEntry.action == "callout.phones").order_by(AuditEntry.id.desc())
        assert uow.session.scalars(told.limit(1)).one() == f"叫应演练第 {call} 号"
    for closed in (f"/calls/groups/{parts[second]}", f"/persons/{house.person_id}", f"/calls/{call}", "/households"):
        assert head.get(closed).status_code in (403, 404), closed
    assert head.post(f"/calls/groups/{parts[second]}/phones", data=form).status_code == 404
    assert head.post(f"{url}/answers", data={**form, "household_id": "", "all": "1",
                                             "client_id": str(uuid.uuid4())}).status_code == 303  # fmt: skip


def test_calls_and_their_households_are_exported_by_right_and_on_record(hanyin: County, laid: Laid) -> None:
    """The file says what is known of each household, and nowhere who answered when."""
    _grid, first, _second = laid
    call, parts = send(hanyin)
    with hanyin.uow() as uow:
        house = queries.households_of(uow, [parts[first]])[0]["household_id"]
        service.answer(uow, callout_group_id=parts[first], client_id=uuid.uuid4(), states={house: "help"})
    village, leader = (hanyin.client(hanyin.account(role, area=VILLAGE)) for role in ("village", "grid_leader"))
    area = f"?area={VILLAGE // 1000}"
    for url, number in ((f"/calls/export{area}&cols=kind,at,state", 1), (f"/calls/{call}/export", 12)):
        assert leader.get(url).status_code == 403
        form = {"csrf_token": hidden(text(village, url), "csrf_token"), "format": "csv"}
        assert village.post(url, data=form).status_code == 422  # what for?
        file = village.post(url, data={**form, "purpose": "防汛总结"}).data.decode("utf-8-sig")
        assert len(file.strip().splitlines()) == 2 + number, file
        assert ("需要帮助" in file) == (number == 12)
    assert f"/calls/{call}/export" in text(village, f"/calls/{call}")
    assert "/calls/export" in text(village, f"/calls{area}")
    assert hanyin.client(hanyin.account("town", area=OTHER_TOWN)).get(f"/calls/{call}/export").status_code == 404
    with hanyin.uow() as uow:
        told = select(AuditEntry.after["rows"].as_integer()).where(
            AuditEntry.action == "callout.export", AuditEntry.purpose == "防汛总结"
        )
        assert sorted(uow.session.scalars(told)) == [1, 12]
        sets = select(PersonAccessSet.persons).where(PersonAccessSet.purpose == "防汛总结")
        assert uow.session.scalars(sets).all() == [24]


def test_nobody_is_ranked(hanyin: County, laid: Laid) -> None:
    """Neither list nor API can be ordered by who answered, or says when."""
    call, parts = send(hanyin)
    admin = hanyin.client(hanyin.account("county_admin"))
    with hanyin.uow() as uow:
        order = [row["id"] for row in queries.groups_of_call(uow, call)]
        for id in reversed(order):
            service.answer(uow, callout_group_id=id, client_id=uuid.uuid4(), states={}, rest="reached")
        assert [row["id"] for row in queries.groups_of_call(uow, call)] == order
    shown = admin.get(f"/api/v1/calls/{call}").json
    assert set(shown["groups"][0]) == {"id", "group_id", "name", "head_name", "answered", "escalated", "households"}
    assert len(parts) == 2
