"""Settings: the county as applied; its lists change through forms and API, with history and without loss."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from xiangyue.access.models import ApiToken, AuditEntry
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.areas.models import Area
from xiangyue.features.households.models import AwardKind, CustomField, CustomValue, MarkKind
from xiangyue.features.households.policy import SENSITIVE_EDIT
from xiangyue.features.settings import checks, service
from xiangyue.features.settings.policy import SETTINGS_EDIT
from xiangyue.features.settings.queries import AWARDS, FIELDS, MARKS, version_of
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


def token(page: str) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]


def version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[-1]


def mark(county: County, key: str) -> MarkKind:
    with county.uow() as uow:
        return uow.session.scalars(select(MarkKind).where(MarkKind.key == key)).one()


def edit(county: County, spec: Any, row: Any, **values: Any) -> Any:
    with county.uow(county.actor(SETTINGS_EDIT)) as uow:
        return service.edit_kind(uow, spec=spec, id=row.id, version=version_of(row, spec), values=values)


def test_the_county_as_its_profile_was_applied(hanyin: County) -> None:
    page = hanyin.client("auditor").get("/settings").text
    assert "610921" in page
    assert "hanyin.localhost" in page
    assert "允许虚构人员" in page
    assert "contact321" in page, "what its profile says of a plugin that is not installed"


def test_a_county_without_plugins(tongyu: County) -> None:
    assert "没有安装插件" in tongyu.client("auditor").get("/settings").text


def test_pages_in_english(hanyin: County) -> None:
    client = hanyin.client("county_admin", locale="en")
    field = _choice_field(hanyin)
    paths = ["/settings"]
    for slug, id in (("marks", mark(hanyin, "disabled").id), ("awards", 1), ("custom-fields", field.id)):
        paths += [f"/settings/{slug}", f"/settings/{slug}/new", f"/settings/{slug}/{id}"]
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200
        assert english_page_faults(page.text) == []


def _choice_field(county: County) -> CustomField:
    with county.uow() as uow:
        return uow.session.scalars(select(CustomField).where(CustomField.type == "choice")).first()  # type: ignore[return-value]


def test_reading_is_not_changing(hanyin: County) -> None:
    client = hanyin.client("auditor")
    page = client.get(f"/settings/marks/{mark(hanyin, 'veteran').id}").text
    assert '<form class="xy-form"' not in page
    assert client.get("/settings/marks/new").status_code == 403
    assert hanyin.client("town", area=hanyin.info.area_code + 100_000_000).get("/settings").status_code == 403
    assert client.get("/settings/nonsense").status_code == 404


def test_a_mark_is_added_through_the_form(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    form = client.get("/settings/marks/new").text
    sent = {"csrf_token": token(form), "name": "双女户", "name_en": "", "sensitivity": "normal", "source": "卫健局"}
    answer = client.post("/settings/marks/new", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/marks")
    added = mark(hanyin, "shuang_nv_hu")
    assert (added.name, added.follows_to_household, added.source, added.active) == ("双女户", False, "卫健局", True)
    assert "双女户" in client.get("/settings/marks").text
    again = client.post("/settings/marks/new", data=sent)
    assert again.status_code == 422
    assert "名称已有" in again.text
    assert 'value="卫健局"' in again.text


def test_a_renamed_mark_has_a_history(hanyin: County) -> None:
    client = hanyin.client("county_admin", name="李县管")
    path = f"/settings/marks/{mark(hanyin, 'veteran').id}"
    form = client.get(path).text
    sent = {"csrf_token": token(form), "version": version(form), "name": "退伍军人", "sensitivity": "normal"}
    assert client.post(path, data={**sent, "follows_to_household": "1"}).status_code == 303
    page = client.get(path).text
    assert "退役军人" in page
    assert "退伍军人" in page
    assert "李县管" in page
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "mark_kind.edit")).one()
        assert (entry.before, entry.after) == ({"name": "退役军人"}, {"name": "退伍军人"})


def test_a_second_save_shows_both_values(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    path = f"/settings/marks/{mark(hanyin, 'deputy').id}"
    form = client.get(path).text
    sent = {"csrf_token": token(form), "version": version(form), "sensitivity": "normal", "source": "甲"}
    assert client.post(path, data={**sent, "name": "县人大代表"}).status_code == 303
    late = client.post(path, data={**sent, "name": "各级人大代表"})
    assert late.status_code == 409
    assert "县人大代表" in late.text
    assert "各级人大代表" in late.text
    resolved = {**sent, "version": version(late.text), "name": "各级人大代表"}
    assert client.post(path, data=resolved).status_code == 303
    assert mark(hanyin, "deputy").name == "各级人大代表"


def test_a_mark_is_retired_and_comes_back(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    path = f"/settings/marks/{mark(hanyin, 'party_member').id}"
    form = client.get(path).text
    sent = {"csrf_token": token(form), "version": version(form), "active": "0"}
    assert client.post(f"{path}/active", data=sent).status_code == 303
    assert mark(hanyin, "party_member").active is False
    form = client.get(path).text
    assert "已停用" in form
    assert client.post(f"{path}/active", data={**sent, "version": version(form), "active": "1"}).status_code == 303
    assert mark(hanyin, "party_member").active is True


def test_a_sensitive_mark_is_opened_only_by_those_who_may_change_such(hanyin: County) -> None:
    row = mark(hanyin, "disabled")
    with pytest.raises(Forbidden):
        edit(hanyin, MARKS, row, sensitivity="normal")
    assert mark(hanyin, "disabled").sensitivity == "sensitive"
    with hanyin.uow(hanyin.actor(SETTINGS_EDIT, SENSITIVE_EDIT)) as uow:
        version_now = version_of(row, MARKS)
        service.edit_kind(uow, spec=MARKS, id=row.id, version=version_now, values={"sensitivity": "normal"})
    assert mark(hanyin, "disabled").sensitivity == "normal"
    edit(hanyin, MARKS, mark(hanyin, "disabled"), sensitivity="sensitive")


def test_settings_hold_for_the_whole_county(hanyin: County) -> None:
    actor = hanyin.actor(SETTINGS_EDIT, area=hanyin.info.area_code + 100_000_000)
    with pytest.raises(Forbidden), hanyin.uow(actor) as uow:
        service.add_kind(uow, spec=AWARDS, values={"name": "x"})


def test_a_choice_that_records_have_stays(hanyin: County) -> None:
    field = _choice_field(hanyin)
    kept, gone, *_rest = field.options
    with hanyin.uow() as uow:
        village = uow.session.scalars(select(Area.area_code).where(Area.level == "village")).first()
        uow.session.add(CustomValue(field_id=field.id, owner_id=1, area_code=village, text_value=kept["key"]))
    with pytest.raises(Invalid) as error:
        edit(hanyin, FIELDS, field, options=[gone])
    assert list(error.value.fields) == ["options"]
    wanted = [{**kept, "name": "自己建的房"}, {"key": "", "name": "借住", "name_en": "Lodging"}]
    changed = edit(hanyin, FIELDS, field, options=wanted)
    assert changed.options == [
        {"key": kept["key"], "name": "自己建的房", "name_en": kept["name_en"]},
        {"key": "lodging", "name": "借住", "name_en": "Lodging"},
    ]


def test_a_field_is_added_through_the_form_with_its_choices(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    form = client.get("/settings/custom-fields/new").text
    sent = {
        "csrf_token": token(form),
        "entity": "household",
        "type": "choice",
        "name": "饮水来源",
        "name_en": "",
        "option_key": ["", "", ""],
        "option_name": ["自来水", "自来水", ""],
        "option_name_en": ["Tap", "", ""],
    }
    untyped = client.post("/settings/custom-fields/new", data={"csrf_token": sent["csrf_token"], "name": "饮水来源"})
    assert untyped.status_code == 422
    bad = client.post("/settings/custom-fields/new", data=sent)
    assert bad.status_code == 422
    assert "这个选项重复了" in bad.text
    assert bad.text.count('value="自来水"') == 2
    good = client.post("/settings/custom-fields/new", data={**sent, "option_name": ["自来水", "井水", ""]})
    assert good.status_code == 303
    with hanyin.uow() as uow:
        row = uow.session.scalars(select(CustomField).where(CustomField.key == "yin_shui_lai_yuan")).one()
        assert [o["key"] for o in row.options] == ["tap", "jing_shui"]
    text_field = {**sent, "type": "text", "name": "门牌"}
    assert client.post("/settings/custom-fields/new", data=text_field).status_code == 303


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"name": "平安家庭"}, "name"),
        ({"name": "新", "key": "Not A Key"}, "key"),
    ],
)
def test_what_cannot_be_taken(hanyin: County, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error, hanyin.uow() as uow:
        service.add_kind(uow, spec=AWARDS, values=values)
    assert list(error.value.fields) == [field]


def test_a_key_is_made_from_the_name() -> None:
    assert checks.key_for("所在院落", "", []) == "suo_zai_yuan_luo"
    assert checks.key_for("所在院落", "Court yard", ["court_yard"]) == "court_yard_2"
    assert checks.key_for("2026 年度", "", []).startswith("k_2026")
    assert checks.key_for("·", "", []) == "k"


def test_keys_and_rows_of_others(hanyin: County, tongyu: County) -> None:
    with pytest.raises(Conflict), hanyin.uow() as uow:
        service.add_kind(uow, spec=AWARDS, values={"name": "另一个", "key": "safe_family"})
    with tongyu.uow() as uow:
        theirs = service.add_kind(uow, spec=AWARDS, values={"name": "只在通榆"})
    with pytest.raises(NotFound), hanyin.uow() as uow:
        service.edit_kind(uow, spec=AWARDS, id=theirs.id + 1000, version=1, values={})
    assert "只在通榆" not in hanyin.client("county_admin").get("/settings/awards").text
    row = mark(hanyin, "monitored")
    with pytest.raises(Stale), hanyin.uow() as uow:
        service.edit_kind(uow, spec=MARKS, id=row.id, version=1, values={"name": "x"})


def test_the_api(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    bearer, digest = new_token(API_PREFIX)
    with hanyin.uow() as uow:
        expires = datetime.now(UTC) + timedelta(hours=1)
        uow.session.add(ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires))
    client, headers = hanyin.client(), {"Authorization": f"Bearer {bearer}"}
    county = client.get("/api/v1/settings", headers=headers).json
    assert (county["slug"], county["area_code"], county["allow_synthetic_people"]) == ("hanyin", 610921 * 10**9, True)
    for path in ("/api/v1/marks", "/api/v1/awards", "/api/v1/custom-fields"):
        assert client.get(path, headers=headers).json["items"]
    made = client.post("/api/v1/awards", headers=headers, json={"name": "文明家庭", "name_en": "Civil family"})
    assert (made.status_code, made.json["key"]) == (201, "civil_family")
    path = f"/api/v1/awards/{made.json['id']}"
    assert client.patch(path, headers=headers, json={"active": False}).status_code == 428
    matched = {**headers, "If-Match": made.headers["ETag"]}
    retired = client.patch(path, headers=matched, json={"active": False})
    assert (retired.status_code, retired.json["active"]) == (200, False)
    late = client.patch(path, headers=matched, json={"name": "x"})
    assert (late.status_code, late.json["current"]["active"]) == (412, False)
    assert client.post("/api/v1/awards", headers=headers, json={"name_en": "x"}).status_code == 422
    assert client.post("/api/v1/marks", headers=headers, json={"name": "y", "sensitivity": "z"}).status_code == 422
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(AwardKind.active).where(AwardKind.key == "civil_family")).one() is False
