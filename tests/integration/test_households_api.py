"""The API of households and persons over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import delete, select

from xiangyue.access.models import Account, AuditEntry
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.households import schemas
from xiangyue.features.households.list_query import HOUSEHOLD_DEFAULT, HOUSEHOLD_FIELDS, PERSON_DEFAULT, PERSON_FIELDS
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdAward,
    HouseholdIncome,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
OTHER = 610921101200_000


class Api:
    """Calls with a bearer token."""

    def __init__(self, county: County, account: Account) -> None:
        with county.uow() as uow:
            _, token = create_token_for(uow, account_id=account.id, name="test", scopes=["*"], days=1)
        self.client = county.client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(
        self, method: str, path: str, json: Any = None, *, version: int | None = None, purpose: str = ""
    ) -> Any:
        headers = dict(self.headers)
        if purpose:
            headers["X-Purpose"] = quote(purpose)
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers=headers)

    def register(self, name: str, area: int = VILLAGE, **more: Any) -> dict[str, Any]:
        body = {"area_code": str(area), "head": {"name": name, **more.pop("head", {})}, **more}
        answer = self("POST", "/households", body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.get_json()
        return found


@pytest.fixture
def county(hanyin: County) -> Iterator[County]:
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CustomValue, HouseholdAward, HouseholdIncome, NameSuffix, PersonMark, Person, Household):
            uow.session.execute(delete(model))


@pytest.fixture
def admin(county: County) -> Api:
    return Api(county, county.account("county_admin"))


@pytest.fixture
def clerk(county: County) -> Api:
    """Of one village, without the sensitive rights."""
    return Api(county, county.account("village", area=VILLAGE))


def heads(api: Api, query: str = "") -> list[str]:
    answer = api("GET", f"/households?{query}")
    assert answer.status_code == 200, answer.text
    return [item["head_name"] for item in answer.get_json()["items"]]


def paths(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["path"] for error in answer.get_json()["errors"]]


def test_the_fast_lists_give_what_the_schemas_say(admin: Api) -> None:
    assert list(schemas.HouseholdSchema().fields) == [*HOUSEHOLD_FIELDS, "custom"]
    assert list(schemas.PersonSchema().fields) == [*PERSON_FIELDS, "custom"]
    admin.register("王德福", address="一组", head={"id_number": "610921198001310011", "phone": "15400000017"})
    for path, schema, fields, default in (
        ("/households", schemas.HouseholdSchema(), HOUSEHOLD_FIELDS, HOUSEHOLD_DEFAULT),
        ("/persons", schemas.PersonSchema(), PERSON_FIELDS, PERSON_DEFAULT),
    ):
        item = admin("GET", f"{path}?fields={','.join(fields)}").get_json()["items"][0]
        assert list(item) == list(fields)
        assert schema.validate(item) == {}
        assert list(admin("GET", path).get_json()["items"][0]) == list(default)
        assert list(admin("GET", f"{path}?fields=id").get_json()["items"][0]) == ["id"]
        assert paths(admin("GET", f"{path}?fields=id,id_number_index")) == ["fields"]


def test_records_give_what_the_schemas_say(admin: Api) -> None:
    household = admin.register("王德福", custom={"housing": "own"})
    person = household["persons"][0]
    admin("POST", f"/persons/{person['id']}/marks", {"mark": "disabled", "source": "残联"})
    admin("PUT", f"/households/{household['id']}/incomes/2024", {"amount": 30000})
    admin("PUT", f"/households/{household['id']}/awards/safe_family/2024", {"awarded": False})
    shown = admin("GET", f"/households/{household['id']}", purpose="入户核对").get_json()
    assert schemas.HouseholdRecordSchema().validate(shown) == {}
    assert set(shown) == set(schemas.HouseholdRecordSchema().fields)
    assert set(shown["persons"][0]) == set(schemas.PersonRecordSchema().fields)
    assert (shown["marks"], shown["income"], shown["custom"]["housing"]) == (["disabled"], 30000, "own")
    assert [(a["award"], a["awarded"]) for a in shown["awards"]] == [("safe_family", False)]


def test_pages_filters_and_order(admin: Api) -> None:
    for name in ("王德福", "陈桂兰", "欧阳小明"):
        admin.register(name)
    admin.register("单雄", area=OTHER)
    first = admin("GET", "/households?limit=3&sort=-name").get_json()
    assert [i["head_name"] for i in first["items"]] == ["王德福", "单雄", "欧阳小明"]
    second = admin("GET", f"/households?limit=3&sort=-name&cursor={first['next']}").get_json()
    assert ([i["head_name"] for i in second["items"]], second["next"]) == (["陈桂兰"], None)
    assert heads(admin, "area=610921101") == ["单雄"]
    assert heads(admin, "q=ouyang") == ["欧阳小明"]
    for bad, path in (
        ("limit=201", "limit"), ("sort=address", "sort"), ("cursor=%25%25", "cursor"), ("state=odd", "state"),
        ("area=61", "area"), ("mark=nope", "mark"), ("custom.nope=1", "custom.nope"), ("award=nope", "award"),
        ("min_persons=x", "min_persons"),
    ):  # fmt: skip
        assert paths(admin("GET", f"/households?{bad}")) == [path], bad


def test_registering_over_the_api_is_repeatable_and_checked(admin: Api) -> None:
    client_id = str(uuid.uuid4())
    first = admin.register("王德福", client_id=client_id)
    assert admin.register("王德福", client_id=client_id)["id"] == first["id"]
    body = {"name": "陈桂兰", "relation": "妻", "client_id": str(uuid.uuid4())}
    member = admin("POST", f"/households/{first['id']}/persons", body)
    assert member.status_code == 201
    again = admin("POST", f"/households/{first['id']}/persons", body)
    assert again.get_json()["id"] == member.get_json()["id"]
    members = admin("GET", f"/households/{first['id']}/persons").get_json()["items"]
    assert [p["name"] for p in members] == ["王德福", "陈桂兰"]
    assert paths(admin("POST", "/households", {"area_code": "610921100"})) == ["head"]
    wrong = {"area_code": str(VILLAGE), "head": {"name": "王1", "phone": "12"}, "colour": "red"}
    assert paths(admin("POST", "/households", wrong)) == ["colour"]
    del wrong["colour"]
    assert sorted(paths(admin("POST", "/households", wrong))) == ["head.name", "head.phone"]
    assert heads(admin) == ["王德福"]


def test_changes_need_the_version_that_was_read(admin: Api) -> None:
    household = admin.register("王德福")
    path = f"/households/{household['id']}"
    assert admin("GET", path).headers["ETag"].startswith('"1-')
    assert admin("PATCH", path, {"address": "二组"}).status_code == 428
    done = admin("PATCH", path, {"address": "二组", "custom": {"housing": "own"}}, version=1)
    assert (done.status_code, done.headers["ETag"][:3], done.get_json()["address"]) == (200, '"2-', "二组")
    late = admin("PATCH", path, {"address": "四组"}, version=1)
    assert late.status_code == 412
    assert late.get_json()["current"]["address"] == "二组"
    person = f"/persons/{household['persons'][0]['id']}"
    assert admin("PATCH", person, {"name": "王德富"}).status_code == 428
    assert admin("PATCH", person, {"name": "王德富"}, version=1).get_json()["version"] == 2
    late = admin("PATCH", person, {"name": "王得福"}, version=1)
    assert (late.status_code, late.get_json()["current"]["name"]) == (412, "王德富")
    assert heads(admin) == ["王德富"]


def test_leaving_coming_back_and_closing(admin: Api) -> None:
    household = admin.register("王德福")
    person, path = household["persons"][0], f"/households/{household['id']}"
    left = admin(
        "POST", f"/persons/{person['id']}/left", {"state": "moved", "on": "2024-05-01", "reason": "出嫁"}, version=1
    )
    assert (left.status_code, left.get_json()["state"]) == (200, "moved")
    assert (left.get_json()["left_on"], left.get_json()["left_reason"]) == ("2024-05-01", "出嫁")
    listed = admin("GET", "/persons?state=moved&fields=left_on,left_reason").get_json()["items"]
    assert listed == [{"left_on": "2024-05-01", "left_reason": "出嫁"}]
    back = admin("POST", f"/persons/{person['id']}/back", {"reason": "登记错误"}, version=2)
    assert back.get_json()["state"] == "active"
    assert (back.get_json()["left_on"], back.get_json()["left_reason"]) == (None, "")
    closing = {"on": today().isoformat(), "reason": "搬走"}
    assert admin("POST", f"{path}/close", closing).status_code == 428
    # The head came back today, so that the household cannot have left before.
    early = admin("POST", f"{path}/close", {**closing, "on": "2024-05-01"}, version=1)
    assert (early.status_code, [e["path"] for e in early.get_json()["errors"]]) == (422, ["on"])
    closed = admin("POST", f"{path}/close", closing, version=1)
    assert closed.get_json()["state"] == "closed"
    assert (closed.get_json()["left_on"], closed.get_json()["left_reason"]) == (today().isoformat(), "搬走")
    assert admin("POST", f"{path}/close", closing, version=2).status_code == 409
    assert (heads(admin), heads(admin, "state=closed")) == ([], ["王德福"])
    opened = admin("POST", f"{path}/reopen", {"reason": "登记错误"}, version=2).get_json()
    assert (opened["state"], opened["left_on"], opened["left_reason"]) == ("active", None, "")


def test_outside_my_area_and_in_another_county_there_is_nothing(
    admin: Api, clerk: Api, tongyu: County, county: County
) -> None:
    there = admin.register("王德福", area=OTHER)
    person = there["persons"][0]["id"]
    abroad = Api(tongyu, tongyu.account("county_admin"))
    assert heads(clerk) == heads(abroad) == []
    for api in (clerk, abroad):
        for method, path, body in (
            ("GET", f"/households/{there['id']}", None),
            ("PATCH", f"/households/{there['id']}", {"note": "x"}),
            ("GET", f"/households/{there['id']}/persons", None),
            ("POST", f"/households/{there['id']}/persons", {"name": "陈桂兰"}),
            ("POST", f"/households/{there['id']}/close", {"on": "2024-05-01", "reason": "搬走"}),
            ("PUT", f"/households/{there['id']}/incomes/2024", {"amount": 1}),
            ("PUT", f"/households/{there['id']}/awards/safe_family/2024", {"awarded": True}),
            ("GET", f"/persons/{person}", None),
            ("PATCH", f"/persons/{person}", {"note": "x"}),
            ("GET", f"/persons/{person}/marks", None),
            ("POST", f"/persons/{person}/marks", {"mark": "party_member"}),
            ("POST", f"/persons/{person}/left", {"state": "moved", "on": "2024-05-01"}),
        ):
            answer = api(method, path, body, version=1 if method != "PUT" else None)
            assert answer.status_code == 404, (method, path, answer.text)
    assert abroad("POST", f"/persons/{person}/reveal", {"purpose": "核对"}).status_code == 404
    assert clerk("POST", f"/persons/{person}/reveal", {"purpose": "核对"}).status_code == 403
    anonymous = county.client()
    assert anonymous.get("/api/v1/households").status_code == 401


def test_reading_needs_the_right_to_see_and_writing_that_to_change(county: County, admin: Api) -> None:
    household = admin.register("王德福")
    leader = Api(county, county.account("grid_leader", area=VILLAGE))
    assert heads(leader) == ["王德福"]
    assert leader("PATCH", f"/households/{household['id']}", {"note": "x"}, version=1).status_code == 403
    auditor = Api(county, county.account("auditor"))
    assert auditor("GET", "/households").status_code == 403
    # Whoever is signed in may search: it finds what they may see.
    found = auditor("GET", "/search?q=王").get_json()
    assert (found["households"], found["persons"]) == ([], [])
    assert found["areas"]


def test_full_identifiers_are_shown_for_a_purpose_only(admin: Api, county: County) -> None:
    household = admin.register("王德福", head={"id_number": "610921198001310011", "phone": "15400000017"})
    person = household["persons"][0]
    assert (person["id_number"], person["phone"]) == ("610921********11", "154****0017")
    path = f"/persons/{person['id']}/reveal"
    assert paths(admin("POST", path, {"purpose": " "})) == ["purpose"]
    shown = admin("POST", path, {"purpose": "核对医保"})
    assert shown.get_json() == {"id_number": "610921198001310011", "phone": "15400000017"}
    assert shown.headers["Cache-Control"] == "no-store"
    with county.uow() as uow:
        purposes = select(AuditEntry.purpose).where(
            AuditEntry.action == "identifier.reveal", AuditEntry.object_id == person["id"]
        )
        assert uow.session.scalars(purposes).all() == ["核对医保"]


def test_sensitive_marks_stay_hidden_and_their_reading_is_on_record(admin: Api, clerk: Api, county: County) -> None:
    household = admin.register("王德福")
    person = household["persons"][0]["id"]
    mark = admin("POST", f"/persons/{person}/marks", {"mark": "disabled"}).get_json()
    assert (mark["mark"], mark["sensitive"]) == ("disabled", True)
    assert clerk("GET", f"/households/{household['id']}").get_json()["marks"] == []
    assert clerk("GET", f"/persons/{person}/marks").get_json()["items"] == []
    assert clerk("GET", "/households?fields=marks").get_json()["items"] == [{"marks": []}]
    assert paths(clerk("GET", "/households?mark=disabled")) == ["mark"]
    assert clerk("POST", f"/marks/{mark['id']}/end", {}).status_code == 404
    with county.uow() as uow:
        reads = select(AuditEntry.object_id).where(AuditEntry.action == "mark.read")
        before = len(uow.session.scalars(reads).all())
    unsaid = admin("GET", "/households?mark=disabled")
    assert (unsaid.status_code, unsaid.get_json()["type"]) == (422, "urn:xiangyue:error:purpose_needed")
    assert admin("GET", "/households?fields=marks").get_json()["items"] == [{"marks": []}]
    said = {"purpose": "入户核对"}
    for path in ("/households?mark=disabled&mark=disabled", "/persons?mark=disabled"):
        assert len(admin("GET", path, **said).get_json()["items"]) == 1
    assert admin("GET", "/households?fields=marks", **said).get_json()["items"] == [{"marks": ["disabled"]}]
    assert admin("GET", f"/persons/{person}/marks", **said).get_json()["items"][0]["mark"] == "disabled"
    with county.uow() as uow:
        assert uow.session.scalars(reads.order_by(AuditEntry.id)).all()[before:] == [None, None, None, person]
        purposes = select(AuditEntry.purpose).where(AuditEntry.action == "mark.read").order_by(AuditEntry.id)
        assert set(uow.session.scalars(purposes).all()[before:]) == {"入户核对"}
    ended = admin("POST", f"/marks/{mark['id']}/end", {"reason": "证件注销"}).get_json()
    assert ended["valid_to"]
    assert admin("GET", "/households?mark=disabled", **said).get_json()["items"] == []


def test_yearly_records_are_put_whole(admin: Api) -> None:
    household = admin.register("王德福")
    income, award = (f"/households/{household['id']}/{p}" for p in ("incomes/2024", "awards/safe_family/2024"))
    assert admin("PUT", income, {"amount": 30000}, version=0).get_json()["version"] == 1
    assert admin("PUT", income, {"amount": 40000}, version=0).status_code == 412
    assert admin("PUT", income, {"amount": 40000}).get_json()["version"] == 2
    assert paths(admin("PUT", income, {"amount": -1})) == ["amount"]
    assert admin("PUT", award, {"awarded": True}).get_json()["awarded"] is True
    assert admin("PUT", award, {"awarded": None}).status_code == 204
    assert admin("GET", f"/households/{household['id']}").get_json()["awards"] == []
    assert paths(admin("PUT", f"/households/{household['id']}/awards/nope/2024", {"awarded": True})) == ["award"]


def test_search(admin: Api, clerk: Api) -> None:
    admin.register("王德福", head={"id_number": "610921198001310011"})
    admin.register("王德", area=OTHER)
    found = admin("GET", "/search?q=王德").get_json()
    assert [p["name"] for p in found["persons"]] == ["王德", "王德福"]
    assert [h["head_name"] for h in found["households"]] == ["王德", "王德福"]
    assert [p["name"] for p in clerk("GET", "/search?q=wangde").get_json()["persons"]] == ["王德福"]
    assert [p["name"] for p in clerk("GET", "/search?q=610921198001310011").get_json()["persons"]] == ["王德福"]
    assert paths(admin("GET", "/search")) == ["q"]


def test_everything_stands_in_the_openapi_document(county: County) -> None:
    document = county.client().get("/api/v1/openapi.json").get_json()
    for path in ("/households", "/households/{household_id}", "/persons", "/persons/{person_id}/reveal", "/search"):
        assert f"/api/v1{path}" in document["paths"]
    fields = document["components"]["schemas"]["Household"]["properties"]
    assert list(fields) == [*HOUSEHOLD_FIELDS, "custom"]


def test_what_was_read_can_be_sent_back(admin: Api) -> None:
    body = {"area_code": str(VILLAGE), "head": {"name": "王德福", "sex": 1}}
    made = admin("POST", "/households", body)
    assert made.status_code == 201, made.text
    person = made.get_json()["persons"][0]
    sent = {name: person[name] for name in ("name", "sex", "relation", "birth_date", "nationality", "away", "note")}
    path = f"/persons/{person['id']}"
    assert admin("PATCH", path, sent, version=person["version"]).get_json()["sex"] == 1
    assert admin("PATCH", path, {"sex": "2"}, version=person["version"]).get_json()["sex"] == 2
    assert paths(admin("PATCH", path, {"sex": True}, version=2)) == ["sex"]
    assert paths(admin("PATCH", path, {"sex": 7}, version=2)) == ["sex"]


def test_a_client_id_with_other_values_is_no_repetition(admin: Api) -> None:
    client_id = str(uuid.uuid4())
    body = {"area_code": str(VILLAGE), "head": {"name": "欧阳·张三"}, "client_id": client_id}
    first = admin("POST", "/households", body).get_json()
    other = admin("POST", "/households", {**body, "head": {"name": "欧阳·李四"}})
    assert other.status_code == 409
    problem = other.get_json()
    assert problem["type"] == "urn:xiangyue:error:already_used"
    assert "欧阳·张三" in problem["detail"]
    assert problem["title"] == "眼下不能这样做"
    # Also when the record was changed since, and for its members.
    admin("PATCH", f"/households/{first['id']}", {"address": "二组"}, version=1)
    assert admin("POST", "/households", body).get_json()["id"] == first["id"]
    assert admin("POST", "/households", {**body, "address": "二组"}).status_code == 409
    member = {"name": "陈桂兰", "id_number": "610921198203010022", "client_id": str(uuid.uuid4())}
    path = f"/households/{first['id']}/persons"
    assert admin("POST", path, member).get_json()["id"] == admin("POST", path, member).get_json()["id"]
    assert admin("POST", path, {**member, "id_number": ""}).status_code == 409


def test_conditional_requests(admin: Api) -> None:
    household = admin.register("王德福")
    path = f"/households/{household['id']}"
    tag = admin("GET", path).headers["ETag"]

    def unchanged(tag: str) -> Any:
        return admin.client.get(f"/api/v1{path}", headers={**admin.headers, "If-None-Match": tag})

    same = unchanged(tag)
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    # A member is shown with the household: the answer is another one, though the household's own version is not.
    admin("POST", f"{path}/persons", {"name": "陈桂兰", "relation": "妻"})
    assert unchanged(tag).status_code == 200
    mine = {**admin.headers, "If-Match": tag}
    assert admin.client.patch(f"/api/v1{path}", json={"address": "二组"}, headers=mine).status_code == 200
    assert admin.client.patch(f"/api/v1{path}", json={"address": "三组"}, headers=mine).status_code == 412
    anything = {**admin.headers, "If-Match": "*"}
    assert admin.client.patch(f"/api/v1{path}", json={"address": "三组"}, headers=anything).status_code == 200
    income = f"/api/v1{path}/incomes/2024"
    assert admin.client.put(income, json={"amount": 1}, headers=anything).status_code == 412
    assert admin.client.put(income, json={"amount": 1}, headers=admin.headers).status_code == 200
    assert admin.client.put(income, json={"amount": 2}, headers=anything).status_code == 200


def test_a_condition_of_a_page_is_named_by_its_label(county: County) -> None:
    client = county.client("county_admin")
    answer = client.get("/households?mark=nothing")
    assert "条件“标识”不能使用" in client.get(answer.headers["Location"]).text
