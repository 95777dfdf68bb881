"""Scenario 9 in a browser: counted once on each base, visited where he lives; a 31st household asks for a reason and is
not blocked; as of the day before the old grid still shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select
from tests.e2e.kit import register

from xiangyue.db.uow import Uow
from xiangyue.features.grids import service, service_rules
from xiangyue.features.grids.boundaries.geojson import WGS84, Reading
from xiangyue.features.grids.models import (
    Grid,
    GridChange,
    GridCode,
    GridHousehold,
    GridSetting,
    GridSizeNote,
    GridVersion,
)
from xiangyue.features.grids.service_boundaries import import_boundaries
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, NameSuffix, Person, RegisterAct, RegisterActPart
from xiangyue.features.households.service_register import do_act
from xiangyue.testing.fixtures import County

#: Yanping of Hanyin's town Xuanwo.
VILLAGE = 610921107202_000
#: A village beside it.
ELSEWHERE = 610921107205_000
APRIL = date(2026, 4, 1)


def two_grids(county: County) -> tuple[int, int, int]:
    """Grid 1 with the household of son A, grid 2 with that of son B and 29 others; (grid 1, grid 2, a household that
    lies in none). The father is registered with A and lives with B."""
    a, b = register(county, "张小甲", "张某", area=VILLAGE), register(county, "张小乙", area=VILLAGE)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        people: list[Any] = [{"name": "李大山", "relation": "02"}]
        upsert_households(uow, keys, [HouseholdRow(VILLAGE, f"{VILLAGE // 1000}{n:04}", f"{n}号", people)
                                      for n in range(100, 130)])  # fmt: skip
        father = uow.session.scalars(select(Person.id).where(Person.name == "张某")).one()
        do_act(uow, keys=keys, kind="move", on=APRIL, reason="随次子生活",
               request={"person_id": father, "household_id": b.id, "registered": False})  # fmt: skip
        others = list(uow.session.scalars(select(Household.id).where(Household.code >= f"{VILLAGE // 1000}0100",
                                                                     Household.code < f"{VILLAGE // 1000}0130",
                                          ).order_by(Household.code)))  # fmt: skip
        service_rules.set_rules(uow, sizes={2: {"max_households": 30, "source": "汉办发〔2021〕11号"}})
        made = [
            service.create_grid(uow, area_code=VILLAGE, name=name, level=2, on=APRIL, household_ids=ids)
            for name, ids in (("第一网格", [a.id]), ("第二网格", [b.id, *others[:29]]))
        ]
        elsewhere = service.create_grid(uow, area_code=ELSEWHERE, name="外村网格", level=2, on=APRIL)
        one, two, far = (change.changes["made"][0] for change in (*made, elsewhere))
        outlined = [outline(uow, id, east) for id, east in ((one, 0.0), (two, 0.01), (far, 0.02))]
        drawn = {"type": "FeatureCollection", "features": outlined}
        import_boundaries(uow, data=drawn, how=Reading(WGS84), on=APRIL)
        return one, two, others[29]


def outline(uow: Uow, grid: int, east: float) -> dict[str, Any]:
    """A square of 934 m by 1,109 m as a feature of that grid."""
    x, y = 108.43 + east, 32.86
    ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": uow.get(Grid, grid).code}, "geometry": geometry}


@pytest.mark.parametrize("width", [360, 1440])
def test_scenario_nine(
    hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None], width: int
) -> None:
    one, two, waiting = two_grids(hanyin)
    page = sign_in(hanyin, hanyin.account("village", area=VILLAGE), width=width, path=f"/grids/{one}")
    check_page(page)

    def figures(grid: int, on: str = "") -> list[str]:
        page.goto(page.url.split("/grids")[0] + f"/grids/{grid}{on}")
        return [text.strip() for text in page.locator("#figures dd").all_inner_texts()[:3]]

    # Households, registered, living: the father once on each base.
    assert figures(one) == ["1", "2", "1"]
    assert figures(two) == ["30", "30", "31"]
    page.goto(page.url.split("/grids")[0] + f"/grids/{two}/move")
    check_page(page)
    page.fill("[name=on]", "2026-05-01")
    page.check(f"[name=household_ids][value='{waiting}']")
    page.click("#form button.btn-primary")
    page.wait_for_selector("[name=size_reason]")
    assert "31" in page.inner_text(".xy-summary")
    assert page.is_checked(f"[name=household_ids][value='{waiting}']")
    check_page(page)
    page.fill("[name=size_reason]", "同一自然院落")
    page.click("#form button.btn-primary")
    page.wait_for_url(f"**/grids/{two}")
    assert "同一自然院落" in page.inner_text("main")
    check_page(page)
    assert figures(two)[0] == "31"
    assert figures(two, "?on=2026-04-30")[0] == "30"
    page.goto(page.url.split("/grids")[0] + "/grids/map")
    page.wait_for_selector("#map-grids path.xy-map-shape")
    # Another village has an outline too, of which nothing is drawn here.
    assert page.locator("#map-grids path.xy-map-shape").count() == 2
    assert sorted(page.locator("#map-grids .xy-map-label").all_inner_texts()) == [
        "第一网格\n1 户", "第二网格\n31 户",
    ]  # fmt: skip
    assert page.locator("#rows [data-map-row]").count() == 2
    page.locator("#rows a").nth(1).focus()
    assert page.locator("#map-grids path.xy-map-lit").count() == 1
    check_page(page)
    page.locator("#rows a").nth(1).press("Enter")
    page.wait_for_selector("#map-grid path.xy-map-chosen")
    check_page(page)
    page.goto(page.url.split("/grids")[0] + "/search?q=张某")
    page.click("main a:has-text('张某')")
    page.wait_for_selector("h1")
    assert "张小乙" in page.inner_text("main")  # visited where he lives


@pytest.fixture(autouse=True)
def undone(hanyin: County) -> Any:
    """Both widths begin alike."""
    yield
    with hanyin.uow() as uow:
        for model in (GridSizeNote, GridHousehold, GridVersion, GridCode, Grid, GridChange, GridSetting,
                      RegisterActPart, RegisterAct, NameSuffix, Person, Household):  # fmt: skip
            uow.session.execute(delete(model))
