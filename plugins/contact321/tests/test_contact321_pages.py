"""The plugin's own pages and API, and where colours come into the core's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contact321_kit import (
    EVERY_RIGHT,
    OTHER_VILLAGE,
    SIX,
    VILLAGE,
    YEAR,
    client_with,
    colours,
    compute,
    empty,
    fill,
    home_of,
    judge,
    page_text,
    post,
    set_rule,
    switch,
)

from xiangyue.sdk.register import CLASSIFICATION_COMPUTE, HOUSEHOLD_VIEW
from xiangyue.sdk.testing import County
from xiangyue_contact321 import law, policy, queries

OVERVIEW = "/p/contact321/?area=all"
API = "/api/v1/p/contact321/overview"
EVERY_ADDRESS = ("/p/contact321/", API, "/households?area=all&cols=contact321_colour", "/cockpit?area=all")


@pytest.fixture(name="county")
def computed(hanyin: County) -> Iterator[County]:
    switch(hanyin)
    fill(hanyin, SIX)
    fill(hanyin, {"邻甲": (50_000, (True, True, True), ()), "邻乙": (None, (None,) * 3, ())}, area=OTHER_VILLAGE)
    compute(hanyin)
    yield hanyin
    empty(hanyin)


def test_the_overview_by_village(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)
    items = client.get(API).get_json()
    assert items["next"] is None
    here, there = items["items"]
    assert here == {
        "area_code": VILLAGE, "name": "东南村", "town": "城关镇", "households": 6,
        "colours": {"green": 1, "yellow": 1, "red": 1, "undetermined": 3},
        "in_force": 0, "waits_for_village": 6, "waits_for_town": 0, "uncomputed": 0, "income_year": YEAR,
        "mean": 20_000, "coverage": 100, "too_few": False, "without_income": 0, "without_awards": 1,
    }  # fmt: skip
    assert (there["coverage"], there["too_few"], there["without_income"]) == (50, True, 1)
    page = page_text(client, OVERVIEW)
    for text in (
        "东南村",
        "20,000",
        "收入数据不足",
        "缺 1 户评定记录",
        "村评 6 户",
        "各村数据够用的最近年度",
        "留守妇女",
    ):
        assert text in page, text


def test_a_county_of_many_villages_is_shown_by_town_with_the_way_down(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ONE_PAGE", 1)
    fill(county, {"远镇甲": (20_000, (None, None, None), ())}, area=610921101200_000)
    client = client_with(county, *EVERY_RIGHT)
    page = page_text(client, OVERVIEW)
    assert "分镇情况" in page
    assert "东南村" not in page
    assert "area=610921100" in page
    below = page_text(client, "/p/contact321/?area=610921100")
    assert "东南村" in below
    assert "分镇情况" not in below


def test_the_api_by_pages_fields_and_area(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)
    first = client.get(f"{API}?limit=1&fields=area_code,mean").get_json()
    assert first["items"] == [{"area_code": VILLAGE, "mean": 20_000}]
    second = client.get(f"{API}?limit=1&cursor={first['next']}").get_json()
    assert [i["area_code"] for i in second["items"]] == [OTHER_VILLAGE]
    assert second["next"] is None
    alone = client.get(f"{API}?area={OTHER_VILLAGE // 1000}").get_json()
    assert [i["area_code"] for i in alone["items"]] == [OTHER_VILLAGE]
    assert client.get(f"{API}?area=12").status_code == 404
    assert client.get(f"{API}?fields=hue").status_code == 422
    assert client.get(f"{API}?hue=1").status_code == 422
    assert API in client.get("/api/v1/openapi.json").get_json()["paths"]


def test_what_one_sees_ends_where_the_right_ends(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT, area=OTHER_VILLAGE)
    assert [i["area_code"] for i in client.get(API).get_json()["items"]] == [OTHER_VILLAGE]
    page = page_text(client, OVERVIEW)
    assert "东南村" not in page
    without = client_with(county, HOUSEHOLD_VIEW, "cockpit.view", CLASSIFICATION_COMPUTE)
    assert without.get("/p/contact321/").status_code == 403
    assert without.get(API).status_code == 403
    assert "三色户" not in page_text(without, f"/households/{home_of(county, '甲持平')}")
    assert "三色户" not in page_text(without, "/cockpit?area=all")
    assert "三色户" not in page_text(without, "/households?area=all")
    assert without.get("/api/v1/households?contact321_colour=green").status_code == 422


def test_in_another_county_it_is_not_there(county: County, tongyu: County) -> None:
    client = tongyu.client("county_admin")
    for url in ("/p/contact321/", API):
        assert client.get(url).status_code == 404
    assert "contact321" not in page_text(client, "/households?area=all")
    assert API not in client.get("/api/v1/openapi.json").get_json()["paths"]


def test_off_is_gone_at_the_next_request_and_on_again_nothing_is_lost(county: County) -> None:
    client = county.client("county_admin")
    home = f"/households/{home_of(county, '甲持平')}"
    assert law.ONLINE in page_text(client, home)
    judge(county, "乙略低", "village", "yellow")
    switch(county, False)
    for url in ("/p/contact321/", API):
        assert client.get(url).status_code == 404
    assert "三色户" not in page_text(client, home)
    assert "三色户" not in page_text(client, "/classifications?area=all")
    switch(county)
    assert law.ONLINE in page_text(client, home)
    row = judge(county, "乙略低", "town", "yellow")
    assert row.state == "in_force"


@pytest.mark.parametrize(
    ("name", "service"),
    [("甲持平", law.ONLINE), ("乙略低", law.FRONT_LINE), ("戊残疾", law.HOTLINE), ("丙较高", "")],
)
def test_the_panel_says_which_service_goes_with_the_colour(county: County, name: str, service: str) -> None:
    client = client_with(county, *EVERY_RIGHT)
    page = page_text(client, f"/households/{home_of(county, name)}")
    for words in (law.ONLINE, law.FRONT_LINE, law.HOTLINE):
        assert (words in page) == (words == service)
    assert ("文件未能定色" in page) == (not service)


def test_the_list_is_narrowed_by_colour(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)

    def found(colour: str) -> set[str]:
        items = client.get(f"/api/v1/households?contact321_colour={colour}&fields=head_name").get_json()["items"]
        return {item["head_name"] for item in items}

    assert found("green") == {"甲持平"}
    assert found("undetermined") == {"丙较高", "丁去年", "己缺档", "邻甲", "邻乙"}
    judge(county, "甲持平", "village", "yellow", note="另有欠债")
    judge(county, "甲持平", "town", "yellow")
    assert (found("green"), found("yellow")) == (set(), {"甲持平", "乙略低"})
    assert client.get("/api/v1/households?contact321_colour=pink").status_code == 422
    page = page_text(client, "/households?area=all&cols=name,contact321_colour&contact321_colour=red")
    assert "xy-chip-red" in page, "a colour is drawn with its shape, not only written"


def test_the_card_counts_by_town_and_village(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT, "cockpit.view")
    page = page_text(client, "/cockpit?area=all")
    assert "分村查看，含缺什么" in page
    assert "东南村" in page_text(client, "/cockpit?area=610921100")


def test_the_county_is_computed_anew_by_a_job(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)
    county.run_jobs()
    set_rule(county, red_marks=["veteran"])
    answer = post(client, OVERVIEW, "/p/contact321/recompute?area=all")
    assert answer.status_code == 303
    assert "/jobs/" in answer.headers["Location"]
    assert "classification.compute" in county.run_jobs()
    assert colours(county)["戊残疾"] == "green"
    neighbour = client_with(county, *EVERY_RIGHT, area=OTHER_VILLAGE)
    assert post(neighbour, OVERVIEW, f"/p/contact321/recompute?area={VILLAGE}").status_code == 404
    reader = client_with(county, policy.VIEW)
    assert post(reader, OVERVIEW, "/p/contact321/recompute?area=all").status_code == 403


def test_marks_that_the_county_does_not_have_are_told(county: County) -> None:
    set_rule(county, red_marks=["disabled", "released"])
    assert "released" in page_text(client_with(county, *EVERY_RIGHT), OVERVIEW)


def test_marks_and_award_are_chosen_by_name(county: County) -> None:
    set_rule(county, red_marks=["disabled", "released"])
    page = page_text(county.client("county_admin"), "/settings/plugins/contact321")
    assert "平安家庭" in page
    assert "released（本县没有）" in page
    assert 'type="checkbox" name="values.red_marks" value="disabled" checked' in page


def test_without_households_the_page_says_so(tongyu: County) -> None:
    switch(tongyu)
    assert "这里没有户" in page_text(tongyu.client("county_admin"), OVERVIEW)
    empty(tongyu)


def test_role_templates_carry_the_rights(county: County) -> None:
    grid, village, town = (county.client(role) for role in ("grid_leader", "village", "town"))
    for client in (grid, village, town, county.client("department"), county.client("county_admin")):
        assert client.get("/p/contact321/?area=all").status_code == 200
    assert "村评" in page_text(village, OVERVIEW)
    assert "待办：镇审" in page_text(town, OVERVIEW)
    assert "待办：" not in page_text(grid, OVERVIEW)
    assert county.client("auditor").get("/p/contact321/").status_code == 403
