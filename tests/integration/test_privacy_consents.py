"""Notices in versions, and what people said to them: published words stay, withdrawing is as easy as giving."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from households_kit import OTHER_TOWN, TOWN, VILLAGE, entries, filled_county, id_of, post, text
from sqlalchemy import delete, select
from tests.integration.test_privacy_care import GUARDIAN, years_ago
from tests.integration.test_privacy_erasure import erase

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.households.service_persons import add_person, edit_person
from xiangyue.features.imports.models_erased import ErasedPerson
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import record, service_care, service_consent, service_notice
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.models_care import PersonCare
from xiangyue.features.privacy.models_consent import Notice, NoticeVersion, PersonConsent
from xiangyue.features.privacy.policy_care import CARE_EDIT
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, CONSENT_VIEW, NOTICE_MANAGE, NOTICE_VIEW
from xiangyue.features.privacy.profile import apply_notices
from xiangyue.tenancy.profile import load_profile
from xiangyue.testing.fixtures import ROOT, County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]

WORDS = {
    "title": "个人信息收集使用同意书",
    "title_en": "Consent to keeping personal data",
    "body": "为联系群众，村委会登记您的电话。\n您可以不同意。",
    "body_en": "To reach you, the village keeps your phone.",
    "purpose": "联系群众、通知办事",
    "lawful_basis": "consent",
    "source": "个人信息保护法第十三条",
    "fields": "电话\n备注",
    "retention": "在册期间",
    "handler": "东南村委会，0915-0000000",
    "consequence": "不再电话通知，改为上门。",
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def _clear(county: County) -> Iterator[None]:
    with county.uow() as uow:
        uow.session.execute(delete(Notice))
    yield
    with county.uow() as uow:
        for model in (PersonConsent, NoticeVersion, Notice, PersonCare, PrivacyRequest, ErasedPerson):
            uow.session.execute(delete(model))


def draft(county: County, **values: Any) -> int:
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        return service_notice.add_notice(uow, values={**WORDS, "kind": "consent", **values}).id


def publish(county: County, id: int) -> NoticeVersion:
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        found = queries.get_notice(uow, id).draft
        return service_notice.publish_draft(uow, id=id, version=found.version if found is not None else 0)


def published(county: County, **values: Any) -> int:
    id = draft(county, **values)
    publish(county, id)
    return id


def say(county: County, notice: int, name: str = "王德福", answer: str = "given", **values: Any) -> PersonConsent:
    person = id_of(county, Person, name=name)
    with county.uow(county.actor(CONSENT_EDIT)) as uow:
        values = {"answer": answer, "how": "phone", **values}
        return service_consent.record_consent(uow, person_id=person, notice_id=notice, values=values)


def standing(county: County, notice: int, which: str = "") -> dict[str, str]:
    with county.uow() as uow:
        found = queries.list_standers(uow, queries.get_notice(uow, notice), standing=which)
        return {row.name: row.standing for row in found.rows}


def child(county: County, **more: Any) -> int:
    row = {"name": "李小苗", "relation": "02", "birth_date": years_ago(9), **more}
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        upsert_households(uow, keys, [HouseholdRow(VILLAGE + 3, "6109211002000077", "三组77号", [row])], source="t")
    return id_of(county, Person, name="李小苗")


def test_published_words_stay_and_a_new_version_says_what_is_other(county: County) -> None:
    with pytest.raises(Invalid) as caught:
        draft(county, title="", fields="", lawful_basis="because", kind="poem", whom="mark:none")
    assert set(caught.value.fields) == {"title", "fields", "lawful_basis", "kind", "whom"}
    id = draft(county)
    first = publish(county, id)
    assert (first.number, first.state, first.published_on) == (1, "published", today())
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        with pytest.raises(Conflict):
            service_notice.publish_draft(uow, id=id, version=2)
        with pytest.raises(Stale):
            service_notice.edit_draft(uow, id=id, version=first.version, values=WORDS)
        with pytest.raises(Invalid) as caught:
            service_notice.edit_draft(uow, id=id, version=0, values={**WORDS, "body": "新的正文"})
        assert set(caught.value.fields) == {"change_note"}
        new = {**WORDS, "body": "新的正文", "change_note": "正文更清楚"}
        second = service_notice.edit_draft(uow, id=id, version=0, values=new)
        assert (second.number, second.state) == (2, "draft")
    publish(county, id)
    with county.uow() as uow:
        old, new_one = sorted(queries.get_notice(uow, id).versions, key=lambda v: v.number)
        assert (old.state, old.body, old.ended_on) == ("superseded", WORDS["body"], today())
        assert (new_one.state, new_one.body) == ("published", "新的正文")
    page = text(county.client("county_admin"), f"/privacy/notices/{id}")
    assert "您可以不同意" in page
    assert "新的正文" in page
    assert "正文更清楚" in page
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        notice = uow.get(Notice, id)
        service_notice.withdraw_notice(uow, id=id, version=notice.version)
    assert county.client().get(f"/notices/{id}").status_code == 404


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


def rows(county: County) -> list[PersonConsent]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(PersonConsent).order_by(PersonConsent.id)))


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
    assert "王德福" in listing
    admin, export = county.client("county_admin"), f"/privacy/notices/{id}/persons/export?standing=withdrawn&area=all"
    assert post(admin, export, export, purpose="", format="xlsx").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(post(admin, export, export, purpose="核查", format="xlsx").data))
    assert [r[0] for r in book.active.iter_rows(values_only=True)][2:] == ["王德福"]
    assert "核查" in text(admin, f"/privacy/persons/{person}/log")
    notices = "/privacy/notices/export"
    post(admin, notices, notices, purpose="核查", format="csv").close()
    assert entries(county, "notice.export")[-1].purpose == "核查"


def test_drafts_are_written_published_and_read_on_the_board(county: County) -> None:
    client = county.client("county_admin")
    new = "/privacy/notices/new"
    bad = post(client, new, "/privacy/notices", kind="consent", whom="phone", **{**WORDS, "handler": ""})
    assert bad.status_code == 422
    assert "您可以不同意" in bad.text
    made = post(client, new, "/privacy/notices", kind="consent", whom="phone", **WORDS)
    path = made.headers["Location"]
    id = int(path.rpartition("/")[2])
    assert county.client().get(f"/notices/{id}").status_code == 404, "a draft is nobody's"
    edited = post(client, f"{path}/draft", f"{path}/draft", version=1, **{**WORDS, "body": "改过的草稿"})
    assert edited.status_code == 303
    late = post(client, f"{path}/draft", f"{path}/draft", version=1, **WORDS)
    assert late.status_code == 409
    assert post(client, path, f"{path}/publish", version=2).status_code == 303
    board = text(county.client(), f"/notices/{id}")
    assert "改过的草稿" in board
    assert "0915-0000000" in board
    assert "征求对象" in text(client, path)
    assert "个人信息收集使用同意书" in text(client, "/privacy/notices?kind=consent&state=published")
    assert "没有符合条件的文书" in text(client, "/privacy/notices?kind=guardian")
    again = post(client, path, f"{path}/publish", version=9)
    assert again.status_code == 409
    english = county.client("county_admin", locale="en")
    person = id_of(county, Person, name="王德福")
    say(county, id)
    for url in (
        "/privacy/notices", new, path, f"{path}/draft", f"/notices/{id}", f"{path}/persons?area=all",
        f"/privacy/persons/{person}/consents", f"/persons/{person}", f"{path}/persons/export?area=all",
    ):  # fmt: skip
        assert english_page_faults(text(english, url)) == [], url


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


def test_programs_write_notices_and_record_answers(county: County) -> None:
    headers = county.bearer(county.account_with(NOTICE_VIEW, NOTICE_MANAGE, CONSENT_VIEW, CONSENT_EDIT))
    client, base, person = county.client(), "/api/v1/notices", id_of(county, Person, name="王德福")
    made = client.post(base, json={**WORDS, "fields": ["电话"], "kind": "consent"}, headers=headers)
    assert made.status_code == 201, made.text
    one, tag = made.json, made.headers["ETag"]
    assert (one["state"], one["versions"][0]["fields"]) == ("draft", ["电话"])
    assert client.post(f"{base}/{one['id']}/publish", headers=headers).status_code == 428
    out = client.post(f"{base}/{one['id']}/publish", headers={**headers, "If-Match": tag})
    assert out.json["state"] == "published"
    words = {**WORDS, "fields": ["电话"], "change_note": "无", "again": True}
    new = client.put(f"{base}/{one['id']}/draft", json=words, headers={**headers, "If-Match": out.headers["ETag"]})
    assert [v["state"] for v in new.json["versions"]] == ["draft", "published"]
    old = {**headers, "If-Match": out.headers["ETag"]}
    assert client.put(f"{base}/{one['id']}/draft", json=words, headers=old).status_code == 412
    path = f"/api/v1/persons/{person}/consents"
    answer = {"notice_id": one["id"], "answer": "given", "how": "phone"}
    said = client.post(path, json=answer, headers=headers)
    assert (said.status_code, said.json["number"], said.json["current"]) == (201, 1, True)
    assert client.get(path, headers=headers).json["items"][0]["outdated"] is False
    found = client.get(f"{base}/{one['id']}/persons?standing=given&fields=name,standing", headers=headers).json
    assert found["items"] == [{"name": "王德福", "standing": "given"}]
    listed = client.get(f"{base}?kind=consent&fields=id,state", headers=headers).json
    assert listed["items"] == [{"id": one["id"], "state": "published"}]
    gone = client.get(f"{base}/{one['id']}", headers=headers)
    tag = gone.headers["ETag"]
    ended = client.post(f"{base}/{one['id']}/withdraw", headers={**headers, "If-Match": tag})
    assert ended.json["state"] == "withdrawn"


def test_the_profiles_notices_are_published_and_reworded_as_new_versions(county: County) -> None:

    profile = load_profile(ROOT / "tenants" / "hanyin")
    assert profile.notices, "the sample profile has one"

    def apply(of: Any) -> list[str]:
        with county.uow() as uow:
            return [change.verb for change in apply_notices(uow, of, county.runtime.registry)]

    assert set(apply(profile)) == {"add"}
    assert apply(profile) == [], "applied twice, nothing changes"
    first = profile.notices[0]
    reworded = replace(first, text_zh=(*first.text_zh, "新增一段。"), change_note="新增一段", again=True)
    other = replace(profile, notices=(reworded, *profile.notices[1:]))
    assert apply(other) == ["change"]
    with county.uow() as uow:
        id = uow.session.scalars(select(Notice.id).where(Notice.profile_key == first.key)).one()
        assert [(v.number, v.state) for v in queries.get_notice(uow, id).versions] == [
            (2, "published"), (1, "superseded"),
        ]  # fmt: skip
