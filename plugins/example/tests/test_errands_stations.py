"""Stations by spreadsheet: an import that the plugin gets by declaring its columns."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from errands_kit import Home, home
from openpyxl import load_workbook
from sqlalchemy import select

from xiangyue.sdk.register import Area
from xiangyue.sdk.testing import Kit, switch
from xiangyue_errands.models import Station

__all__ = ["home"]

HEADER = ("镇", "村", "代办点名称", "开放时间", "设立日期", "代办点电话")


def sheet(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> io.BytesIO:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for number, cells in enumerate([header, *rows]):
            page.write_row(number, 0, cells)
    stream.seek(0)
    return stream


def form(*rows: Sequence[Any], header: Sequence[str] = HEADER, name: str = "stations.xlsx") -> dict[str, Any]:
    """An upload of stations, as a form of the API or the page."""
    return {"file": (sheet(*rows, header=header), name), "purpose": "代办点登记", "kind": "errands_station"}


@pytest.fixture(name="villages")
def without_stations(kit: Kit) -> list[tuple[str, str, int]]:
    """Two villages of one town and one of another, as (town, village, code); no village has a station."""
    kit.on.run_jobs()  # switched on, it opened stations
    with kit.on.uow() as uow:
        for station in uow.session.scalars(select(Station)):
            uow.session.delete(station)
        areas = list(uow.session.scalars(select(Area).where(Area.active).order_by(Area.area_code)))
    towns = {area.area_code: area.name for area in areas if area.level == "town"}
    found: dict[int, list[tuple[str, str, int]]] = {}
    for area in areas:
        if area.level == "village":
            town = area.area_code // 10**6 * 10**6
            found.setdefault(town, []).append((towns[town], area.name, area.area_code))
    first, second = [of_town for of_town in found.values() if len(of_town) > 1][:2]
    return [*first[:2], second[0]]


def standing(kit: Kit) -> dict[int, tuple[str, str, date | None, str]]:
    with kit.on.uow() as uow:
        found = uow.session.scalars(select(Station))
        return {one.area_code: (one.name, one.hours, one.opened_on, one.desk_phone) for one in found}


def act(home: Home, url: str, **fields: Any) -> Any:
    """A form of the import's page, and the jobs that follow it."""
    page = home.page(re.sub(r"/(commit|columns|repairs)$", "", url))
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    version = re.search(r'name="version" value="(\d+)"', page)
    data = {"csrf_token": token[1], **({"version": version[1]} if version else {}), **fields}
    answer = home.client.post(url, data=data, content_type="multipart/form-data")
    assert answer.status_code == 303, (url, answer.status_code, answer.text[:2000])
    home.county.run_jobs()
    return answer.headers["Location"]


