"""Notices in versions: published words stay, the board is for everybody, a profile brings them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from consents_kit import WORDS, clear, draft, publish, published, say
from households_kit import entries, filled_county, id_of, post, text
from sqlalchemy import select, update
from tests.integration.test_imports_pages import head, roster, send, uploaded

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import service_notice
from xiangyue.features.privacy.models_consent import Notice
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, CONSENT_VIEW, NOTICE_MANAGE, NOTICE_VIEW
from xiangyue.features.privacy.profile import apply_notices
from xiangyue.tenancy.profile import load_profile
from xiangyue.testing.fixtures import ROOT, County
from xiangyue.testing.source import english_page_faults

__all__ = ["clear", "filled_county"]


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
    with pytest.raises(Conflict) as caught:
        apply(replace(profile, notices=(replace(reworded, whom="under_14"), *profile.notices[1:])))
    assert first.key in str(caught.value), "what people answered was an answer to that kind of form"


def test_an_import_names_the_notice_by_which_people_were_told(county: County) -> None:
    id = published(county, kind="notice")
    client = county.client("county_admin")
    page = text(client, "/imports/new")
    assert "个人信息收集使用同意书 (1)" in page
    with county.uow() as uow:
        version = queries.get_notice(uow, id).versions[0].id
    batch = uploaded(client, roster(head(77, id_number=None)), notice=str(version))
    shown = text(client, f"/imports/{batch}")
    assert f"/privacy/notices/{id}" in shown
    assert (entries(county, "import.upload")[-1].after or {})["notice"] == WORDS["title"]
    refused = send(client, roster(head(78, id_number=None)), notice="999999")
    assert refused.status_code == 422
    headers = county.bearer(county.account("county_admin"))
    one = county.client().get(f"/api/v1/imports/{batch}?fields=notice_version_id", headers=headers).json
    assert one["notice_version_id"] == version
    with county.uow() as uow:
        uow.session.execute(update(ImportBatch).values(notice_version_id=None))
