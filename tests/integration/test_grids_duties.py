"""Duty lists by level: from the profile, set by the county with a trail, shown with the grid and on its board; a
person's page has the grid and the posts."""

from __future__ import annotations

import pytest
from grids_kit import FIRST, TOWN, divided_county, group_grid, homes
from households_kit import hidden, text
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Invalid
from xiangyue.features.grids import rules, service_posts, service_rules
from xiangyue.features.grids.models import Grid
from xiangyue.features.households.models import Person
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]


@pytest.fixture(name="grid", scope="module")
def one_grid(county: County) -> int:
    with county.uow() as uow:
        return group_grid(uow, 1)


def test_the_profile_brings_them_with_their_source(county: County, grid: int) -> None:
    with county.uow() as uow:
        brought = rules.duty_lists(uow)
        token = uow.session.scalars(select(Grid.token).where(Grid.id == grid)).one()
    assert set(brought) == {1, 2, 3}
    assert "化解矛盾纠纷" in brought[2].items
    assert brought[2].source == "汉办发〔2021〕11号"
    for page in (text(county.client("town"), f"/grids/{grid}"), text(county.client(), f"/g/{token}")):
        assert "化解矛盾纠纷" in page
        assert "汉办发〔2021〕11号" in page


def test_the_county_sets_its_own(county: County, grid: int) -> None:
    client = county.client("county_admin")
    page = text(client, "/grids/rules")
    assert "化解矛盾纠纷" in page
    form = {
        "csrf_token": hidden(page, "csrf_token"), "template": "{village}{level}{serial}", "width": "3",
        "1.basis": "living", "2.basis": "living", "3.basis": "living",
        "duties2.items": "每月走访\n\n  调解  纠纷 \n", "duties2.source": "县里的文件",
    }  # fmt: skip
    refused = client.post("/grids/rules", data={**form, "duties2.items": "长" * 201})
    assert refused.status_code == 422
    assert "长长长" in refused.get_data(as_text=True), "what was typed stays"
    assert client.post("/grids/rules", data=form).status_code == 303
    with county.uow() as uow:
        assert rules.duty_lists(uow) == {2: rules.DutyList("", ("每月走访", "调解 纠纷"), "县里的文件")}
        trail = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "grid.settings")).all()
    assert any(entry.object_label == "duties2" for entry in trail)
    shown = text(client, f"/grids/{grid}")
    assert "每月走访" in shown
    assert "化解矛盾纠纷" not in shown
    headers = county.bearer(county.account("county_admin"))
    body = {"duties": {"3": {"title": "中心户长职责", "items": ["信息收集"], "source": ""}}}
    answer = county.client().patch("/api/v1/grids/rules", json=body, headers=headers)
    assert answer.get_json()["duties"]["3"]["items"] == ["信息收集"]
    assert answer.get_json()["duties"]["2"]["items"] == ["每月走访", "调解 纠纷"]
    with county.uow() as uow, pytest.raises(Invalid):
        service_rules.set_rules(uow, sizes={}, duties={2: {"items": ["x"] * 41}})


def test_a_persons_page_has_the_grid_and_the_posts(county: County, grid: int) -> None:
    with county.uow() as uow:
        here = select(Person.id).where(Person.household_id.in_(homes(uow, 1))).order_by(Person.id)
        first, second = uow.session.scalars(here).all()[:2]
        service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, person_id=first, valid_from=FIRST)
    client = county.client(county.account("town", area=TOWN))
    assert "网格长 · 主责" in text(client, f"/persons/{first}").replace("\n", " ")
    other = text(client, f"/persons/{second}")
    assert f'href="/grids/{grid}"' in other
    assert "网格长 · 主责" not in other