def test_from_the_file_to_the_undo(home: Home, kit: Kit, villages: list[tuple[str, str, int]]) -> None:
    (town, village, code), (_town, other, other_code), (far, third, third_code) = villages
    assert "Stations" in home.page("/imports/new?kind=errands_station")
    header = ("镇", "村", "站名是什么", "开放时间", "设立日期", "代办点电话")
    url = act(
        home,
        "/imports",
        **form(
            (town, village, "东头代办点", "天天", "2024.3.1", "154-0000-0017"),
            (town, f"{other}X", "西头代办点", "有时", "", ""),
            (far, third, "北头代办点", "逢集", "2999-01-01", ""),
            header=header,
        ),
    )
    page = home.page(url)
    assert "Match the columns" in page
    column = re.search(r'name="(column_2)"', page)
    assert column is not None
    targets = {"column_0": "town", "column_1": "village", "column_2": "title", "column_3": "hours"}
    act(home, f"{url}/columns", **targets, column_4="opened_on", column_5="desk_phone")

    page = home.page(url)
    assert "Mend 3 cells" in page
    assert "A station is entered when it has opened" in page
    assert standing(kit) == {}
    with home.client.get(f"{url}/errors.xlsx") as answer:
        assert load_workbook(io.BytesIO(answer.data)).worksheets[0].max_row == 3
    for row, name, value in ((3, "village", other), (3, "hours", "预约"), (4, "opened_on", "2024-05-01")):
        act(home, f"{url}/repairs", row=row, column=name, value=value)
    page = home.page(url)
    assert "Ready to write" in page
    assert "Write all: 3 rows" in page
    act(home, f"{url}/commit")
    assert standing(kit) == {
        code: ("东头代办点", "daily", date(2024, 3, 1), "15400000017"),
        other_code: ("西头代办点", "asked", None, ""),
        third_code: ("北头代办点", "market", date(2024, 5, 1), ""),
    }
    assert "3 rows stand in the register" in home.page(url)

    # The same headings go the same way by themselves; the same file changes nothing.
    again = act(
        home, "/imports", **form((town, village, "东头代办点", "每天", "20240301", "15400000017"), header=header)
    )
    page = home.page(again)
    assert "Ready to write" in page
    assert re.search(r"Records of the register</th>.*?>0<.*?>0<.*?>1<", page, re.DOTALL)

    assert "Nothing was built" in home.page(f"{url}/undo")
    with kit.on.uow() as uow:
        uow.session.scalars(select(Station).where(Station.area_code == code)).one().hours = "asked"
    page = home.page(f"{url}/undo")
    assert "The station was changed afterwards." in page
    assert "东头代办点" in page
    with kit.on.uow() as uow:
        uow.session.scalars(select(Station).where(Station.area_code == code)).one().hours = "daily"
    act(home, f"{url}/undo")
    assert standing(kit) == {}
    assert "This import was undone" in home.page(url)


def test_the_template_has_columns_lists_and_notes(home: Home) -> None:
    with home.client.get("/imports/template.xlsx?kind=errands_station") as answer:
        assert answer.status_code == 200
        table, notes, *_lists = load_workbook(io.BytesIO(answer.data)).worksheets
    assert [cell.value for cell in table[2]] == ["Town", "Village", "Station", "Open", "Opened on", "Desk phone"]
    assert len(table.data_validations.dataValidation) == 3
    assert "One row for each village." in str([row[0].value for row in notes.iter_rows()])


def test_by_the_api(home: Home, kit: Kit, villages: list[tuple[str, str, int]]) -> None:
    town, village, code = villages[0]
    kinds = {kind["key"]: kind for kind in home.call("GET", "/imports/kinds").json["items"]}
    columns = {column["key"]: column for column in kinds["errands_station"]["columns"]}
    assert columns["hours"]["choices"] == ["每天", "逢集", "预约"]
    sent = home.call("POST", "/imports", data=form((town, village, "代办点", "never", "", "")))
    assert sent.status_code == 202, sent.json
    batch = home.call("GET", f"/imports/{sent.json['id']}").json
    assert (batch["state"], batch["counts"]["errors"], batch["counts"]["valid_rows"]) == ("checked", 1, 0)
    (error,) = home.call("GET", f"/imports/{batch['id']}/errors").json["items"]
    assert (error["column"], error["column_label"], error["code"]) == ("hours", "开放时间", "choice_unknown")
    mend = {"kind": "cell", "row": 2, "column": "hours", "value": "逢场"}
    mended = home.call("POST", f"/imports/{batch['id']}/repairs", mend, version=batch["version"])
    assert mended.status_code < 300, mended.json
    batch = home.call("GET", f"/imports/{batch['id']}").json
    assert batch["counts"]["records_new"] == 1
    assert home.call("POST", f"/imports/{batch['id']}/commit", {}, version=batch["version"]).status_code == 202
    assert standing(kit) == {code: ("代办点", "market", None, "")}
    batch = home.call("GET", f"/imports/{batch['id']}").json
    assert batch["counts"]["written"] == {
        "records_new": 1, "records_changed": 0, "records_unchanged": 0, "rows": 1,
    }  # fmt: skip
    assert home.call("GET", "/imports?kind=errands_station").json["items"][0]["id"] == batch["id"]
    assert home.call("GET", f"/imports/{batch['id']}/undo").json["counts"] == {"records": 1, "records_back": 0}
    assert home.call("POST", f"/imports/{batch['id']}/undo", {}, version=batch["version"]).status_code == 202
    assert standing(kit) == {}


