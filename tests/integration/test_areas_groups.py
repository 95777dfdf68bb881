"""Villager groups: added, renamed, retired; switched between; all within one's own area."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from xiangyue.access.models import Account, AuditEntry
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.areas import policy
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.service import apply_divisions
from xiangyue.features.areas.service_groups import add_group, retire_group
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.tenancy.profile import load_profile
from xiangyue.testing.fixtures import County

PROFILES = Path(__file__).resolve().parents[2] / "tenants"
VILLAGE = 610921100200_000
OTHER_TOWN = 610921101000_000


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def post(client: Any, form_page: str, url: str, **fields: Any) -> Any:
    html = client.get(form_page).get_data(as_text=True)
    return client.post(url, data={"csrf_token": token(html), **fields})


def test_a_group_is_added_once_however_often_it_is_sent(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    page = "/areas/610921100200"
    first = post(client, page, page + "/groups", number="4", name="")
    again = post(client, page, page + "/groups", number="4", name="")
    assert (first.status_code, again.status_code) == (303, 303)
    assert "4组" in client.get(page).get_data(as_text=True)
    with hanyin.uow() as uow:
        groups = uow.session.scalars(select(Area).where(Area.area_code == VILLAGE + 4)).all()
        assert [(g.name, g.level, g.parent_code) for g in groups] == [("4组", "group", VILLAGE)]
        added = select(AuditEntry.id).where(AuditEntry.action == "area.add", AuditEntry.area_code == VILLAGE + 4)
        assert len(uow.session.scalars(added).all()) == 1


def test_a_taken_number_comes_back_with_what_was_typed(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    page = "/areas/610921100200"
    post(client, page, page + "/groups", number="5", name="河边组")
    answer = post(client, page, page + "/groups", number="5", name="山上组")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "本村已有 5 号组：河边组。" in text
    assert 'value="山上组"' in text


def test_rename_and_lost_update(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    with hanyin.uow() as uow:
        add_group(uow, village=VILLAGE, number=6)
    page = "/areas/610921100200006"
    assert post(client, page, page + "/edit", act="rename", name="沟口组", version="1").status_code == 303
    stale = post(client, page, page + "/edit", act="rename", name="沟里组", version="1")
    assert stale.status_code == 409
    assert 'value="沟里组"' in stale.get_data(as_text=True)
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Area.name).where(Area.area_code == VILLAGE + 6)).one() == "沟口组"


def test_only_an_empty_group_is_retired_and_only_with_a_reason(hanyin: County) -> None:
    with hanyin.uow() as uow:
        row = HouseholdRow(VILLAGE + 7, "6109211002000007", "", [{"name": "王德福"}])
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), [row])
        add_group(uow, village=VILLAGE, number=8)
    with hanyin.uow() as uow:
        with pytest.raises(Conflict, match="1 户"):
            retire_group(uow, code=VILLAGE + 7, reason="合并", version=1)
        with pytest.raises(Invalid):
            retire_group(uow, code=VILLAGE + 8, reason=" ", version=1)
        with pytest.raises(Stale):
            retire_group(uow, code=VILLAGE + 8, reason="合并", version=9)
        assert retire_group(uow, code=VILLAGE + 8, reason="合并", version=1).active is False
    client = hanyin.client("county_admin")
    assert "已停用" in client.get("/areas/610921100200").get_data(as_text=True)


def test_a_town_reaches_its_own_villages_only(hanyin: County) -> None:
    town = hanyin.account("town", area=OTHER_TOWN)
    client = hanyin.client(town)
    assert client.get("/areas/610921100200").status_code == 404
    assert post(client, "/areas", "/areas/610921100200/groups", number="9").status_code == 404
    tree = client.get("/areas").get_data(as_text=True)
    assert "610921101200" in tree
    assert "610921100200" not in tree
    inside = client.get("/areas/610921101200")
    assert inside.status_code == 200
    assert "汉阴县" in inside.get_data(as_text=True)  # who lies above is named
    assert client.get("/api/v1/areas/610921100").status_code == 404
    codes = {a["code"] for a in client.get("/api/v1/areas?limit=200").get_json()["items"]}
    assert codes
    assert all(code.startswith("610921101") for code in codes)
    with hanyin.uow(hanyin.actor(policy.AREA_EDIT, area=OTHER_TOWN)) as uow, pytest.raises(NotFound):
        add_group(uow, village=VILLAGE, number=9)
    with hanyin.uow(hanyin.actor(policy.AREA_VIEW)) as uow, pytest.raises(Forbidden):
        add_group(uow, village=VILLAGE, number=9)


def test_a_village_account_may_look_but_not_add(hanyin: County) -> None:
    client = hanyin.client("village", area=VILLAGE)
    page = client.get("/areas/610921100200")
    assert page.status_code == 200
    assert "/areas/610921100200/groups" not in page.get_data(as_text=True)
    assert post(client, "/areas", "/areas/610921100200/groups", number="9").status_code == 403


def test_the_other_county_sees_none_of_it(hanyin: County, tongyu: County) -> None:
    client = tongyu.client("county_admin")
    assert client.get("/areas/610921100200").status_code == 404
    assert "610921" not in client.get("/areas").get_data(as_text=True)


def test_search_by_name_pinyin_initials_and_code(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    for q in ("杨家坝", "yangjia", "yjb", "610921100203"):
        text = client.get("/areas", query_string={"q": q}).get_data(as_text=True)
        assert "/areas/610921100203" in text, q
        assert "/areas/610921101200" not in text, q
    assert "没有符合的区划" in client.get("/areas?q=zzzz").get_data(as_text=True)


def test_counts_go_up_the_tree(tongyu: County) -> None:
    with tongyu.uow() as uow:
        village = uow.session.scalars(select(Area.area_code).where(Area.level == "village").limit(1)).one()
        rows = [
            HouseholdRow(village + g, f"{village // 1000}000{g}", "", [{"name": "王德福"}, {"name": "陈桂兰"}])
            for g in (1, 2)
        ]
        upsert_households(uow, tongyu.runtime.tenant_keys(uow), rows)
    client = tongyu.client("county_admin")
    for code in (village // 1000, village // 1_000_000, 220822):
        body = client.get(f"/api/v1/areas/{code}").get_json()
        assert (body["households"], body["persons"]) == (2, 4), code


def test_switching_the_area_is_remembered_and_in_the_address(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    client = hanyin.client(account)
    assert client.get("/areas?area=610921101").status_code == 200
    with hanyin.uow() as uow:
        assert uow.get(Account, account.id).current_area == OTHER_TOWN
    there = client.get("/areas?q=x")
    assert there.status_code == 302
    assert "area=610921101000" in there.headers["Location"]
    text = client.get("/areas?area=610921101000").get_data(as_text=True)
    assert "610921100200" not in text
    answer = post(client, "/areas?area=all", "/areas/switch", area="610921100200", next="/areas")
    assert answer.headers["Location"] == "/areas?area=610921100200"
    with hanyin.uow() as uow:
        assert uow.get(Account, account.id).current_area == VILLAGE


def test_the_switch_does_not_lead_out_of_ones_area(hanyin: County) -> None:
    client = hanyin.client("town", area=OTHER_TOWN)
    assert client.get("/areas?area=610921100200").status_code == 404
    assert post(client, "/areas", "/areas/switch", area="610921100200").status_code == 404
    page = client.get("/areas?area=all").get_data(as_text=True)
    assert 'data-code="610921101200"' in page
    assert 'data-code="610921100200"' not in page


def test_groups_over_the_api_with_etag(hanyin: County) -> None:
    admin = hanyin.client("county_admin")
    html = admin.get("/areas").get_data(as_text=True)
    headers = {"X-CSRF-Token": token(html)}
    made = admin.post("/api/v1/areas/610921100203/groups", json={"number": 2, "name": "新房组"}, headers=headers)
    assert (made.status_code, made.get_json()["code"]) == (201, "610921100203002")
    url, tag = "/api/v1/areas/610921100203002", made.headers["ETag"]
    assert admin.patch(url, json={"name": "老房组"}, headers=headers).status_code == 428
    changed = admin.patch(url, json={"name": "老房组"}, headers={**headers, "If-Match": tag})
    assert (changed.status_code, changed.get_json()["name"]) == (200, "老房组")
    lost = admin.patch(url, json={"name": "别组"}, headers={**headers, "If-Match": tag})
    assert (lost.status_code, lost.get_json()["current"]["name"]) == (412, "老房组")
    retired = admin.patch(
        url, json={"active": False, "reason": "合并"}, headers={**headers, "If-Match": changed.headers["ETag"]}
    )
    assert retired.get_json()["active"] is False
    bad = admin.post("/api/v1/areas/610921100203/groups", json={"number": 0}, headers=headers)
    assert (bad.status_code, bad.get_json()["errors"][0]["path"]) == (422, "number")


def test_the_list_pages_by_cursor_and_chooses_fields(hanyin: County) -> None:
    client = hanyin.client("auditor")
    first = client.get("/api/v1/areas?level=village&limit=100&fields=code,name").get_json()
    second = client.get(f"/api/v1/areas?level=village&limit=100&fields=code,name&cursor={first['next']}").get_json()
    codes = [a["code"] for a in first["items"] + second["items"]]
    assert len(codes) == len(set(codes)) == 160
    assert second["next"] is None
    assert set(first["items"][0]) == {"code", "name"}
    children = client.get("/api/v1/areas?parent=610921101").get_json()["items"]
    assert {c["parent"] for c in children} == {"610921101000"}


def test_the_pages_are_whole_in_english_without_unmarked_chinese(hanyin: County) -> None:
    from xiangyue.testing.source import english_page_faults

    client = hanyin.client("county_admin", locale="en")
    for url in ("/areas", "/areas/610921100", "/areas/610921100200", "/areas?q=zzz"):
        assert english_page_faults(client.get(url).get_data(as_text=True)) == [], url


def test_former_names_are_written_on_the_page_and_found(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    page = "/areas/610921100200"
    answer = post(client, page, page + "/former-names", former_names="大河村、 小 河村,东南村", version="1")
    assert answer.status_code == 303
    html = client.get(page).get_data(as_text=True)
    assert 'value="大河村、小河村"' in html  # its name of today is none of them
    assert ">东南村<" in client.get("/areas?q=dhc").get_data(as_text=True)
    assert "东南村" in client.get("/search?q=大河村").get_data(as_text=True)
    late = post(client, page, page + "/former-names", former_names="别的", version="1")
    assert late.status_code == 409
    assert "这期间有人改过这个区划。" in late.get_data(as_text=True)
    with hanyin.uow() as uow:
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "area.edit", AuditEntry.area_code == VILLAGE)
        ).one()
        assert entry.after == {"former_names": ["大河村", "小河村"]}


def test_a_former_name_is_no_name_of_today(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    page = "/areas/610921100200"
    with hanyin.uow() as uow:
        beside = uow.session.scalars(
            select(Area.name).where(Area.parent_code == 610921100000_000, Area.area_code != VILLAGE).limit(1)
        ).one()
        version = uow.session.scalars(select(Area.version).where(Area.area_code == VILLAGE)).one()
    answer = post(client, page, page + "/former-names", former_names=beside, version=str(version))
    assert answer.status_code == 422
    assert f"“{beside}”是当地另一个区划现在的名称。" in answer.get_data(as_text=True)
    assert "former-names" not in hanyin.client("village", area=VILLAGE).get(page).get_data(as_text=True)


def test_former_names_over_the_api_and_from_the_profile(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    client, headers = hanyin.client(), hanyin.bearer(account)
    url = "/api/v1/areas/610921101000"
    tag = client.get(url, headers=headers).headers["ETag"]
    answer = client.patch(url, json={"former_names": ["旧镇"]}, headers={**headers, "If-Match": tag})
    assert (answer.status_code, answer.json["former_names"]) == (200, ["旧镇"])
    profile = load_profile(PROFILES / "hanyin")
    rows = [replace(d, former_names=("老镇",)) if d.code15 == OTHER_TOWN else d for d in profile.divisions]
    with hanyin.uow() as uow:
        changes = apply_divisions(uow, replace(profile, divisions=tuple(rows)), hanyin.runtime.registry)
        assert [str(c) for c in changes if "former" in str(c)] != []
        assert apply_divisions(uow, replace(profile, divisions=tuple(rows)), hanyin.runtime.registry) == []
        town = uow.session.scalars(select(Area).where(Area.area_code == OTHER_TOWN)).one()
        assert town.former_names == ["旧镇", "老镇"]
