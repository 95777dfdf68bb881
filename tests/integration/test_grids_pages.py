"""Grids by page and API: made, filled, seen as of a day, outside the rule with a reason, undone; who may what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from grids_kit import FIRST, TOWN, VILLAGE, divided_county, group_grid, homes
from households_kit import hidden, text
from sqlalchemy import func, select

from xiangyue.features.grids import service_rules
from xiangyue.features.grids.models import Grid, GridChange
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import chinese_page_faults

__all__ = ["divided_county"]


def call(county: County, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
    account = county.account("town", area=TOWN)
    answer = county.client().open(
        f"/api/v1{path}", method=method, json=body, headers={**county.bearer(account), **headers}
    )
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def rule(county: County, **limits: int) -> None:
    with county.uow() as uow:
        service_rules.set_rules(uow, sizes={2: limits})


def test_a_grid_by_page_from_its_making_to_the_undo(county: County) -> None:
    rule(county, max_households=3)
    client = county.client(county.account("town", area=TOWN))
    with county.uow() as uow:
        four = homes(uow, 1)[:4]
    url = f"/grids/new?village={VILLAGE // 1000}"
    form = {
        "csrf_token": hidden(text(client, url), "csrf_token"), "name": "一组网格", "kind": "area", "level": "2",
        "area_code": str(VILLAGE + 1), "on": "2026-04-01", "household_ids": [str(id) for id in four],
    }  # fmt: skip
    refused = client.post(url, data=form)
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "一组网格 将有 4 户" in page
    assert 'name="size_reason"' in page
    assert page.count(" checked") >= 4, "what was chosen stays chosen"
    done = client.post(url, data={**form, "size_reason": "自然院落"})
    assert done.status_code == 303
    shown = text(client, done.location)
    assert "户数超过" in shown
    assert "自然院落" in shown
    assert "6109211002002001" in shown
    assert "未划入网格" in text(client, f"/grids?area={VILLAGE // 1000}")
    assert "一组网格" in text(client, f"/households/{four[0]}")
    assert "一组网格" in text(client, "/search?q=6109211002002001")
    assert "一组网格" not in text(client, "/search?q=%20%20")
    assert "该网格在那一天不存在" in text(client, done.location.split("?")[0] + "?on=2026-03-31")
    with county.uow() as uow:
        change = uow.session.scalars(select(GridChange.id)).one()
    undo = f"/grids/changes/{change}"
    page = text(client, undo)
    data = {"csrf_token": hidden(page, "csrf_token"), "version": hidden(page, "version"), "reason": "划错了"}
    assert client.post(f"{undo}/undo", data=data).status_code == 303
    assert "已撤销" in text(client, undo)
    assert "一组网格" not in text(client, f"/grids?area={VILLAGE // 1000}")
    rule(county)


def test_the_same_by_the_api_as_of_days(county: County) -> None:
    with county.uow() as uow:
        first, second = homes(uow, 1), homes(uow, 2)
        one = group_grid(uow, 1, household_ids=first[:3])
        begun = uow.session.scalars(select(func.max(GridChange.id))).one()
    page = text(county.client("county_admin"), f"/grids/changes/{begun}")
    assert "系统" in page, "whoever is no person has words"
    assert chinese_page_faults(page) == []
    new = {"area_code": str(VILLAGE + 2), "name": "二组", "level": 2, "on": "2026-02-01", "household_ids": second}
    made = call(county, "POST", "/grids", new, status=201)
    two = made["made"][0]
    rule(county, max_households=3)
    body = {"household_ids": [first[3]], "on": "2026-05-01"}
    asked = call(county, "POST", f"/grids/{one}/households", body, status=422)
    assert asked["type"].endswith("reason_needed")
    assert asked["breaches"][0]["households"] == 4
    moved = call(county, "POST", f"/grids/{one}/households", {**body, "size_reason": "同一院落"})
    rule(county)
    then = call(county, "GET", f"/grids/{one}?on=2026-04-30")
    now = call(county, "GET", f"/grids/{one}")
    assert (then["households"], now["households"]) == (3, 4)
    assert now["registered"] == 8
    assert now["size_notes"][0]["reason"] == "同一院落"
    assert len(call(county, "GET", f"/grids/{one}/households?on=2026-04-30")["items"]) == 3
    # A day before what was done since is refused, naming the change.
    early = call(county, "POST", f"/grids/{one}/households", {**body, "on": "2026-04-30"}, status=422)
    assert [error["path"] for error in early["errors"]] == ["on"]
    code = now["code"]
    headers = {"If-Match": str(now["version"])}
    call(county, "POST", f"/grids/{one}/recode", {"code": "AB12", "reason": "统一编码"}, **headers)
    assert call(county, "POST", f"/grids/{two}/recode", {"code": code, "reason": "x"}, status=409,
                **{"If-Match": "*"})["detail"]  # fmt: skip
    assert [row["id"] for row in call(county, "GET", f"/grids?q={code}")["items"]] == [one]
    named = {"name": "新名", "on": today().isoformat()}
    call(county, "POST", f"/grids/{one}/rename", named, status=412, **headers)
    later = (today() + timedelta(30)).isoformat()
    call(county, "POST", f"/grids/{one}/rename", {"name": "新名", "on": later}, **{"If-Match": "*"})
    assert call(county, "GET", f"/grids/{one}")["name"] == "1组网格"
    assert call(county, "GET", f"/grids/{one}?on={later}")["name"] == "新名"
    against = call(county, "POST", f"/grids/changes/{made['id']}/undo", {"reason": "x"}, **{"If-Match": "*"})
    assert against["state"] == "undone"
    assert moved["households"] == 1
    rows = call(county, "GET", f"/grids?area={VILLAGE // 1000}&size=fits&level=2")["items"]
    assert {row["id"] for row in rows} == {one}
    plan = {
        "village": str(VILLAGE // 1000), "on": later, "reason": "重新划分",
        "parts": [{"key": "a", "name": "全村", "level": 1, "area_code": str(VILLAGE // 1000),
                   "household_ids": first[:2]}],
    }  # fmt: skip
    lost = call(county, "POST", "/grids/divisions", plan, status=422)
    assert [error["path"] for error in lost["errors"]] == ["parts"]


def test_who_may(county: County) -> None:
    with county.uow() as uow:
        grid = uow.session.scalars(select(Grid.id).order_by(Grid.id).limit(1)).one()
    other = county.client(county.account("town", area=610921101000_000))
    assert other.get(f"/grids/{grid}").status_code == 404
    leader = county.client(county.account("grid_leader", area=VILLAGE))
    assert leader.get(f"/grids/{grid}").status_code == 200
    assert leader.get(f"/grids/{grid}/rename").status_code == 403
    assert leader.get("/grids/rules").status_code == 403
    assert county.client(county.account("town", area=TOWN)).get("/grids/rules").status_code == 403


def test_the_list_leaves_as_a_file_that_is_on_record(county: County) -> None:
    client = county.client(county.account("county_admin"))
    page = text(client, "/grids/export?level=2")
    answer = client.post("/grids/export?level=2", data={"csrf_token": hidden(page, "csrf_token"), "format": "csv",
                                                        "purpose": "核对网格"})  # fmt: skip
    assert answer.status_code == 200
    assert "1组网格" in answer.get_data(as_text=True)


def test_every_form_opens(county: County) -> None:
    client = county.client(county.account("county_admin"))
    with county.uow() as uow:
        grid = group_grid(uow, 2, on=FIRST, household_ids=())
    for act in ("move", "rename", "split", "merge", "close", "recode"):
        assert re.search("<form", text(client, f"/grids/{grid}/{act}"))
    text(client, "/grids/new")
    text(client, "/grids/rules")
    text(client, f"/grids/changes?village={VILLAGE // 1000}")
    token = hidden(text(client, "/grids/rules"), "csrf_token")
    fields = {f"{level}.basis": "living" for level in (1, 2, 3)}
    fields |= {"csrf_token": token, "3.min_households": "30", "3.max_households": "20", "template": "x", "width": "3"}
    wrong = client.post("/grids/rules", data=fields)
    assert wrong.status_code == 422
    assert "上限小于下限" in wrong.get_data(as_text=True)
    fields |= {"3.max_households": "40", "template": "{village}{level}{serial}"}
    right = client.post("/grids/rules", data=fields)
    assert right.status_code == 303
