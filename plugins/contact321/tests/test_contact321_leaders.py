"""Who leads a grid by the document: level 1 the committees, 2 the group's head, 3 a lead household head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contact321_kit import SIX, VILLAGE, empty, fill, home_of, switch
from sqlalchemy import delete, select

from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import Area, Person, PersonMark
from xiangyue.sdk.testing import County
from xiangyue_contact321 import law
from xiangyue_contact321.leaders import warnings_of

GROUP = VILLAGE + 88
TABLES = (
    "grid_post", "grid_household", "grid_size_note", "grid_version", "grid_code", "grid", "grid_change", "post_holder",
    "post", "organisation",
)  # fmt: skip


@pytest.fixture(name="county", scope="module")
def with_families(hanyin: County) -> Iterator[County]:
    fill(hanyin, {name: SIX[name] for name in ("甲持平", "乙略低")}, area=VILLAGE)
    switch(hanyin)
    yield hanyin
    empty(hanyin, *TABLES)
    with hanyin.uow() as uow:
        uow.session.execute(delete(Area).where(Area.area_code == GROUP))


def bearer(county: County) -> dict[str, str]:
    return county.bearer(county.account("county_admin"))


def head(county: County, name: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Person.id).where(Person.household_id == home_of(county, name))).one()


def sources(county: County, level: int, person: int | None, *, role: str = "leader", area: int = VILLAGE) -> list[str]:
    with county.uow() as uow:
        found = warnings_of(uow, level=level, area_code=area, person_id=person, role=role, on=today())
        return [warning.source for warning in found]


def gives(county: County, kind: str, post: str, person: int, area: int = VILLAGE) -> None:
    """An organisation whose post of this name the person holds, by the API."""
    client, token = county.client(), bearer(county)
    values = {"kind": kind, "area": str(area), "name": f"{kind} {post}"}
    made = client.post("/api/v1/organisations", json=values, headers=token)
    assert made.status_code == 201, made.json
    id = next(one["id"] for one in made.json["posts"] if one["key"] == post)
    body: dict[str, Any] = {"person_id": person, "valid_from": today().isoformat(), "way": "appointed"}
    held = client.post(f"/api/v1/organisations/posts/{id}/holders", json=body, headers=token)
    assert held.status_code == 201, held.json


def test_each_level_warns_with_its_clause_until_somebody_fits(county: County) -> None:
    one, other = head(county, "甲持平"), head(county, "乙略低")
    clauses = {1: law.LEADER_VILLAGE, 2: law.LEADER_GROUP, 3: law.LEADER_HOMES}
    for level, clause in clauses.items():
        (source,) = sources(county, level, one)
        assert clause in source
        assert source.startswith("汉办发〔2021〕11号")
        assert sources(county, level, None) == [source], "from outside nobody can look it up"
        assert sources(county, level, one, role="worker") == []
    assert sources(county, 0, one) == [], "special grids are not its matter"
    gives(county, "people_mediation", "member", one)
    assert sources(county, 1, one) != [], "another body is none of the committees"
    gives(county, "party_branch", "member", one)
    assert sources(county, 1, one) == []
    assert sources(county, 1, one, area=VILLAGE + 3_000) != [], "of another village"
    group = {"number": 88, "name": "八十八组"}
    added = county.client().post(f"/api/v1/areas/{VILLAGE // 1000}/groups", json=group, headers=bearer(county))
    assert added.status_code == 201, added.json
    gives(county, "villager_group", "deputy", other, GROUP)
    assert sources(county, 2, other, area=GROUP) != [], "the deputy is not the head"
    gives(county, "villager_group", "leader", one, GROUP)
    assert sources(county, 2, one, area=GROUP) == []
    assert sources(county, 2, one, area=GROUP + 1) != [], "of another group"


def test_level_three_looks_at_the_marks_of_the_settings(county: County) -> None:
    one = head(county, "乙略低")
    assert sources(county, 3, one) != []
    with county.uow() as uow:
        home = uow.get(Person, one).household_id
        mark = PersonMark(area_code=VILLAGE, person_id=one, household_id=home, mark_key="party_member")
        uow.session.add(mark)
    assert sources(county, 3, one) == []
    county.set_plugin("contact321", lead_marks=["center_household_head"])
    assert sources(county, 3, one) != []
    county.set_plugin("contact321")
    with county.uow() as uow:
        uow.session.delete(uow.session.merge(mark))


def test_an_appointment_is_warned_of_and_done_with_a_reason(county: County) -> None:
    client, token = county.client(), bearer(county)
    grid = {"area_code": str(VILLAGE // 1000), "name": "上七", "level": 1, "on": today().isoformat(),
            "household_ids": [home_of(county, "甲持平")], "size_reason": "x"}  # fmt: skip
    made = client.post("/api/v1/grids", json=grid, headers=token)
    assert made.status_code == 201, made.json
    url = f"/api/v1/grids/{made.json['made'][0]}/posts"
    body = {"role": "leader", "name": "外来干部", "valid_from": today().isoformat()}
    warned = client.post(url, json=body, headers=token)
    assert warned.status_code == 422, warned.json
    (warning,) = warned.json["warnings"]
    assert "两委" in warning["text"]
    assert law.LEADER_VILLAGE in warning["source"]
    assert client.post(url, json={**body, "reason": "换届前暂代"}, headers=token).status_code == 201
    english = county.client(county.account("county_admin", locale="en"))
    shown = english.get(f"/grids/{made.json['made'][0]}").get_data(as_text=True)
    assert "led by a member of the village" in shown
    assert "换届前暂代" in shown
