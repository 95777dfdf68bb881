"""Mending the rows of an import by API, and saying in advance where the columns of a file go."""

from __future__ import annotations

import io
import json
from typing import Any

from tests.integration.imports_kit import batch_of, workbook
from tests.integration.test_imports_pages import token, work
from tests.integration.test_imports_repair_pages import ROWS, started
from tests.unit.roster_samples import workbook as sheet

from xiangyue.testing.fixtures import County


def call(client: Any, method: str, path: str, etag: str = "", status: int = 200, **more: Any) -> Any:
    headers = {"X-CSRF-Token": token(client)} | ({"If-Match": etag} if etag else {})
    answer = client.open(path, method=method, headers=headers, **more)
    assert answer.status_code == status, answer.get_data(as_text=True)[:1000]
    return answer


def test_rows_mistakes_and_repairs(hanyin: County) -> None:
    client = hanyin.client("county_admin", name="郑示范")
    id = started(hanyin, client)
    path = f"/api/v1/imports/{id}"
    rows = client.get(f"{path}/rows?limit=2").get_json()
    assert [row["row"] for row in rows["items"]] == [2, 3]
    assert rows["items"][0]["cells"]["town"] == "漩窝镇"
    assert rows["items"][0]["errors"][0]["suggestion"] == "漩涡镇"
    more = client.get(f"{path}/rows?limit=2&cursor={rows['next']}").get_json()
    assert [row["row"] for row in more["items"]] == [4, 5]
    assert more["items"][1]["cells"]["id_number"] == "610921********12"
    one = client.get(f"{path}/rows?code=choice_unknown&fields=row").get_json()
    assert one["items"] == [{"row": 4}]

    found = client.get(f"{path}/mistakes")
    (mistake,) = found.get_json()["items"]
    assert (mistake["wrong"], mistake["rows"], mistake["suggestions"][0]) == ("漩窝镇", 2, "漩涡镇")
    etag = found.headers["ETag"]
    asked = {key: mistake[key] for key in ("column", "code", "wrong", "town", "word", "rows")}
    alike = {"kind": "alike", "value": "漩涡镇", **asked}
    call(client, "POST", f"{path}/repairs", status=428, json=alike)
    done = call(client, "POST", f"{path}/repairs", etag, json=alike)
    assert (done.get_json()["rows"], done.get_json()["before"], done.get_json()["after"]) == (2, "漩窝镇", "漩涡镇")
    call(client, "POST", f"{path}/repairs", etag, 412, json=alike)
    etag = done.headers["ETag"]

    cell = {"kind": "cell", "row": 4, "column": "relation", "value": "户主"}
    etag = call(client, "POST", f"{path}/repairs", etag, json=cell).headers["ETag"]
    call(client, "POST", f"{path}/repairs", etag, 404, json={**cell, "row": 99})
    etag = call(client, "POST", f"{path}/repairs", etag, json={"kind": "out", "row": 5}).headers["ETag"]
    assert batch_of(hanyin, id).counts["errors"] == 0
    assert [row["row"] for row in client.get(f"{path}/rows?which=out").get_json()["items"]] == [5]
    etag = call(client, "POST", f"{path}/repairs", etag, json={"kind": "back", "row": 5}).headers["ETag"]
    assert batch_of(hanyin, id).counts["errors"] == 1
    listed = client.get(f"{path}/repairs").get_json()["items"]
    assert [(one["kind"], one["state"]) for one in listed] == [
        ("back", "done"), ("out", "done"), ("cell", "done"), ("alike", "done"),
    ]  # fmt: skip
    gone = call(client, "DELETE", f"{path}/repairs/{listed[3]['id']}", etag)
    assert (gone.get_json()["state"], gone.get_json()["undone_by_name"]) == ("undone", "郑示范")
    assert batch_of(hanyin, id).counts["errors"] == 3
    call(client, "DELETE", f"{path}/repairs/{listed[3]['id']}", gone.headers["ETag"], 409)


def test_another_county_sees_and_mends_nothing(hanyin: County, tongyu: County) -> None:
    id = started(hanyin, hanyin.client("county_admin"))
    stranger = tongyu.client("county_admin")
    for what in ("rows", "mistakes", "repairs"):
        assert stranger.get(f"/api/v1/imports/{id}/{what}").status_code == 404
    call(stranger, "POST", f"/api/v1/imports/{id}/repairs", '"1"', 404, json={"kind": "out", "row": 2})


def test_columns_said_in_advance(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    headings = ["镇", "所居之处", "户编号", "与户主关系", "姓名", "性别", "生于何日", "住址"]
    data = sheet([headings, ["漩涡镇", "上七村", "1", "户主", "王试一", "男", "1980-01-01", "不读"]])

    def send(columns: Any, status: int = 202) -> Any:
        form = {"purpose": "核对底册", "columns": columns, "file": (io.BytesIO(data), "名单.xlsx")}
        return call(client, "POST", "/api/v1/imports", status=status, data=form).get_json()

    send("[]", 422)
    send('{"所居之处": "nowhere"}', 422)
    send(json.dumps({"所居之处": "village", "7": "village"}), 422)
    id = send(json.dumps({"所居之处": "village", "6": "birth_date", "住址": ""}))["id"]
    batch = work(hanyin, id)
    assert (batch.state, batch.counts["errors"], batch.counts["valid_households"]) == ("checked", 0, 1)
    assert batch.header["columns"] == ["town", "village", "household_no", "relation", "name", "sex", "birth_date"]
    # Changed afterwards, also by PUT.
    read = client.get(f"/api/v1/imports/{id}/columns")
    targets = {str(item["position"]): item["target"] for item in read.get_json()["items"] if item["target"]}
    body = {"targets": {**targets, "7": "address"}}
    call(client, "PUT", f"/api/v1/imports/{id}/columns", read.headers["ETag"], 202, json=body)
    assert "address" in work(hanyin, id).header["columns"]


def test_an_old_upload_without_columns_is_as_before(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    form = {"purpose": "核对底册", "file": (io.BytesIO(workbook(ROWS)), "名单.xlsx")}
    id = call(client, "POST", "/api/v1/imports", status=202, data=form).get_json()["id"]
    assert work(hanyin, id).counts["errors"] == 4
