"""Requests about personal information: registered with a clock, answered with what was changed, erased by law."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from households_kit import ID_NUMBER, OTHER_TOWN, TOWN, VILLAGE, entries, filled_county, hidden, id_of, post, text
from sqlalchemy import delete, select, update

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.audit.policy import AUDIT_VIEW
from xiangyue.features.households.models import NameSuffix, Person, PersonMark
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.households.service_persons import edit_person, person_left
from xiangyue.features.privacy import queries, service, service_erase
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import ERASE, REQUEST
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults
from xiangyue.text.workdays import add_working_days

__all__ = ["filled_county"]

ASKED = {"kind": "correct", "asked": "名字写错了", "channel": "counter", "identity": "card"}


@pytest.fixture(autouse=True)
def _clear(county: County) -> Any:
    yield
    with county.uow() as uow:
        uow.session.execute(delete(PrivacyRequest))


def person_id(county: County, name: str = "王德福") -> int:
    return id_of(county, Person, name=name)


def made(county: County, name: str = "王德福", **values: Any) -> PrivacyRequest:
    id = person_id(county, name)
    with county.uow(county.actor(REQUEST)) as uow:
        return service.register_request(uow, person_id=id, values={**ASKED, **values})


def now(county: County, id: int) -> PrivacyRequest:
    with county.uow() as uow:
        return uow.get(PrivacyRequest, id)


def test_a_request_gets_a_number_and_a_day_in_working_days(county: County) -> None:
    request = made(county)
    assert request.number == f"{today().year}-{request.id:06d}"
    assert request.due_on == add_working_days(today(), 15).day
    assert request.state == "received"
    (entry,) = entries(county, "privacy_request.add")
    assert entry.object_label == request.number
    with pytest.raises(Conflict, match=request.number):
        made(county)
    back = made(county, kind="access", received_on=(today() - timedelta(days=3)).isoformat())
    assert back.due_on == add_working_days(today() - timedelta(days=3), 15).day


def test_what_is_missing_is_said_by_field(county: County) -> None:
    with pytest.raises(Invalid) as caught:
        made(county, asked="", identity="because", by_agent=True, received_on="2999-01-01")
    assert set(caught.value.fields) == {"asked", "identity", "agent_name", "agent_relation", "received_on"}
    made(county, by_agent=True, agent_name="李婶", agent_relation="监护人")


def test_a_request_lies_where_its_person_does(county: County) -> None:
    request = made(county)
    with county.uow(county.actor(REQUEST, area=OTHER_TOWN)) as uow, pytest.raises(NotFound):
        service.take_up(uow, id=request.id, version=1)
    there = county.client("town", area=OTHER_TOWN)
    assert there.get(f"/privacy/requests/{request.id}").status_code == 404
    assert request.number not in text(there, "/privacy/requests?area=all")
    here = county.client("town", area=TOWN)
    assert request.number in text(here, "/privacy/requests?area=all")


def test_a_correction_is_answered_with_what_was_changed(county: County) -> None:
    request, id = made(county), person_id(county)
    keys_of = county.runtime.tenant_keys
    with county.uow(county.actor(REQUEST, HOUSEHOLD_EDIT)) as uow:
        service.take_up(uow, id=request.id, version=1)
        with pytest.raises(Conflict):
            service.answer(uow, id=request.id, version=2, text="改好了")
        person = uow.get(Person, id)
        edit_person(uow, keys=keys_of(uow), person_id=id, version=person.version, changes={"name": "王得福"})
        with pytest.raises(Stale):
            service.answer(uow, id=request.id, version=1, text="改好了")
        service.answer(uow, id=request.id, version=2, text="改好了，已告知")
    page = text(county.client("town", area=TOWN), f"/privacy/requests/{request.id}")
    assert "王德福" in page
    assert "王得福" in page
    assert "改好了，已告知" in page
    with county.uow(county.actor(REQUEST)) as uow, pytest.raises(Conflict):
        service.refuse(uow, id=request.id, version=3, reason="重复")


def test_it_is_put_off_once_and_refused_with_a_reason(county: County) -> None:
    request = made(county)
    with county.uow(county.actor(REQUEST)) as uow:
        with pytest.raises(Invalid):
            service.extend(uow, id=request.id, version=1, reason="")
        service.extend(uow, id=request.id, version=1, reason="要到公安核实")
        with pytest.raises(Conflict):
            service.extend(uow, id=request.id, version=2, reason="还要")
        with pytest.raises(Invalid):
            service.refuse(uow, id=request.id, version=2, reason="")
        service.refuse(uow, id=request.id, version=2, reason="与身份证一致，无需更正")
    after = now(county, request.id)
    assert (after.state, after.extended_from, after.ended_on) == ("refused", request.due_on, today())
    assert after.due_on == add_working_days(request.due_on, 15).day


def test_what_is_late_stands_in_the_work_list(county: County) -> None:
    request = made(county)
    with county.uow() as uow:
        uow.session.execute(update(PrivacyRequest).values(due_on=today() - timedelta(days=7)))
    client = county.client("town", area=TOWN)
    page = text(client, "/")
    assert request.number in page
    assert "超期" in page
    assert request.number in text(client, "/privacy/requests?area=all&due=late")
    assert request.number not in text(client, "/privacy/requests?area=all&due=soon")
    assert request.number not in text(county.client("town", area=OTHER_TOWN), "/")


def test_pages_register_print_and_close(county: County) -> None:
    client, id = county.client("village", area=TOWN), person_id(county)
    assert "登记请求" in text(client, f"/persons/{id}")
    found = post(client, "/privacy/requests/new", "/privacy/requests/new", q="王德福").text
    assert f'href="/privacy/requests/new?person={id}"' in found, "straight on to the form"
    assert "没有找到" in post(client, "/privacy/requests/new", "/privacy/requests/new", q="查无此人").text
    form = f"/privacy/requests/new?person={id}"
    wrong = post(client, form, "/privacy/requests", person_id=id, kind="correct", asked="", channel="phone")
    assert wrong.status_code == 422
    assert "请写明要改什么" in wrong.text
    good = post(client, form, "/privacy/requests", person_id=id, **ASKED)
    assert good.status_code == 303
    path = good.headers["Location"]
    page = text(client, path)
    assert "名字写错了" in page
    receipt = text(client, f"{path}/receipt")
    assert "王＊＊" in receipt
    assert "王德福" not in receipt.split("<main")[1], "a receipt gets lost"
    assert post(client, path, f"{path}/take", version=1).status_code == 303
    refused = post(client, path, f"{path}/answer", version=2, answer="好了")
    assert refused.status_code == 409
    assert "受理以来记录没有改动" in refused.text
    done = post(client, path, f"{path}/withdraw", version=2, reason="不用了")
    assert done.status_code == 303
    assert "已撤回" in text(client, path)


def test_pages_are_english_for_english_readers(county: County) -> None:
    request = made(county, by_agent=True, agent_name="李婶", agent_relation="监护人")
    client = county.client("county_admin", locale="en")
    for path in (
        "/privacy/requests?area=all",
        f"/privacy/requests/{request.id}",
        f"/privacy/requests/{request.id}/receipt",
        f"/privacy/requests/new?person={person_id(county)}",
        "/privacy/requests/new",
    ):
        assert english_page_faults(text(client, path)) == [], path


def test_a_copy_has_the_whole_record(county: County) -> None:
    request = made(county, kind="copy", asked="")
    client = county.client("town", area=TOWN)
    page = f"/privacy/requests/{request.id}"
    assert post(client, page, f"{page}/copy", format="foo").status_code == 422
    answer = post(client, page, f"{page}/copy", format="json")
    record = {fact["key"]: fact for fact in json.loads(answer.data)["record"]}
    assert record["id_number"]["value"] == ID_NUMBER
    assert record["phone"]["value"] == "15400000017"
    assert {"mark.party_member", "mark.disabled"} <= set(record), "the person's own sensitive marks too"
    assert record["place"]["shown"]
    book = openpyxl.load_workbook(io.BytesIO(post(client, page, f"{page}/copy", format="xlsx").data))
    assert ID_NUMBER in {row[2] for row in book.active.iter_rows(values_only=True)}
    assert len(entries(county, "privacy_request.copy")) == 2
    other = made(county)
    refused = post(client, page, f"/privacy/requests/{other.id}/copy", format="json")
    assert refused.status_code == 303, "a correction hands nothing out"


def test_the_list_is_exported_as_it_is_shown(county: County) -> None:
    request = made(county)
    made(county, "陈桂兰")
    client = county.client("county_admin")
    path = "/privacy/requests/export?q=" + request.number
    assert post(client, path, path, purpose="", format="xlsx").status_code == 422
    assert english_page_faults(text(county.client("county_admin", locale="en"), path)) == []
    answer = post(client, path, path, purpose="季度检查", format="xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    rows = list(book.active.iter_rows(values_only=True))
    assert "季度检查" in rows[0][0]
    assert [row[0] for row in rows[2:]] == [request.number]
    assert rows[2][1] == "王德福"
    (entry,) = entries(county, "privacy_request.export")
    assert (entry.after or {})["rows"] == 1
    assert entry.purpose == "季度检查"
    log = text(client, f"/privacy/persons/{request.person_id}/log")
    assert "季度检查" in log
    village = county.client("village", area=VILLAGE)
    assert "/privacy/requests/export" not in text(village, "/privacy/requests")
    assert village.get("/privacy/requests/export").status_code == 403


def erasing(county: County, name: str = "王德福") -> PrivacyRequest:
    request = made(county, name, kind="erase", asked="都删掉")
    with county.uow(county.actor(REQUEST)) as uow:
        service.take_up(uow, id=request.id, version=1)
    return request


def erase(county: County, request: PrivacyRequest) -> PrivacyRequest:
    with county.uow(county.actor(ERASE, REQUEST)) as uow:
        person = uow.get(Person, request.person_id)
        return service_erase.erase_person(
            uow, id=request.id, version=2, person_version=person.version, text="已删除，已告知"
        )


def test_of_somebody_on_the_register_goes_what_the_law_does_not_keep(county: County) -> None:
    id = person_id(county)
    with county.uow() as uow:
        uow.session.execute(update(Person).where(Person.id == id).values(note="爱喝茶"))
    request = erasing(county)
    done = erase(county, request)
    assert done.state == "done"
    assert set(done.outcome["erased"]) == {"phone", "note"}
    assert "registration" in done.outcome["kept"]
    with county.uow() as uow:
        person = uow.get(Person, id)
        assert (person.name, person.phone, person.phone_index, person.phone_tail, person.note) == (
            "王德福", None, None, None, "",
        )  # fmt: skip
        assert person.id_number is not None
        marks = set(uow.session.scalars(select(PersonMark.mark_key).where(PersonMark.person_id == id)))
        assert marks == {"party_member", "disabled"}, "departments established them"
    page = text(county.client("county_admin"), f"/privacy/requests/{request.id}")
    assert "户口登记条例" in page


def test_of_somebody_who_left_everything_goes_and_no_page_says_the_name(county: County) -> None:
    id = person_id(county)
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
        person_left(uow, person_id=id, version=uow.get(Person, id).version, state="moved", on=today(), reason="进城")
    request = erasing(county)
    done = erase(county, request)
    assert {"name", "id_number", "birth_date", "sex", "phone", "marks", "left_reason"} <= set(done.outcome["erased"])
    with county.uow() as uow:
        person = uow.get(Person, id)
        assert person.name == service_erase.NO_NAME
        assert person.erased_at is not None
        assert (person.id_number, person.id_number_index, person.birth_date, person.sex) == (None, None, None, 0)
        assert not uow.session.scalars(select(PersonMark).where(PersonMark.person_id == id)).all()
        assert not uow.session.scalars(select(NameSuffix).where(NameSuffix.id == id)).all()
        household = person.household_id
        with pytest.raises(Conflict):
            edit_person(
                uow, keys=county.runtime.tenant_keys(uow), person_id=id, version=person.version, changes={"name": "王"}
            )
    client = county.client("county_admin")
    about = f"object_type=person&object_id={id}"
    home = f"object_type=household&object_id={household}"
    paths = (f"/persons/{id}", f"/households/{household}", f"/audit?{about}", f"/audit?{home}")
    for path in paths:
        page = text(client, path)
        assert "王德福" not in page, path
        assert "进城" not in page, path
    trail = client.get(f"/api/v1/audit?{about}", headers=county.bearer(county.account_with(AUDIT_VIEW)))
    assert len(trail.json["items"]) >= 2
    assert "王德福" not in trail.text
    path = f"/audit/export?{about}"
    sent = post(client, path, path, purpose="上级检查", format="xlsx")
    export = openpyxl.load_workbook(io.BytesIO(sent.data))
    rows = list(export.active.iter_rows(values_only=True))
    assert len(rows) >= 3
    assert "王德福" not in str(rows)


def test_open_work_stands_against_an_erasure(county: County) -> None:
    request = erasing(county)
    other = made(county, kind="correct")
    with pytest.raises(Conflict, match="个人信息请求"):
        erase(county, request)
    page = text(county.client("county_admin"), f"/privacy/requests/{request.id}")
    assert "此人还有未办结的事项" in page
    with county.uow(county.actor(REQUEST)) as uow:
        service.withdraw(uow, id=other.id, version=1, reason="不用改了")
    assert erase(county, request).state == "done"


def test_erasing_needs_its_own_right_and_an_unchanged_person(county: County) -> None:
    request = erasing(county)
    with county.uow(county.actor(REQUEST)) as uow, pytest.raises(Forbidden):
        service_erase.erase_person(uow, id=request.id, version=2, person_version=1, text="已删除")
    with county.uow(county.actor(ERASE)) as uow, pytest.raises(Conflict):
        service_erase.erase_person(uow, id=request.id, version=2, person_version=99, text="已删除")
    town = county.client("town", area=TOWN)
    assert "彻底删除" not in text(town, f"/privacy/requests/{request.id}")
    assert post(town, f"/privacy/requests/{request.id}", f"/privacy/requests/{request.id}/erase").status_code == 403


def test_programs_register_answer_and_erase(county: County) -> None:
    account = county.account("county_admin")
    headers, client = county.bearer(account), county.client()
    base = "/api/v1/privacy/requests"
    body = {**ASKED, "kind": "erase", "person_id": person_id(county)}
    made_now = client.post(base, json=body, headers=headers)
    assert made_now.status_code == 201
    one, tag = made_now.json, made_now.headers["ETag"]
    assert (one["person_name"], one["late"], one["state"]) == ("王德福", False, "received")
    assert client.post(f"{base}/{one['id']}/take", headers=headers).status_code == 428
    taken = client.post(f"{base}/{one['id']}/take", headers={**headers, "If-Match": tag})
    assert taken.json["state"] == "in_work"
    again = client.post(f"{base}/{one['id']}/take", headers={**headers, "If-Match": tag})
    assert again.status_code == 412
    with county.uow() as uow:
        version = uow.get(Person, one["person_id"]).version
    erased = client.post(
        f"{base}/{one['id']}/erase",
        json={"person_version": version, "answer": "已删除"},
        headers={**headers, "If-Match": taken.headers["ETag"]},
    )
    assert erased.json["state"] == "done"
    assert erased.json["erased"] == ["phone"]
    for n in range(3):
        other = ("陈桂兰", "吴·木子", "周永贵")[n]
        client.post(base, json={**ASKED, "person_id": person_id(county, other)}, headers=headers)
    first = client.get(f"{base}?limit=2&fields=number,state&sort=due&state=open", headers=headers).json
    assert len(first["items"]) == 2
    rest = client.get(
        f"{base}?limit=2&fields=number,state&sort=due&state=open&cursor={first['next']}", headers=headers
    ).json
    assert len({item["number"] for item in first["items"] + rest["items"]}) == 3
    assert rest["next"] is None
    assert client.get(f"{base}?sort=name", headers=headers).status_code == 422
    outsider = county.bearer(county.account_with(HOUSEHOLD_VIEW))
    assert client.get(base, headers=outsider).status_code == 403


def test_reads_are_of_a_constant_number(county: County) -> None:
    for name in ("王德福", "陈桂兰", "吴·木子"):
        made(county, name)
    with county.uow(county.actor(REQUEST)) as uow:
        found = queries.list_requests(uow, queries.RequestFilter(), limit=2)
        assert [line.person.name for line in found.lines] == ["吴·木子", "陈桂兰"]
        after = queries.list_requests(uow, queries.RequestFilter(), limit=2, after=found.next)
        assert [line.person.name for line in after.lines] == ["王德福"]
        back = queries.list_requests(uow, queries.RequestFilter(), limit=2, before=after.back)
        assert [line.id for line in back.lines] == [line.id for line in found.lines]
    assert hidden(text(county.client("county_admin"), "/privacy/requests"), "csrf_token")
