"""What a colour rests on is shown with its clause; marks only to those who have the right to them, in every form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contact321_kit import (
    EVERY_RIGHT,
    SIX,
    client_with,
    compute,
    empty,
    fill,
    home_of,
    judge,
    page_text,
    post,
    row_of,
    sheet,
    switch,
)
from flask.testing import FlaskClient

from xiangyue.sdk.register import HOUSEHOLD_EXPORT, SENSITIVE_VIEW
from xiangyue.sdk.testing import County
from xiangyue_contact321.law import SOURCE

RESTRICTED = "红 · 依据受限"
COLUMNS = "cols=name,standing,state,waits,proposed,grounds,version&area=all"


@pytest.fixture(name="county", scope="module")
def computed(hanyin: County) -> Iterator[County]:
    switch(hanyin)
    fill(hanyin, SIX)
    compute(hanyin)
    yield hanyin
    empty(hanyin)


@pytest.fixture(scope="module")
def village_cadre(county: County) -> FlaskClient:
    """Every right but that to sensitive marks."""
    return client_with(county, *EVERY_RIGHT, "cockpit.view", HOUSEHOLD_EXPORT)


@pytest.mark.parametrize(
    ("name", "colour", "shown"),
    [
        ("甲持平", "绿", ["20,000 元", "是、", "连续三年被评为平安家庭"]),
        ("乙略低", "黄", ["19,999 元", "20,000 元", "近两年未被评为平安家庭"]),
        ("丙较高", "待定", ["25,000 元", "文件未作规定", "连续三年被评为平安家庭"]),
        ("丁去年", "待定", ["15,000 元", "近两年评上过平安家庭"]),
        ("己缺档", "待定", ["10,001 元", "缺数据：平安家庭评定年度记录不全"]),
    ],
)
def test_each_shows_its_inputs_and_the_clause(
    county: County, village_cadre: FlaskClient, name: str, colour: str, shown: list[str]
) -> None:
    page = page_text(village_cadre, f"/classifications/{row_of(county, name).id}")
    for text in (SOURCE, colour, "村均收入（向上取整）", "20,000 元", "平安家庭", *shown):
        assert text in page, text
    assert "依据受限" not in page


def test_without_the_right_red_is_restricted_everywhere(county: County, village_cadre: FlaskClient) -> None:
    row, home = row_of(county, "戊残疾"), home_of(county, "戊残疾")
    client = village_cadre
    record = client.get(f"/api/v1/classifications/{row.id}", headers={"X-Purpose": "aid"}).get_json()
    form = {"purpose": "核对"}
    households = "/households/export?area=all&cols=contact321_colour"
    decisions = f"/classifications/export?{COLUMNS}"
    shown = {
        "list": page_text(client, f"/classifications?{COLUMNS}"),
        "why": page_text(client, f"/classifications/{row.id}"),
        "household": page_text(client, f"/households/{home}"),
        "households": page_text(client, "/households?area=all&cols=name,contact321_colour,classification"),
        "filtered": page_text(client, "/households?area=all&cols=name,contact321_colour&contact321_colour=red"),
        "api list": client.get("/api/v1/classifications?fields=standing,household_id").get_data(as_text=True),
        "api why": str(record),
        "api households": str(client.get("/api/v1/households?fields=head_name,contact321_colour").get_json()["items"]),
        "export of households": str(sheet(post(client, households, households, **form))),
        "export of classifications": str(sheet(post(client, decisions, decisions, **form))),
    }
    for where, text in shown.items():
        assert RESTRICTED in text, where
        assert "残疾人" not in text.replace("残疾人、贫困户", ""), where
        assert "定为连心户" not in text, where
    assert record["standing"]["restricted"]
    assert record["why"]["clause"] is None
    assert "marks" not in [given["input"] for given in record["why"]["inputs"]]
    for more in ("/cockpit?area=all", "/p/contact321/?area=all", "/?area=all"):
        assert "残疾人, " not in page_text(client, more)


def test_with_the_right_and_a_purpose_the_mark_is_shown_and_noted(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT, SENSITIVE_VIEW)
    row = row_of(county, "戊残疾")
    closed = client.get(f"/api/v1/classifications/{row.id}").get_json()
    assert closed["standing"]["text"] == "红"
    assert closed["why"]["closed"]
    assert closed["why"]["clause"] is None
    record = client.get(f"/api/v1/classifications/{row.id}", headers={"X-Purpose": "aid"}).get_json()
    assert {i["input"]: i["value"] for i in record["why"]["inputs"]}["marks"] == ["残疾人"]
    assert record["why"]["clause"]["source"] == SOURCE
    assert "定为连心户(红户)" in record["why"]["clause"]["text"]


def test_nobody_who_is_not_signed_in_sees_a_colour(county: County) -> None:
    row, home = row_of(county, "甲持平"), home_of(county, "甲持平")
    stranger = county.client()
    for url in (
        "/p/contact321/", f"/classifications/{row.id}", f"/households/{home}", "/api/v1/classifications",
        "/api/v1/p/contact321/overview", "/api/v1/households?fields=contact321_colour",
    ):  # fmt: skip
        answer = stranger.get(url)
        assert answer.status_code in (302, 303, 401), url
        assert "绿" not in answer.get_data(as_text=True)


def test_village_then_town_confirm(county: County) -> None:
    row = judge(county, "丁去年", "village", "yellow", note="村民代表会议议定:收入为一次性补偿")
    assert (row.state, row.step, row.outcome) == ("proposed", 1, "")
    row = judge(county, "丁去年", "town", "yellow")
    assert (row.state, row.outcome, row.proposed, row.clause) == ("in_force", "yellow", "undetermined", "open_below")
