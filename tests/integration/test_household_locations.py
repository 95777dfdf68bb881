"""Where houses stand: by form, API and file, with faults and undo; on the map of a draft and for the planner."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from grids_kit import FIRST, TOWN, VILLAGE, divided_county, group_grid, homes, made_by
from households_kit import hidden, text

from xiangyue.features.drafts import service as drafts
from xiangyue.features.drafts.register import rows_of
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.service_boundaries import set_boundaries
from xiangyue.features.households import location_import
from xiangyue.features.households.location import clean_location, degrees
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service import edit_household
from xiangyue.i18n import in_locale
from xiangyue.plugin.registers import RegisterChange, RegisterRow
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]

HERE = "108.430000,32.860000"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("108.43, 32.86", HERE), ("108.43，32.86", HERE), ("108.43 32.86", HERE), (" 108.4300001;32.86 ", HERE), ("", "")],
)
def test_a_location_is_kept_in_one_way(typed: str, kept: str) -> None:
    assert clean_location(typed) == kept


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("here", "Give longitude"),
        ("108.43", "Give longitude"),
        ("108°25'48\", 32°51'", "Give longitude"),
        ("32.86,108.43", "108.43,32.86"),
        ("547000.5, 3652000", "metres"),
        ("2.35,48.85", "outside China"),
    ],
)
def test_what_is_no_location_says_why(typed: str, says: str) -> None:
    with in_locale("en"):
        with pytest.raises(ValueError, match=r".*") as refused:
            clean_location(typed)
        assert says in str(refused.value)


def test_degrees_of_what_is_kept() -> None:
    assert degrees(HERE) == (108.43, 32.86)
    assert degrees("") is None


def test_by_form_with_trail_and_export(county: County) -> None:
    client = county.client(county.account("county_admin"))
    with county.uow() as uow:
        id = homes(uow)[0]
    url = f"/households/{id}/edit"
    page = text(client, url)
    form = {"csrf_token": hidden(page, "csrf_token"), "version": hidden(page, "version"), "location": "32.86,108.43"}
    refused = client.post(url, data=form)
    assert refused.status_code == 422
    assert 'value="32.86,108.43"' in refused.get_data(as_text=True)
    assert client.post(url, data={**form, "location": "108.43,32.86"}).status_code == 303
    shown = text(client, f"/households/{id}")
    assert HERE in shown
    assert "位置坐标" in shown
    assert HERE in text(client, f"/households?area={VILLAGE // 1000}&cols=name,location")
    with county.uow() as uow:
        assert uow.get(Household, id).address, "what the form did not send stays"


def test_by_api(county: County) -> None:
    account = county.account("county_admin")
    with county.uow() as uow:
        id = homes(uow)[1]
        version = uow.get(Household, id).version

    def patch(location: str, version: int) -> Any:
        headers = {**county.bearer(account), "If-Match": str(version)}
        return county.client().patch(f"/api/v1/households/{id}", json={"location": location}, headers=headers)

    assert patch("2,2", version).get_json()["errors"][0]["path"] == "location"
    assert patch("108.43,32.86", version).get_json()["location"] == HERE
    listed = county.client().get("/api/v1/households?fields=id,location", headers=county.bearer(account)).get_json()
    assert {"id": id, "location": HERE} in listed["items"]
    assert patch("", version + 1).get_json()["location"] == ""


def test_from_a_file_and_back(county: County) -> None:
    with county.uow() as uow:
        one, two, three = homes(uow)[2:5]
        rows = [
            RegisterRow(2, {"household": one, "longitude": "108.43", "latitude": "32.86"}),
            RegisterRow(3, {"household": two, "location": "32.86,108.43"}),
            RegisterRow(4, {"household": three, "longitude": "108.43"}),
        ]
        looks = location_import.check(uow, rows)
        assert looks[0].after == {"location": HERE}
        assert [fault.column for look in looks for fault in look.faults] == ["location", "latitude"]
        location_import.write(uow, rows[:1])
        assert location_import.check(uow, rows[:1])[0].unchanged
        change = RegisterChange(one, "", {"location": ""}, {"location": HERE})
        assert location_import.built(uow, [change]) == {}
        location_import.undo(uow, [change])
        assert uow.get(Household, one).location == ""
        assert list(location_import.built(uow, [change])) == [one]
    page = text(county.client(county.account("county_admin")), "/imports/new?kind=household_locations")
    assert "户的位置坐标" in page


def locate(county: County, ids: list[int], *, known: bool = True) -> None:
    with county.uow() as uow:
        for n, id in enumerate(ids):
            version = uow.get(Household, id).version
            location = f"{108.43 + n / 1000},32.86" if known else ""
            edit_household(uow, household_id=id, version=version, changes={"location": location})


def test_a_draft_shows_them_and_the_planner_follows_them(county: County) -> None:
    with county.uow() as uow:
        ids = homes(uow)
        draft = drafts.plan_draft(uow, village=VILLAGE, name="方案", joining="none").id
    planner = county.account("town", area=TOWN)
    locate(county, ids, known=False)
    assert "data-map=" not in text(county.client(planner), f"/grid-drafts/{draft}"), "the strip alone"
    locate(county, ids[:3])
    page = text(county.client(planner), f"/grid-drafts/{draft}")
    found = re.search(r'id="map-draft-data">(.*?)</script>', page)
    assert found
    points = json.loads(found[1])["points"]
    assert [point["id"] for point in points] == ids[:3]
    assert "有 6 户没有位置坐标" in page
    assert 'id="strip"' in page
    with county.uow() as uow:
        assert [row.home().at for row in rows_of(uow, VILLAGE, today())][:2] == [(108.43, 32.86), (108.431, 32.86)]


def test_a_house_outside_its_grid_is_pointed_out(county: County) -> None:
    with county.uow() as uow:
        above = made_by(grids.create_grid(uow, area_code=VILLAGE, name="全村", level=1, on=FIRST))
        one = group_grid(uow, 1, parent_id=above)
        id = homes(uow, 1)[0]

        def square(width: float) -> dict[str, Any]:
            ring = [[108.44, 32.85], [108.44 + width, 32.85], [108.44 + width, 32.87], [108.44, 32.87], [108.44, 32.85]]
            return {"type": "Polygon", "coordinates": [ring]}

        set_boundaries(uow, boundaries={above: square(0.02), one: square(0.01)}, on=FIRST)
    client = county.client(county.account("county_admin"))

    def at(location: str) -> str:
        with county.uow() as uow:
            version = uow.get(Household, id).version
            edit_household(uow, household_id=id, version=version, changes={"location": location})
        return text(client, f"/households/{id}")

    assert "在本村边界之外" in at("108.43,32.86")
    assert "在所属网格边界之外" in at("108.455,32.86")
    assert "边界之外" not in at("108.445,32.86")
