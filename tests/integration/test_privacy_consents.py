"""What people said to notices: withdrawing is as easy as giving, and a child's phone waits for the guardian."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from consents_kit import WORDS, child, clear, publish, published, rows, say, standing
from households_kit import OTHER_TOWN, TOWN, entries, filled_county, id_of, post, text
from sqlalchemy import delete
from tests.integration.test_privacy_care import GUARDIAN, years_ago
from tests.integration.test_privacy_erasure import erase
from tests.integration.test_register_merged import county_with_three, merge, unmerge

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.households.service_persons import add_person, edit_person
from xiangyue.features.privacy import policy_consent, record, service_care, service_consent, service_notice
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy.models_consent import NoticeVersion, PersonConsent
from xiangyue.features.privacy.policy_care import CARE_EDIT
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, CONSENT_VIEW, NOTICE_MANAGE
from xiangyue.testing.fixtures import County

__all__ = ["clear", "county_with_three", "filled_county"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


def test_a_consent_is_given_refused_withdrawn_and_asked_for_again(county: County) -> None:
    id = published(county)
    assert set(standing(county, id, "open")) >= {"王德福", "陈桂兰", "周永贵"}
    assert say(county, id).answer == "given"
    say(county, id, "陈桂兰", "refused")
    assert standing(county, id, "given") == {"王德福": "given"}
    assert standing(county, id, "refused") == {"陈桂兰": "refused"}
    with pytest.raises(Invalid) as caught:
        say(county, id, "陈桂兰", "withdrawn")
    assert set(caught.value.fields) == {"answer"}
    with pytest.raises(Invalid) as caught:
        say(county, id, how="spoken", on=(today() + timedelta(days=1)).isoformat())
    assert set(caught.value.fields) == {"witness", "on"}
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        values = {**WORDS, "change_note": "增加备注", "again": True}
        service_notice.edit_draft(uow, id=id, version=0, values=values)
    assert standing(county, id, "given") == {"王德福": "given"}, "a draft asks nobody"
    publish(county, id)
    assert standing(county, id, "outdated") == {"王德福": "outdated"}
    assert "王德福" in standing(county, id, "open")
    withdrawn = say(county, id, answer="withdrawn")
    with county.uow() as uow:
        assert uow.get(NoticeVersion, withdrawn.version_id).number == 1, "of the version that was consented to"
    say(county, id)
    assert standing(county, id, "given") == {"王德福": "given"}
    said = [(one.answer, one.current) for one in rows(county)]
    assert said == [("given", False), ("refused", True), ("withdrawn", False), ("given", True)]
    there = county.bearer(county.account_with(CONSENT_VIEW, area=OTHER_TOWN))
    found = county.client().get(f"/api/v1/notices/{id}/persons?fields=name", headers=there).json
    assert {row["name"] for row in found["items"]} == {"周永贵"}
    assert (entries(county, "person_consent.add")[-1].after or {})["consent"] == "given"
    told = published(county, kind="notice", title="告知书")
    with pytest.raises(Conflict):
        say(county, told)


def test_rights_and_areas_hold(county: County) -> None:
    id, person = published(county), id_of(county, Person, name="王德福")
    values = {"answer": "given", "how": "phone"}
    with county.uow(county.actor(CONSENT_VIEW)) as uow, pytest.raises(Forbidden):
        service_consent.record_consent(uow, person_id=person, notice_id=id, values=values)
    with county.uow(county.actor(CONSENT_EDIT, area=OTHER_TOWN)) as uow, pytest.raises(NotFound):
        service_consent.record_consent(uow, person_id=person, notice_id=id, values=values)
    town = county.client("town", area=TOWN)
    assert town.get("/privacy/notices/new").status_code == 403
    assert county.client("department").get(f"/privacy/notices/{id}/persons").status_code == 403
    assert county.client("village", area=OTHER_TOWN).get(f"/privacy/persons/{person}/consents").status_code == 404


def test_pages_take_the_signed_paper_and_say_what_follows(county: County) -> None:
    id, person = published(county), id_of(county, Person, name="王德福")
    client, path = county.client("village", area=TOWN), f"/privacy/persons/{person}/consents"
    assert "未征求" in text(client, f"/persons/{person}")
    sent = {"notice_id": id, "answer": "given", "how": "paper", "on": today().isoformat()}
    wrong = post(client, path, path, **{**sent, "how": "phone"}, note="村头谈的", scan=(io.BytesIO(PNG), "签字.png"))
    assert wrong.status_code == 422
    assert "村头谈的" in wrong.text, "what was typed is kept"
    assert post(client, path, path, **sent, version_id="abc").status_code == 422
    assert post(client, path, path, **sent, scan=(io.BytesIO(PNG), "签字.png")).status_code == 303
    (row,) = rows(county)
    scan = client.get(f"/privacy/consents/{row.id}/scan")
    assert (scan.data, scan.content_type) == (PNG, "image/png")
    assert county.client("village", area=OTHER_TOWN).get(f"/privacy/consents/{row.id}/scan").status_code == 404
    shown = text(client, f"{path}?notice={id}&answer=withdrawn")
    assert "不再电话通知，改为上门" in shown
    done = post(client, path, path, **{**sent, "answer": "withdrawn", "how": "phone"})
    assert done.status_code == 303
    assert "不再电话通知，改为上门" in text(client, path)
    assert "已撤回同意" in text(client, f"/persons/{person}")
    listing = text(client, f"/privacy/notices/{id}/persons?standing=withdrawn&area=all")
    assert re.search(r"东南村[一二三1-3]组", listing), "a group is told with its village"
    assert "王德福" in listing
    admin, export = county.client("county_admin"), f"/privacy/notices/{id}/persons/export?standing=withdrawn&area=all"
    assert post(admin, export, export, purpose="", format="xlsx").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(post(admin, export, export, purpose="核查", format="xlsx").data))
    assert [r[0] for r in book.active.iter_rows(values_only=True)][2:] == ["王德福"]
    assert "核查" in text(admin, f"/privacy/persons/{person}/log")
    notices = "/privacy/notices/export"
    post(admin, notices, notices, purpose="核查", format="csv").close()
    assert entries(county, "notice.export")[-1].purpose == "核查"


def test_nothing_is_answered_beforehand_and_paper_is_scanned_only_with_a_scan(county: County) -> None:
    id, person = published(county), id_of(county, Person, name="王德福")
    client, path = county.client("village", area=TOWN), f"/privacy/persons/{person}/consents"
    assert not re.search(r'type="radio"[^>]* checked', text(client, path)), "what was said is for a person to say"
    left = post(client, path, path, notice_id=id, on=today().isoformat())
    assert left.status_code == 422
    assert not rows(county)
    assert post(client, path, path, notice_id=id, answer="given", how="paper").status_code == 303
    told = text(client, path).partition("历次表态")[2]
    assert "书面" in told
    assert "扫描件" not in told


def test_a_phone_that_is_not_agreed_to_is_taken_off_on_the_spot(county: County) -> None:
    notice, other = published(county, whom="phone", fields="电话"), published(county, title="照片", fields="照片")
    person = id_of(county, Person, name="王德福")
    client, path = county.client("village", area=TOWN), f"/privacy/persons/{person}/consents"
    offer = f"{path}/phone"
    say(county, notice)
    say(county, other, answer="refused")
    assert offer not in text(client, path)
    say(county, notice, answer="withdrawn")
    assert offer in text(client, path)
    assert post(client, path, offer, version=0).status_code == 303
    with county.uow() as uow:
        seen = uow.get(Person, person)
        assert seen.phone is not None, "somebody changed the record since it was shown"
        version = seen.version
    assert post(client, path, offer, version=version).status_code == 303
    assert offer not in text(client, path)
    with county.uow() as uow:
        assert uow.get(Person, person).phone is None
    assert "phone" in (entries(county, "person.edit")[-1].before or {})
    sees = county.client("grid_leader", area=TOWN)
    assert post(sees, f"/persons/{person}", offer, version=version + 1).status_code == 403


def test_a_childs_phone_is_taken_down_with_the_guardians_consent_only(county: County) -> None:
    id = child(county, phone="15400000013")
    notice = published(county, kind="guardian", whom="under_14", title="监护人同意书")
    assert standing(county, notice, "open") == {"李小苗": "missing"}
    keys_of = county.runtime.tenant_keys

    def change(**changes: Any) -> None:
        with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
            version = uow.get(Person, id).version
            edit_person(uow, keys=keys_of(uow), person_id=id, version=version, changes=changes)

    change(phone="15400000013", note="一样的号码可以保存")
    with pytest.raises(Invalid) as caught:
        change(phone="15400000088")
    assert "同意记录" in str(caught.value.fields["phone"][0])
    home = id_of(county, Household, code="6109211002000077")
    new = {"name": "李二苗", "relation": "20", "birth_date": years_ago(7).isoformat(), "phone": "15400000089"}
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow, pytest.raises(Invalid) as caught:
        add_person(uow, keys=keys_of(uow), household_id=home, values=new)
    assert set(caught.value.fields) == {"phone"}
    headers = county.bearer(county.account_with(HOUSEHOLD_VIEW, HOUSEHOLD_EDIT))
    api = county.client().post(f"/api/v1/households/{home}/persons", json=new, headers=headers)
    assert api.status_code == 422
    client = county.client("village", area=TOWN)
    assert "没有监护人同意" in text(client, f"/persons/{id}"), "what stands is pointed out"
    with pytest.raises(Invalid) as caught:
        say(county, notice, "李小苗")
    assert set(caught.value.fields) == {"guardian_name", "guardian_relation"}
    say(county, notice, "李小苗", guardian_name="李父亲", guardian_relation="父亲")
    change(phone="15400000088")
    assert "没有监护人同意" not in text(client, f"/persons/{id}")

    def without() -> set[str]:
        admin = county.client("county_admin")
        return {"李小苗"} if "李小苗" in text(admin, "/persons?area=all&care=no_consent") else set()

    assert without() == set()
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        other = {**WORDS, "change_note": "另作他用", "again": True}
        service_notice.edit_draft(uow, id=notice, version=0, values=other)
    assert without() == set(), "a draft asks nobody"
    publish(county, notice)
    assert without() == {"李小苗"}, "consent to the old words is asked for again"
    with pytest.raises(Invalid):
        change(phone="15400000090")
    say(county, notice, "李小苗", guardian_name="李父亲", guardian_relation="父亲")
    assert without() == set()
    say(county, notice, "李小苗", "withdrawn", guardian_name="李父亲", guardian_relation="父亲")
    assert without() == {"李小苗"}
    with pytest.raises(Invalid):
        change(phone="15400000090")
    with county.uow(county.actor(CARE_EDIT)) as uow:
        earlier = {**GUARDIAN, "consent_on": (today() - timedelta(days=9)).isoformat(), "guardian_phone": ""}
        service_care.set_care(uow, keys=keys_of(uow), person_id=id, version=0, values=earlier)
    assert without() == {"李小苗"}, "the last word counts"
    with county.uow() as uow:
        uow.session.execute(delete(PersonConsent))
    assert without() == set()
    change(phone="15400000090")


def test_a_copy_holds_them_and_an_erasure_keeps_the_least(county: County) -> None:
    id, person = published(county), id_of(county, Person, name="王德福")
    say(county, id, how="spoken", witness="李支书", note="院坝会上")
    with county.uow() as uow:
        facts = record.facts_of(uow, county.runtime.tenant_keys(uow), uow.get(Person, person))
    (fact,) = [one for one in facts if one.key == f"consent.{id}"]
    assert "同意，第1版" in fact.value
    assert fact.name == WORDS["title"]
    done = erase(county, person)
    assert "consents" in done.outcome["erased"]
    (row,) = rows(county)
    assert (row.answer, row.on, row.witness, row.note) == ("given", today(), "", "")


def test_a_withdrawal_counts_whichever_of_two_records_of_a_person_it_was_said_to(thrice: County) -> None:
    id = published(thrice)
    stays, goes = (id_of(thrice, Person, name=name) for name in ("李建国", "李建国二"))
    said = (
        ("李建国", "given", "2026-01-02"),
        ("李建国二", "given", "2026-01-03"),
        ("李建国二", "withdrawn", "2026-03-03"),
    )
    for name, answer, on in said:
        say(thrice, id, name, answer, on=on)
    pair = merge(thrice, "person", stays, goes)
    assert standing(thrice, id, "withdrawn") == {"李建国": "withdrawn"}
    assert standing(thrice, id, "given") == {}
    assert [(one.person_id, one.current) for one in rows(thrice)] == [(stays, False), (stays, False), (stays, True)]
    unmerge(thrice, pair)
    assert standing(thrice, id, "given") == {"李建国": "given"}
    assert standing(thrice, id, "withdrawn") == {"李建国二": "withdrawn"}
    assert [(one.person_id, one.current) for one in rows(thrice)] == [(stays, True), (goes, False), (goes, True)]


def test_a_list_that_is_too_long_is_not_exported_in_part(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    id = published(county)
    monkeypatch.setattr(policy_consent, "EXPORT_LIMIT", 1)
    admin, path = county.client("county_admin"), f"/privacy/notices/{id}/persons/export?area=all"
    before = len(entries(county, "person_consent.export"))
    answer = post(admin, path, path, purpose="核查", format="xlsx")
    assert answer.status_code == 422
    assert "超过 1 行" in answer.text
    assert len(entries(county, "person_consent.export")) == before
    say(county, id)
    one = f"{path}&standing=given"
    post(admin, one, one, purpose="核查", format="xlsx").close()
    assert len(entries(county, "person_consent.export")) == before + 1


def test_who_consented_is_searched_and_sorted(county: County) -> None:
    id = published(county)
    client, path = county.client("county_admin"), f"/privacy/notices/{id}/persons?area=all"

    def shown(more: str) -> list[str]:
        return re.findall("王德福|陈桂兰|吴·木子|周永贵", text(client, f"{path}{more}").partition("<tbody")[2])

    assert shown("&q=wdf") == ["王德福"]
    assert shown("&sort=name") == ["陈桂兰", "王德福", "吴·木子", "周永贵"]
    assert shown("&sort=-name") == ["周永贵", "吴·木子", "王德福", "陈桂兰"]
    assert shown("&sort=name&q=wdf&standing=given") == []
    with county.uow() as uow:
        found = queries.get_notice(uow, id)
        first = queries.list_standers(uow, found, sort="name", limit=2)
        second = queries.list_standers(uow, found, sort="name", limit=2, after=first.next)
        assert [row.name for row in second.rows] == ["吴·木子", "周永贵"]
        back = queries.list_standers(uow, found, sort="name", limit=2, before=second.back)
        assert [row.name for row in back.rows] == ["陈桂兰", "王德福"]
    headers = county.bearer(county.account_with(CONSENT_VIEW))
    answer = county.client().get(f"/api/v1/notices/{id}/persons?fields=name&sort=-name&q=w", headers=headers)
    assert [row["name"] for row in answer.json["items"]] == ["吴·木子", "王德福"]
    assert county.client().get(f"/api/v1/notices/{id}/persons?sort=nope", headers=headers).status_code == 422
    export = f"/privacy/notices/{id}/persons/export?area=all&q=wdf"
    file = post(client, export, export, purpose="核查", format="csv").text
    assert "王德福" in file
    assert "周永贵" not in file


def test_a_form_for_a_sensitive_mark_tells_nobody_who_has_it(county: County) -> None:
    id, person = published(county, whom="mark:disabled", title="残疾人信息同意书"), id_of(county, Person, name="王德福")
    listing, own = f"/privacy/notices/{id}/persons", f"/privacy/persons/{person}/consents"
    town, admin = county.client("town", area=TOWN), county.client("county_admin")
    assert "王德福" not in text(town, listing)
    assert "残疾人信息同意书" not in text(town, own)
    assert "残疾人信息同意书" not in text(town, f"/persons/{person}")
    there = county.bearer(county.account_with(CONSENT_VIEW, CONSENT_EDIT, area=TOWN))
    api = f"/api/v1/persons/{person}/consents"
    said = {"notice_id": id, "answer": "given", "how": "phone"}
    made = county.client().post(api, json=said, headers=there)
    assert (made.status_code, made.json["answer"]) == (201, "given"), "who was told it writes it down"
    assert county.client().get(api, headers=there).json["items"] == []
    assert county.client().get(f"/api/v1/notices/{id}/persons", headers=there).json["items"] == []
    assert "王德福" not in text(town, listing)
    closed = text(admin, listing)
    assert "王德福" not in closed
    assert "说明目的后查看" in closed
    assert post(admin, "/purpose", "/purpose", purpose="核对同意书", next=listing).status_code == 303
    assert "王德福" in text(admin, listing)
    assert "残疾人信息同意书" in text(admin, own)
    log = text(admin, f"/privacy/persons/{person}/log")
    assert log.count("核对同意书") == 2, "the list and the page stand in the person's own log"