def test_examples_of_changes_hold_no_phone_in_full(home: Home, kit: Kit, villages: list[tuple[str, str, int]]) -> None:
    town, village, code = villages[0]
    act(home, f"{act(home, '/imports', **form((town, village, '代办点', '每天', '', '15400000017')))}/commit")
    assert standing(kit)[code][3] == "15400000017"
    url = act(home, "/imports", **form((town, village, "代办点", "每天", "", "15400000018")))
    (sample,) = home.call("GET", f"/imports/{url.rpartition('/')[2]}").json["counts"]["samples"]
    assert (sample["before"], sample["after"]) == ({"desk_phone": "154****0017"}, {"desk_phone": "154****0018"})
    assert "154****0018" in home.page(url)


def test_outside_my_area_and_without_the_right(kit: Kit, villages: list[tuple[str, str, int]]) -> None:
    (town, village, code), _other, (far, third, _code) = villages
    rights = sorted(kit.on.runtime.registry.permissions.names("county"))
    account = kit.on.account_with(*rights, area=code // 10**6 * 10**6)
    headers = kit.on.bearer(account)
    client = kit.on.client()
    data = form((town, village, "近处"), (far, third, "远处"))
    sent = client.post("/api/v1/imports", data=data, headers=headers)
    assert sent.status_code == 202, sent.json
    kit.on.run_jobs()
    url = f"/api/v1/imports/{sent.json['id']}"
    errors = client.get(f"{url}/errors", headers=headers).json["items"]
    assert [(error["row"], error["column"], error["code"]) for error in errors] == [(3, "village", "outside_area")]

    without = kit.on.bearer(kit.on.account_with(*(name for name in rights if name != "errands.edit")))
    assert client.get(url, headers=without).status_code == 404
    kinds = [kind["key"] for kind in client.get("/api/v1/imports/kinds", headers=without).json["items"]]
    assert "errands_station" not in kinds
    refused = client.post("/api/v1/imports", data=form((town, village, "近处")), headers=without)
    assert (refused.status_code, [one["path"] for one in refused.json["errors"]]) == (422, ["kind"])
    there = kit.other.bearer(kit.other.account_with(*rights))
    assert kit.other.client().get(url, headers=there).status_code == 404


def test_switched_off_its_imports_can_be_read(home: Home, kit: Kit, villages: list[tuple[str, str, int]]) -> None:
    town, village, _code = villages[0]
    written = act(home, "/imports", **form((town, village, "代办点")))
    act(home, f"{written}/commit")
    waiting = act(home, "/imports", **form((town, village, "新代办点")))
    switch(kit.on, "errands", False)
    try:
        assert home.client.get("/imports/new?kind=errands_station").status_code == 404
        assert home.client.get("/imports/template.xlsx?kind=errands_station").status_code == 404
        for url in (written, waiting):
            page = home.page(url)
            assert "a plugin that is off in this county" in page
            assert "Stations (Errands)" in page
            assert "Undo this import" not in page
            assert "Write all" not in page
        version = home.call("GET", f"/imports/{waiting.rpartition('/')[2]}").json["version"]
        refused = home.call("POST", f"{waiting}/commit", {}, version=version)
        assert refused.status_code == 409
        assert "已停用" in refused.json["detail"]
    finally:
        switch(kit.on, "errands", True)
    assert "Write all: 1 row" in home.page(waiting)
