"""Matching the columns of a file: suggested, corrected, remembered for the next of the kind; pages and API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from tests.integration.imports_kit import batch_of, job_of
from tests.integration.test_imports_pages import act, html, token, uploaded, work
from tests.unit.roster_samples import workbook

from xiangyue.access.models import AuditEntry
from xiangyue.features.imports.models import ImportMapping
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

#: Headings known, some like ours, one told by its values, some that nobody can guess, one of no use.
HEADER = ["乡镇名称", "行政村", "户编码号", "同户主关糸", "姓名", "证明", "生于", "附注", "性别"]
KEYS = ["town", "village", "household_no", "relation", "name", "id_number", "birth_date", "", "sex"]


def people(first: int) -> list[list[Any]]:
    return [
        ["漩涡镇", "上七村", f"{n:04}", "户主", "王试一", f"6109211980010{n:04}X", "1980.1.1", "好", "男"]
        for n in range(first, first + 6, 2)
    ]


def file(first: int, *more: str) -> bytes:
    return workbook([["花名册"], [*HEADER, *more], *people(first)])


def chosen(**changes: str) -> dict[str, str]:
    return {f"column_{n}": key for n, key in enumerate(KEYS)} | {f"column{n}": key for n, key in changes.items()}


def test_columns_are_suggested_corrected_and_remembered(hanyin: County) -> None:
    client = hanyin.client("county_admin", name="郑示范")
    batch_id = uploaded(client, file(1011, "甲一"))
    found = work(hanyin, batch_id)
    assert (found.state, found.problem) == ("mapping", {"code": "header", "params": {}})
    path = f"/imports/{batch_id}"
    page = html(client, path)
    assert "按内容猜的" in page
    assert "610921********1X" in page
    assert "61092119800101011X" not in page
    assert "61092119800101011X" not in str(found.header)
    assert path in html(client, "/")

    version = found.version
    form = {"csrf_token": token(client), "version": version, **chosen(_1="town", _7="town")}
    refused = client.post(f"{path}/columns", data=form)
    assert refused.status_code == 422
    text = refused.get_data(as_text=True)
    assert "都对应到“镇”" in text
    assert "没有哪一列对应到“村”" in text
    # Within the text of the alert: at its side the list would stand in a narrow column on a phone.
    assert '<div class="xy-actions"><ul' not in text
    assert batch_of(hanyin, batch_id).state == "mapping"

    act(client, batch_id, "columns", version=version, **chosen())
    found = work(hanyin, batch_id)
    assert (found.state, found.counts["errors"], found.counts["valid_households"]) == ("checked", 0, 3)
    with hanyin.uow() as uow:
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "import.columns").order_by(AuditEntry.id.desc())
        ).first()
        assert entry is not None
        assert "A2 镇" in str(entry.after)
    late = act(client, batch_id, "columns", version=version, **chosen())
    assert "xy-alert-warning" in late

    again = uploaded(client, file(1031, "甲一"))
    assert work(hanyin, again).state == "checked"
    assert "按以前所选" in html(client, f"/imports/{again}/columns")
    # Another decision for the same kind takes its place, and a checked file is checked anew.
    act(client, again, "columns", version=batch_of(hanyin, again).version, **chosen(_6=""))
    assert "birth_date" not in work(hanyin, again).header["columns"]
    kind = found.header["fingerprint"]
    with hanyin.uow() as uow:
        (one,) = uow.session.scalars(select(ImportMapping).where(ImportMapping.fingerprint == kind))
        assert (one.targets["6"], one.version) == ("", 2)


def test_what_was_decided_of_a_heading_holds_beside_other_columns(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    # 登记日 is like no heading, 附注 was left out; a known heading goes first where both would go to the same place.
    header = ["乡镇名称", "行政村", "户编码号", "同户主关糸", "姓名", "凭据", "落地", "性别", "联系电话号吗"]
    rows = [
        ["漩涡镇", "上七村", f"{n}", "户主", "丁一", f"61092119800101{n}X", "1980-1-1", "男", ""] for n in (901, 903)
    ]
    batch_id = uploaded(client, workbook([header, *rows]))
    version = work(hanyin, batch_id).version
    keys = ["town", "village", "household_no", "relation", "name", "id_number", "birth_date", "sex", ""]
    act(client, batch_id, "columns", version=version, **{f"column_{n}": key for n, key in enumerate(keys)})
    assert work(hanyin, batch_id).state == "checked"

    moved = [2, 0, 1, 8, 3, 4, 5, 6, 7]
    other = [[header[n] for n in moved] + ["宅基地"], *([row[n] for n in moved] + ["有"] for row in rows)]
    found = work(hanyin, uploaded(client, workbook(other)))
    assert (found.state, found.counts.get("errors")) == ("checked", 0), found.problem
    assert {"birth_date", "id_number", "household_no"} <= set(found.header["columns"])
    assert "phone" not in found.header["columns"]
    assert "按以前所选" in html(client, f"/imports/{found.id}/columns")
    both = [[*header, "出生日期"], *([*row, row[6]] for row in rows)]
    assert work(hanyin, uploaded(client, workbook(both))).header["columns"].count("birth_date") == 1


def test_what_one_county_decided_is_nothing_to_another(hanyin: County, tongyu: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, file(1051, "乙二"))
    found = work(hanyin, batch_id)
    act(client, batch_id, "columns", version=found.version, **chosen())
    kind = found.header["fingerprint"]
    for county, number in ((hanyin, 1), (tongyu, 0)):
        with county.uow() as uow:
            mappings = uow.session.scalars(select(ImportMapping).where(ImportMapping.fingerprint == kind)).all()
            assert len(mappings) == number


def test_a_file_with_our_headings_goes_straight_through(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, workbook([["镇", "村", "户编号", "与户主关系", "姓名", "性别", "出生日期"]]))
    assert work(hanyin, batch_id).problem == {"code": "no_rows", "params": {}}


def test_english_pages_mark_their_chinese(hanyin: County) -> None:
    client = hanyin.client("county_admin", locale="en", name="Wu")
    batch_id = uploaded(client, file(1071, "丙三"))
    version = work(hanyin, batch_id).version
    assert english_page_faults(html(client, f"/imports/{batch_id}")) == []
    bad = client.post(f"/imports/{batch_id}/columns", data={"csrf_token": token(client), "version": version})
    assert bad.status_code == 422
    assert english_page_faults(bad.get_data(as_text=True)) == []


def test_the_same_by_api(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    with hanyin.uow() as uow:
        uow.session.execute(delete(ImportMapping))  # what other files' headings were sent to
    batch_id = uploaded(client, file(1091, "丁四"))
    work(hanyin, batch_id)
    path = f"/api/v1/imports/{batch_id}"
    assert client.get(path).get_json()["state"] == "mapping"
    read = client.get(f"{path}/columns")
    body = read.get_json()
    by_position = {item["position"]: item for item in body["items"]}
    suggested = {n: by_position[n]["target"] for n in (0, 1, 4, 5, 7)}
    assert suggested == {0: "town", 1: "village", 4: "name", 5: "id_number", 7: ""}
    assert by_position[5]["how"] == "values"
    assert by_position[5]["samples"][0] == "610921********1X"
    assert {"key": "town", "label": "镇", "required": True} in body["targets"]

    headers = {"X-CSRF-Token": token(client)}
    targets = {str(n): key for n, key in enumerate(KEYS) if key}
    assert client.post(f"{path}/columns", json={"targets": targets}, headers=headers).status_code == 428
    given = {**headers, "If-Match": read.headers["ETag"]}
    wrong = client.post(f"{path}/columns", json={"targets": {"0": "town"}}, headers=given)
    assert wrong.status_code == 422
    assert client.post(f"{path}/columns", json={"targets": targets}, headers=given).status_code == 202
    assert job_of(hanyin, batch_id).state == "queued"
    found = work(hanyin, batch_id)
    assert (found.state, found.counts["valid_households"]) == ("checked", 3)
    assert client.get(f"{path}/columns").get_json()["missing"] == []
