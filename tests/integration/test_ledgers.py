"""Ledgers: who stands in each, as of which day, how they are laid out, who may make them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pytest
from households_kit import OTHER_TOWN, TOWN, VILLAGE, entries, hidden, id_of, post, text
from sqlalchemy import delete

from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    Household,
    HouseholdIncome,
    HouseholdMember,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

ID_NUMBER = "610921195001310012"
HOUSES = [
    HouseholdRow(
        VILLAGE + 3,
        "6109211002000001",
        "",
        [
            {
                "name": "王德福", "relation": "02", "sex": 1, "birth_date": date(1950, 1, 31), "id_number": ID_NUMBER,
                "phone": "15400000017", "marks": ["left_behind_elder", "disabled"],
            },
            {"name": "王小虎", "relation": "20", "sex": 1, "birth_date": date(1980, 5, 1), "away": True},
            {
                "name": "王豆豆", "relation": "41", "sex": 2, "birth_date": date(2018, 5, 1),
                "marks": ["left_behind_child"],
            },
        ],
        (2024, 32000),
    ),
    HouseholdRow(VILLAGE + 3, "6109211002000002", "=三组2号", [{"name": "吴·木子", "relation": "02"}]),
    HouseholdRow(OTHER_TOWN + 200_000, "6109211012000001", "一组1号", [{"name": "周永贵", "relation": "02"}]),
]  # fmt: skip


@pytest.fixture(scope="module", name="county")
def county_with_families(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), HOUSES, source="t")
    yield hanyin
    with hanyin.uow() as uow:
        for model in (HouseholdIncome, NameSuffix, PersonMark, HouseholdMember, Person, Household):
            uow.session.execute(delete(model))


def make(client: Any, ledger: str, area: int = TOWN, **more: Any) -> Any:
    address = f"/households/ledgers?area={area // 1000}"
    return post(client, address, address, **{"ledger": ledger, "purpose": "上报镇政府", "on": "", **more})


def sheet(data: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [[cell.value for cell in row] for row in book.active.iter_rows()]


def rows(answer: Any) -> list[list[Any]]:
    """What stands between the headings and the sum."""
    assert answer.status_code == 200, answer.text
    return sheet(answer.data)[5:-2]


def test_who_is_registered_and_who_lives_there(county: County) -> None:
    client = county.client("county_admin")
    registered = rows(make(client, "registered"))
    assert [(row[0], row[1], row[3], row[4], row[10]) for row in registered] == [
        (1, "6109211002000001", "王德福", "户主", "在本户"),
        (2, "6109211002000001", "王小虎", "子", "在别处"),
        (3, "6109211002000001", "王豆豆", "孙子", "在本户"),
        (4, "6109211002000002", "吴·木子", "户主", "在本户"),
    ]
    assert registered[0][7:10] == ["610921********12", "1950-01-31", 76]
    assert registered[0][12] == "东南村3组", "where there is no address, the area"
    assert registered[3][12] == "'=三组2号"
    assert [row[3] for row in rows(make(client, "living"))] == ["王德福", "王豆豆", "吴·木子"]


def test_households_and_old_people(county: County) -> None:
    client = county.client("county_admin")
    households = rows(make(client, "households"))
    assert [row[1:3] + row[4:7] + [row[8]] for row in households] == [
        ["6109211002000001", "王德福", 3, 2, 1, 32000],
        ["6109211002000002", "吴·木子", 1, 1, 0, None],
    ]
    assert "留守老人" in households[0][7]
    assert "残疾" not in households[0][7], "sensitive marks that nobody looked for are not told"
    (old,) = rows(make(client, "elders"))
    assert old[1:5] == ["王德福", "男", "1950-01-31", 76]
    assert old[7] == 2


def test_sensitive_kinds_need_a_purpose_or_are_said_to_be_missing(county: County) -> None:
    client = county.client("county_admin")
    answer = make(client, "left_behind")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/purpose?next=/households/ledgers")
    post(client, "/purpose?next=/households", "/purpose", purpose="关爱排查", next="/households")
    whole = rows(make(client, "left_behind"))
    assert [(row[1], row[2], row[7], row[8]) for row in whole] == [
        ("留守老人", "王德福", 32000, "王德福"),
        ("留守儿童", "王豆豆", 32000, "王德福"),
    ]
    assert entries(county, "ledger.export")[-1].after["marks"] == ["left_behind_child"]  # type: ignore[index]
    town = county.client("town", area=TOWN)
    made = sheet(make(town, "left_behind").data)
    assert any("不含：留守儿童" in str(cell) for cell in made[1])
    assert [row[2] for row in made[5:-2]] == ["王德福"]


def test_as_of_an_earlier_day(county: County) -> None:
    client = county.client("county_admin")
    before = rows(make(client, "registered", on="2015-06-30"))
    assert [(row[3], row[9]) for row in before] == [("王德福", 65), ("王小虎", 35), ("吴·木子", None)]
    future = make(client, "registered", on="2999-01-01")
    assert future.status_code == 422
    assert "日期不能晚于今天" in future.text
    assert 'value="上报镇政府"' in future.text
    assert make(client, "registered", on="x").status_code == 422
    assert make(client, "nonsense").status_code == 422
    assert make(client, "registered", purpose="").status_code == 422


def test_the_sheet_is_made_to_be_printed_and_signed(county: County) -> None:
    client = county.client("county_admin", name="钱主任")
    answer = make(client, "registered", area=VILLAGE)
    cells = sheet(answer.data)
    assert cells[0][0].endswith("户籍人口台账")
    assert "（盖章）" in cells[1][0]
    assert "钱主任" in cells[2][0]
    assert "用途：上报镇政府" in cells[2][0]
    entry = entries(county, "ledger.export")[-1]
    assert entry.object_label in cells[2][0]
    assert (entry.purpose, entry.area_code, entry.after) == (
        "上报镇政府", VILLAGE, {"rows": 4, "filters": {"ledger": "registered", "on": entry.after["filters"]["on"]}},  # type: ignore[index]
    )  # fmt: skip
    assert cells[3][0] == "户"
    assert cells[4][:4] == ["序号", "户号", "户主", "姓名"]
    assert cells[-2][0] == "合计：4人"
    assert cells[-1][0].startswith("制表人：")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.read("xl/workbook.xml").decode()
    assert 'orientation="landscape"' in xml
    assert 'paperSize="9"' in xml
    assert 'fitToHeight="0"' in xml
    assert "&amp;P / &amp;N" in xml
    assert entry.object_label in re.findall(r"<oddHeader>(.*?)</oddHeader>", xml)[0]
    assert "$1:$5" in names
    merged = re.findall(r'<mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"', xml)
    assert ("A", "1", "N", "1") in merged
    assert ("A", "4", "C", "4") in merged
    assert all(top == bottom for _a, top, _b, bottom in merged)
    assert "<f>" not in xml


def test_numbers_in_full_for_those_who_may(county: County) -> None:
    admin = county.client("county_admin")
    assert rows(make(admin, "registered", full="1"))[0][7] == ID_NUMBER
    assert entries(county, "ledger.export")[-1].after["filters"]["full"] is True  # type: ignore[index]
    town = county.client("town", area=TOWN)
    page = text(town, "/households/ledgers")
    assert 'name="full"' not in page
    assert rows(make(town, "registered", full="1"))[0][7] == "610921********12"


def test_the_page_its_right_and_its_area(county: County) -> None:
    assert county.client("village", area=VILLAGE).get("/households/ledgers").status_code == 403
    town = county.client("town", area=OTHER_TOWN, locale="en")
    page = text(town, f"/households/ledgers?area={OTHER_TOWN // 1000}")
    assert english_page_faults(page) == []
    assert "Ledger of those left behind" in page
    assert "/households/ledgers" in text(town, "/households", follow_redirects=True)
    assert town.get(f"/households/ledgers?area={TOWN // 1000}").status_code in (302, 404)
    sent = {"csrf_token": hidden(page, "csrf_token"), "ledger": "living", "purpose": "check", "on": ""}
    assert town.post(f"/households/ledgers?area={TOWN // 1000}", data=sent).status_code == 404
    answer = town.post("/households/ledgers", data=sent)
    assert [row[3] for row in rows(answer)] == ["周永贵"]


def test_a_long_ledger_is_a_job_also_by_the_api(county: County) -> None:
    kept = county.runtime.settings
    county.runtime.settings = replace(kept, export_direct_rows=1)
    try:
        client = county.client("county_admin")
        answer = make(client, "registered")
    finally:
        county.runtime.settings = kept
    id = int(answer.headers["Location"].rpartition("/")[2])
    assert run_with(county.runtime, county.info.id, id) == "succeeded"
    with county.uow() as uow:
        result = uow.get(Job, id).result
    assert result is not None
    with client.get(f"/files/{result['file']}") as file:
        assert [row[3] for row in sheet(file.data)[5:-2]] == ["王德福", "王小虎", "王豆豆", "吴·木子"]
    with county.uow() as uow:
        account = county.account("town", area=OTHER_TOWN)
        _, token = create_token_for(uow, account_id=account.id, name="t", scopes=["*"], days=1)
    api, headers = county.client(), {"Authorization": f"Bearer {token}"}
    known = api.get("/api/v1/exports/ledgers", headers=headers).get_json()["items"]
    assert [item["key"] for item in known] == ["registered", "living", "households", "left_behind", "elders"]
    asked = {"ledger": "living", "purpose": "核对", "area": str(OTHER_TOWN)}
    assert api.post("/api/v1/exports/ledgers", json={**asked, "full": True}, headers=headers).status_code == 403
    assert api.post("/api/v1/exports/ledgers", json={**asked, "area": str(TOWN)}, headers=headers).status_code == 404
    made = api.post("/api/v1/exports/ledgers", json=asked, headers=headers)
    assert made.status_code == 202
    id = made.get_json()["id"]
    assert run_with(county.runtime, county.info.id, id) == "succeeded"
    with api.get(f"/api/v1/exports/{id}/file", headers=headers) as file:
        assert [row[3] for row in sheet(file.data)[5:-2]] == ["周永贵"]
    assert id_of(county, Job, id=id) == id
