"""Saved views: one's own and shared ones, above the list, on a page of their own and by the API."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from households_kit import OTHER_TOWN, filled_county, id_of
from sqlalchemy import delete, select, update

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, PurposeNeeded, Stale
from xiangyue.features.households.groups import household_ids
from xiangyue.features.households.models import Household
from xiangyue.features.households.policy import HOUSEHOLD_VIEW, SENSITIVE_VIEW
from xiangyue.features.views import queries, service
from xiangyue.features.views.models import SavedView
from xiangyue.features.views.policy import MOST_VIEWS
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

TOWN = 610921101000_000


@pytest.fixture(autouse=True)
def _clear(hanyin: County) -> Any:
    yield
    with hanyin.uow() as uow:
        uow.session.execute(delete(SavedView))


def token(page: str) -> str:
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1])


def save(client: FlaskClient, **values: str) -> Any:
    page = client.get("/households?state=closed").text
    form = {"csrf_token": token(page), "list": "households", "query": "state=closed", **values}
    return client.post("/views", data=form)


def strip(page: str) -> list[tuple[str, bool]]:
    """Names above the list, and which one is marked."""
    part = page.split('class="xy-views"')[1].split("</nav>")[0] if 'class="xy-views"' in page else ""
    found = re.findall(r"<a [^>]*?(aria-current=\"true\")?>(?:<span[^>]*>)?([^<]+)", part)
    return [(name, bool(current)) for current, name in found]


def views(county: County) -> list[SavedView]:
    with county.uow() as uow:
        return [*uow.session.scalars(select(SavedView).order_by(SavedView.id))]


def test_what_a_list_shows_is_saved_and_stands_above_it(hanyin: County) -> None:
    client = hanyin.client("town", area=TOWN)
    assert strip(client.get("/households").text) == []
    answer = save(client, name="  已注销 的户 ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/households?state=closed")
    shown = client.get("/households?state=closed&area=all").text
    assert strip(shown) == [("全部", False), ("已注销 的户", True)]
    assert strip(client.get("/households?area=all").text) == [("全部", True), ("已注销 的户", False)]
    assert strip(client.get("/persons?area=all").text) == [], "another list"
    assert strip(hanyin.client("town", area=TOWN).get("/households").text) == [], "another person"
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.object_label) == ("saved_view.add", "已注销 的户")


def test_a_view_is_shown_in_the_area_one_looks_at_or_always_in_its_own(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    save(client, name="open")
    save(client, name="there", area="610921101000")
    page = client.get("/households?state=closed&area=610921100000").text
    assert strip(page) == [("全部", False), ("open", True), ("there", False)]
    assert 'href="/households?area=610921100000&amp;state=closed"' in page
    assert 'href="/households?area=610921101000&amp;state=closed"' in page
    there = client.get("/households?state=closed&area=610921101000").text
    assert strip(there) == [("全部", False), ("open", True), ("there", True)]


def test_a_shared_view_is_found_by_everybody_of_the_county_and_only_there(hanyin: County, tongyu: County) -> None:
    save(hanyin.client("county_admin"), name="大家的", shared="1")
    other = hanyin.client("town", area=TOWN)
    page = other.get("/households").text
    assert ("大家的", False) in strip(page)
    assert strip(tongyu.client("county_admin").get("/households").text) == []
    row = views(hanyin)[0]
    assert other.get(f"/views/{row.id}").status_code == 403
    assert "只有我" not in other.get("/views").text
    assert other.post(f"/views/{row.id}/remove", data={"csrf_token": token(page)}).status_code == 403
    assert views(hanyin)


def test_somebody_who_may_share_for_the_whole_county_clears_what_others_left(hanyin: County) -> None:
    save(hanyin.client("county_admin"), name="left", shared="1")
    second = hanyin.client("county_admin")
    page = second.get("/views").text
    answer = second.post(
        f"/views/{views(hanyin)[0].id}/remove", data={"csrf_token": token(page)}, follow_redirects=True
    )
    assert "视图“left”已删去" in answer.text
    assert views(hanyin) == []


def test_refused_the_form_comes_back_with_what_was_typed(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    save(client, name="mine")
    again = save(client, name="mine", shared="1")
    assert again.status_code == 422
    assert "您在本列表已有视图“mine”" in again.text
    assert 'value="mine"' in again.text
    assert 'name="query" value="state=closed"' in again.text
    # Where the list was shown in an area, the view may still be fixed to it.
    assert 'name="area"' not in again.text
    for sent, checked in (({}, False), ({"area": "610921107"}, True)):
        offered = save(client, name="mine", here="610921107", **sent).text
        assert "固定在这个区域: " in re.sub("<[^>]+>", "", offered)
        assert "漩涡镇" in offered
        assert 'name="query" value="state=closed"' in offered
        assert bool(re.search(r'name="area" value="610921107" checked', offered)) is checked
    replaced = save(client, name="mine", query="state=all&sort=-size", replace="1")
    assert replaced.status_code == 303
    assert [(row.name, row.query) for row in views(hanyin)] == [("mine", "sort=-size&state=all")]
    assert save(client, name=" ").status_code == 422
    assert save(client, name="x" * 31).status_code == 422


def test_a_citizen_number_is_not_kept_in_a_view(hanyin: County) -> None:
    answer = save(hanyin.client("county_admin"), name="one", query="q=610921198001010019")
    assert answer.status_code == 422
    assert "视图里不能保存身份证号" in answer.text
    assert views(hanyin) == []


def test_by_the_api(hanyin: County) -> None:
    account = hanyin.account("county_admin")
    client, headers = hanyin.client(), hanyin.bearer(account)
    values = {"list": "persons", "name": "老人", "query": "?min_age=70&after=x"}
    made = client.post("/api/v1/views", json=values, headers=headers)
    assert made.status_code == 201
    view = made.get_json()
    assert (view["query"], view["shared"], view["mine"], view["version"]) == ("min_age=70", False, True, 1)
    listed = client.get("/api/v1/views?list=persons", headers=headers).get_json()["items"]
    assert [row["id"] for row in listed] == [view["id"]]
    assert client.get("/api/v1/views?list=households", headers=headers).get_json()["items"] == []
    url, etag = f"/api/v1/views/{view['id']}", {"If-Match": made.headers["ETag"]}
    assert client.patch(url, json={"name": "70"}, headers=headers).status_code == 428
    assert client.patch(url, json={"name": "70"}, headers=headers | etag).get_json()["name"] == "70"
    stale = client.patch(url, json={"name": "71"}, headers=headers | etag)
    assert (stale.status_code, stale.get_json()["current"]["name"]) == (412, "70")
    other = hanyin.bearer(hanyin.account("town", area=TOWN))
    assert client.get(url, headers=other).status_code == 404
    assert client.delete(url, headers=headers).status_code == 204
    assert client.get(url, headers=headers).status_code == 404


def test_a_view_names_conditions_of_its_list(hanyin: County) -> None:
    headers, client = hanyin.bearer(hanyin.account("county_admin")), hanyin.client()

    def post(list: str, query: str) -> Any:
        values = {"list": list, "name": "one", "query": query}
        return client.post("/api/v1/views", json=values, headers={**headers, "Accept-Language": "en"})

    for list, query, strange in (
        ("households", "state=closed&colour=red", "colour"),
        ("households", "custom.nothing=1", "custom.nothing"),
        ("households", "min_age=70", "min_age"),
        ("persons", "min_age=70&min_persons=2", "min_persons"),
    ):
        refused = post(list, query)
        assert (refused.status_code, refused.get_json()["errors"]) == (
            422,
            [{"path": "query", "message": f"This list has no condition “{strange}”."}],
        )
    made = post("households", "q=王&sort=-size&cols=name,size&area=610921101&after=x")
    assert made.status_code == 201
    url, etag = f"/api/v1/views/{made.get_json()['id']}", {"If-Match": made.headers["ETag"]}
    assert client.patch(url, json={"query": "colour=red"}, headers=headers | etag).status_code == 422
    # One that was kept before this was asked for stays, is renamed, and is shown as ever.
    with hanyin.uow() as uow:
        uow.session.execute(update(SavedView).values(query="colour=red&state=closed"))
    assert (
        client.patch(url, json={"name": "old"}, headers=headers | etag).get_json()["query"] == "colour=red&state=closed"
    )
    page = hanyin.client("county_admin").get("/households?state=closed&colour=red")
    # What the list itself passes over is not put into the form either.
    assert 'name="query" value="state=closed"' in page.text


def test_rules_of_the_service(hanyin: County) -> None:
    account = hanyin.account("grid_leader", area=TOWN)
    actor = replace(hanyin.actor(HOUSEHOLD_VIEW, area=TOWN), account_id=account.id)
    with hanyin.uow(actor) as uow:
        for number in range(MOST_VIEWS):
            service.save_view(uow, list="households", name=f"v{number:02}", query=f"min_persons={number}")
        with pytest.raises(Conflict):
            service.save_view(uow, list="households", name="more", query="")
        with pytest.raises(Forbidden):
            service.save_view(uow, list="persons", name="all", query="", shared=True)
        with pytest.raises(Invalid):
            service.save_view(uow, list="nothing", name="x", query="")
        view = queries.views_of(uow, "households")[0]
        with pytest.raises(Stale):
            service.edit_view(uow, id=view.id, version=view.version + 1, values={"name": "z"})
        with pytest.raises(Conflict):
            service.edit_view(uow, id=view.id, version=view.version, values={"name": "v01"})
    with hanyin.uow(hanyin.actor(HOUSEHOLD_VIEW)) as uow:
        with pytest.raises(NotFound):
            queries.get_view(uow, view.id)
        with pytest.raises(Forbidden):
            service.save_view(uow, list="households", name="of nobody", query="")


def test_two_windows_at_one_view(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    save(client, name="mine")
    url = f"/views/{views(hanyin)[0].id}"
    form = {"csrf_token": token(client.get(url).text), "version": "1"}
    assert client.post(url, data={**form, "name": "first"}).status_code == 303
    second = client.post(url, data={**form, "name": "second"})
    assert second.status_code == 409
    assert "first" in second.text
    assert "second" in second.text


def test_a_view_is_a_group_of_households_for_others(county: County) -> None:
    two, one, elsewhere = (id_of(county, Household, code=f"61092110{n}") for n in ("02000001", "02000002", "12000001"))
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        assert sorted(household_ids(uow, "")) == sorted([two, one, elsewhere])
        assert list(household_ids(uow, "?min_persons=2&area=610921100200")) == [two]
        assert list(household_ids(uow, "area=610921101")) == [elsewhere]
        with pytest.raises(Invalid) as refused:
            household_ids(uow, "min_persons=many")
        assert "min_persons" in refused.value.fields
        with pytest.raises(Invalid) as closed:
            list(household_ids(uow, "mark=disabled"))
        assert "mark" in closed.value.fields
    with county.uow(county.actor(HOUSEHOLD_VIEW, area=OTHER_TOWN)) as uow:
        assert list(household_ids(uow, "")) == [elsewhere]
    seeing = county.actor(HOUSEHOLD_VIEW, SENSITIVE_VIEW)
    with county.uow(seeing) as uow, pytest.raises(PurposeNeeded):
        list(household_ids(uow, "mark=disabled"))
    with county.uow(seeing, purpose="残疾人慰问") as uow:
        assert list(household_ids(uow, "mark=disabled")) == [two]
        entry = uow.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.purpose) == ("mark.read", "残疾人慰问")
