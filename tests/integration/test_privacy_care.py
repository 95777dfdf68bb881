"""Children and old people: carers, guardians' consent, helpers, referrals; who lives alone, in lists and groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from households_kit import OTHER_TOWN, TOWN, VILLAGE, entries, id_of, post, text
from sqlalchemy import delete, select

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.groups import household_ids
from xiangyue.features.households.models import Household, NameSuffix, Person, PersonMark
from xiangyue.features.households.models_register import HouseholdMember
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_VIEW, IDENTIFIER_REVEAL
from xiangyue.features.privacy import queries_care, service, service_care, service_erase
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.models_care import CareReferral, PersonCare
from xiangyue.features.privacy.policy import ERASE, REQUEST
from xiangyue.features.privacy.policy_care import CARE_EDIT, CARE_VIEW
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


def years_ago(years: int) -> date:
    day = today()
    return day.replace(year=day.year - years, day=min(day.day, 28))


def people() -> list[HouseholdRow]:
    old = {"name": "孙独居", "relation": "02", "sex": 1, "birth_date": years_ago(75)}
    pair = [
        {"name": "钱大爷", "relation": "02", "sex": 1, "birth_date": years_ago(66), "phone": "15400000011"},
        {"name": "周大娘", "relation": "12", "sex": 2, "birth_date": years_ago(64)},
    ]
    family = [
        {"name": "李爷爷", "relation": "02", "sex": 1, "birth_date": years_ago(68), "phone": "15400000012"},
        {"name": "李小苗", "relation": "40", "sex": 2, "birth_date": years_ago(9), "phone": "15400000013"},
        {"name": "李父亲", "relation": "20", "sex": 1, "birth_date": years_ago(35), "away": True},
    ]
    young = {"name": "赵青年", "relation": "02", "sex": 1, "birth_date": years_ago(30)}
    rows = ([old], pair, family, [young])
    return [
        HouseholdRow(VILLAGE + 3, f"610921100200{n:04}", f"三组{n}号", list(some)) for n, some in enumerate(rows, 51)
    ]


@pytest.fixture(scope="module", name="county")
def with_families(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), people(), source="t")
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CareReferral, PersonCare, NameSuffix, PersonMark, HouseholdMember, Person, Household):
            uow.session.execute(delete(model))


@pytest.fixture(autouse=True)
def _clear(county: County) -> Any:
    yield
    with county.uow() as uow:
        for model in (CareReferral, PersonCare):
            uow.session.execute(delete(model))


def person(county: County, name: str) -> int:
    return id_of(county, Person, name=name)


def care(county: County, name: str, version: int = 0, **values: Any) -> PersonCare:
    id = person(county, name)
    with county.uow(county.actor(CARE_EDIT)) as uow:
        keys = county.runtime.tenant_keys(uow)
        return service_care.set_care(uow, keys=keys, person_id=id, version=version, values=values)


CHILD = {"carer_name": "李爷爷", "carer_relation": "祖父", "left_behind": "both"}
GUARDIAN = {
    "guardian_name": "李父亲",
    "guardian_relation": "父亲",
    "guardian_phone": "154 0000 0019",
    "consent_on": "2026-03-01",
    "consent_how": "paper",
}


def test_a_carer_is_recorded_and_a_lost_update_is_seen(county: County) -> None:
    made = care(county, "李小苗", **CHILD)
    assert (made.carer_name, made.version) == ("李爷爷", 1)
    with pytest.raises(Stale):
        care(county, "李小苗", carer_name="别人")
    changed = care(county, "李小苗", 1, carer_name="")
    assert (changed.carer_name, changed.left_behind, changed.version) == ("", "both", 2)
    assert care(county, "李小苗", 2, left_behind="both").version == 2, "nothing changed"
    with pytest.raises(Invalid) as caught:
        care(county, "李小苗", 2, left_behind="perhaps", guardian_phone="12", consent_on="2999-01-01")
    assert set(caught.value.fields) == {"left_behind", "guardian_phone", "consent_on"}
    assert entries(county, "person_care.edit")[-1].after == {"carer_name": ""}


def test_under_fourteen_a_guardians_phone_needs_the_guardians_consent(county: County) -> None:
    without = {name: value for name, value in GUARDIAN.items() if not name.startswith("consent")}
    with pytest.raises(Invalid) as caught:
        care(county, "李小苗", **without)
    assert set(caught.value.fields) == {"consent_on"}
    with pytest.raises(Invalid) as caught:
        care(county, "李小苗", consent_on="2026-03-01")
    assert set(caught.value.fields) == {"consent_how", "guardian_name"}
    care(county, "李小苗", **GUARDIAN)
    with county.uow() as uow:
        row = uow.session.scalars(select(PersonCare)).one()
        assert b"15400000019" not in (row.guardian_phone or b""), "encrypted"
        assert queries_care.masked_phone(county.runtime.tenant_keys(uow), row) == "154****0019"
    assert "15400000019" not in str(entries(county, "person_care.edit")[-1].after)


def test_the_guardians_phone_is_shown_for_a_purpose_that_stands_in_the_log(county: County) -> None:
    care(county, "李小苗", **GUARDIAN)
    id = person(county, "李小苗")
    with county.uow(county.actor(IDENTIFIER_REVEAL)) as uow:
        keys = county.runtime.tenant_keys(uow)
        with pytest.raises(Invalid):
            service_care.reveal_guardian_phone(uow, keys=keys, person_id=id, purpose="")
        assert service_care.reveal_guardian_phone(uow, keys=keys, person_id=id, purpose="通知家长") == "15400000019"
    page = text(county.client("county_admin"), f"/privacy/persons/{id}/log?seen=identifiers")
    assert "通知家长" in page


def test_a_child_is_referred_and_the_director_answers(county: County) -> None:
    id = person(county, "李小苗")
    with county.uow(county.actor(CARE_EDIT)) as uow:
        with pytest.raises(Invalid) as caught:
            service_care.refer_child(uow, person_id=id, director="", reason="")
        assert set(caught.value.fields) == {"director", "reason"}
        row = service_care.refer_child(uow, person_id=id, director="王主任", reason="无人辅导")
        with pytest.raises(Conflict):
            service_care.refer_child(uow, person_id=id, director="王主任", reason="再次")
        with pytest.raises(Conflict):
            service_care.refer_child(uow, person_id=person(county, "孙独居"), director="王主任", reason="老人")
    village = county.client("village", area=TOWN)
    assert "李小苗，已转介给王主任" in text(village, "/")
    assert "李小苗，已转介给王主任" not in text(county.client("village", area=OTHER_TOWN), "/")
    with county.uow(county.actor(CARE_EDIT)) as uow:
        with pytest.raises(Stale):
            service_care.close_referral(uow, id=row.id, version=7, outcome="好")
        done = service_care.close_referral(uow, id=row.id, version=1, outcome="已入户，每周辅导一次")
        assert (done.state, done.closed_on) == ("closed", today())
        with pytest.raises(Conflict):
            service_care.close_referral(uow, id=row.id, version=2, outcome="再次")


def names(county: County, condition: str, **options: Any) -> set[str]:
    headers = county.bearer(county.account_with(*options.pop("rights", (HOUSEHOLD_VIEW, CARE_VIEW)), **options))
    answer = county.client().get(f"/api/v1/persons?care={condition}&fields=name", headers=headers)
    assert answer.status_code == 200, answer.text
    return {item["name"] for item in answer.json["items"]}


def test_persons_are_found_by_company_phone_and_care(county: County) -> None:
    assert names(county, "alone_60") == {"孙独居"}
    assert names(county, "alone_70") == {"孙独居"}
    assert names(county, "alone_80") == set()
    assert names(county, "old_only") == {"钱大爷", "周大娘"}
    assert names(county, "no_phone") == {"孙独居", "周大娘"}
    assert names(county, "no_helper") == {"孙独居", "周大娘"}
    assert names(county, "no_carer") == {"李小苗"}
    assert names(county, "no_consent") == {"李小苗"}
    assert names(county, "left_behind") == names(county, "referred") == set()
    care(county, "孙独居", helper_name="赵青年", helper_relation="邻居")
    care(county, "李小苗", **CHILD, **GUARDIAN)
    with county.uow(county.actor(CARE_EDIT)) as uow:
        service_care.refer_child(uow, person_id=person(county, "李小苗"), director="王主任", reason="无人辅导")
    assert names(county, "no_helper") == {"周大娘"}
    assert names(county, "no_carer") == names(county, "no_consent") == set()
    assert names(county, "left_behind") == names(county, "referred") == {"李小苗"}


def test_what_is_recorded_of_care_needs_its_right_where_the_person_lies(county: County) -> None:
    assert names(county, "alone_70", rights=(HOUSEHOLD_VIEW,)) == {"孙独居"}
    headers = county.bearer(county.account_with(HOUSEHOLD_VIEW))
    assert county.client().get("/api/v1/persons?care=no_carer", headers=headers).status_code == 422
    id = person(county, "李小苗")
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow, pytest.raises(Forbidden):
        service_care.refer_child(uow, person_id=id, director="王主任", reason="无人辅导")
    with county.uow(county.actor(CARE_EDIT, area=OTHER_TOWN)) as uow, pytest.raises(NotFound):
        service_care.refer_child(uow, person_id=id, director="王主任", reason="无人辅导")
    assert county.client("department").get(f"/privacy/persons/{id}/care").status_code == 403
    assert county.client("village", area=OTHER_TOWN).get(f"/privacy/persons/{id}/care").status_code == 404


def test_households_of_old_people_are_a_group_for_views_and_plugins(county: County) -> None:
    def codes(query: str) -> set[str]:
        with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
            ids = list(household_ids(uow, query))
            return set(uow.session.scalars(select(Household.address).where(Household.id.in_(ids))))

    assert codes("elders=alone_60") == codes("elders=alone_70&area=610921100") == {"三组51号"}
    assert codes("elders=alone_80") == set()
    assert codes("elders=old_only") == {"三组52号"}
    client = county.client("county_admin")
    assert "70岁以上独居户" in text(client, "/households?area=all")
    assert "孙独居" in text(client, "/households?area=all&elders=alone_70")
    page = text(client, "/persons?area=all&care=old_only")
    assert "钱大爷" in page
    assert "李爷爷" not in page


def test_pages_ask_what_fits_the_age(county: County) -> None:
    client = county.client("village", area=TOWN)
    child, elder = person(county, "李小苗"), person(county, "孙独居")
    panel = text(client, f"/persons/{child}")
    assert "未登记照料人" in panel
    assert "没有监护人同意" in panel
    assert "无电话、无代办人" in text(client, f"/persons/{elder}")
    assert "照料与代办" not in text(client, f"/persons/{person(county, '赵青年')}")
    form = text(client, f"/privacy/persons/{elder}/care")
    assert "代办人姓名" in form
    assert "监护人姓名" not in form
    path = f"/privacy/persons/{child}/care"
    wrong = post(client, path, path, version=0, **{**GUARDIAN, "consent_on": ""})
    assert wrong.status_code == 422
    assert "须监护人同意" in wrong.text
    assert "154 0000 0019" in wrong.text, "what was typed is kept"
    assert post(client, path, path, version=0, **CHILD, **GUARDIAN).status_code == 303
    shown = text(client, f"/persons/{child}")
    assert "李爷爷 · 祖父" in shown.replace('</span> · <span lang="zh-CN">', " · ").replace("</span>", "")
    assert "154****0019" in shown
    assert "15400000019" not in shown
    sent = post(client, path, f"/privacy/persons/{child}/referrals", director="王主任", reason="无人辅导")
    assert sent.status_code == 303
    told = text(client, f"/persons/{child}")
    assert "director:" not in told, "the timeline has words for it"
    assert "留守情况: both" not in told
    assert "父母双方外出" in told
    with county.uow() as uow:
        row = uow.session.scalars(select(CareReferral)).one()
    again = post(client, path, f"/privacy/referrals/{row.id}/close", version=1, outcome="")
    assert again.status_code == 422
    done = post(client, path, f"/privacy/referrals/{row.id}/close", version=1, outcome="已入户")
    assert done.status_code == 303
    assert "已入户" in text(client, path)


def test_a_form_saved_late_shows_what_somebody_else_saved(county: County) -> None:
    client, id = county.client("village", area=TOWN), person(county, "李小苗")
    path = f"/privacy/persons/{id}/care"
    care(county, "李小苗", **CHILD)
    opened = {"carer_name": "李爷爷", "carer_relation": "祖父", "note": ""}
    care(county, "李小苗", 1, carer_name="李外婆", note="每周一次")
    late = {"version": 1, "opened": json.dumps(opened), **opened}
    both = post(client, path, path, **{**late, "carer_name": "李奶奶"})
    assert both.status_code == 409
    for words in ("李奶奶", "李外婆", "xy-conflict"):
        assert words in both.text, words
    assert 'value="2"' in both.text, "saving again writes mine"
    apart = post(client, path, path, **{**late, "carer_relation": "外祖母"})
    assert apart.status_code == 303
    with county.uow() as uow:
        row = uow.session.scalars(select(PersonCare)).one()
    assert (row.carer_name, row.carer_relation, row.note) == ("李外婆", "外祖母", "每周一次")


def test_pages_are_english_for_english_readers(county: County) -> None:
    care(county, "李小苗", **CHILD, **GUARDIAN)
    client = county.client("county_admin", locale="en")
    for name in ("李小苗", "孙独居"):
        id = person(county, name)
        assert english_page_faults(text(client, f"/privacy/persons/{id}/care")) == []
        assert english_page_faults(text(client, f"/persons/{id}")) == []
    assert english_page_faults(text(client, "/persons?area=all&care=no_carer")) == []


def test_programs_read_and_write_it(county: County) -> None:
    headers = county.bearer(county.account_with(CARE_VIEW, CARE_EDIT))
    client, id = county.client(), person(county, "李小苗")
    path = f"/api/v1/persons/{id}/care"
    first = client.get(path, headers=headers)
    assert (first.json["version"], first.json["child"], first.json["consent_missing"]) == (0, True, True)
    tag = {**headers, "If-Match": first.headers["ETag"]}
    made = client.patch(path, json={**CHILD, **GUARDIAN}, headers=tag)
    assert made.status_code == 200, made.text
    assert (made.json["guardian_phone"], made.json["consent_missing"]) == ("154****0019", False)
    assert client.patch(path, json=CHILD, headers=tag).status_code == 412
    sent = client.post(
        f"/api/v1/persons/{id}/referrals", json={"director": "王主任", "reason": "无人辅导"}, headers=headers
    )
    assert sent.status_code == 201
    closed = client.post(
        f"/api/v1/referrals/{sent.json['id']}/close",
        json={"outcome": "已入户"},
        headers={**headers, "If-Match": sent.headers["ETag"]},
    )
    assert closed.json["state"] == "closed"
    assert json.loads(client.get(path, headers=headers).data)["referrals"][0]["outcome"] == "已入户"


def test_an_erasure_takes_it_along(county: County) -> None:
    care(county, "赵青年", helper_name="李父亲", helper_relation="邻居")
    id = person(county, "赵青年")
    asked = {"kind": "erase", "asked": "都删掉", "channel": "counter", "identity": "card"}
    with county.uow(county.actor(REQUEST, ERASE)) as uow:
        request = service.register_request(uow, person_id=id, values=asked)
        service.take_up(uow, id=request.id, version=1)
        version = uow.get(Person, id).version
        done = service_erase.erase_person(uow, id=request.id, version=2, person_version=version, text="已删除")
    assert done.outcome["erased"] == ["care"]
    with county.uow() as uow:
        assert not uow.session.scalars(select(PersonCare)).all()
        uow.session.execute(delete(PrivacyRequest))
