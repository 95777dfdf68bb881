"""The page on which wrong cells are mended."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
from sqlalchemy import select
from tests.integration.imports_kit import batch_of, job_of, workbook
from tests.integration.test_imports_pages import html, token, uploaded, work
from tests.integration.test_imports_repair import row

from xiangyue.access.models import AuditEntry
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

ROWS = [
    row(number="1", town="漩窝镇", name="王试一"),
    row(number="2", town="漩窝镇", name="王试二"),
    row("上七村", "3", "户王", name="王试三"),
    row("上七村", "4", name="王试四", id_number="6109211980010112"),
    row("上七村", "5", name="王试五"),
]


def started(county: County, client: Any, rows: Any = ROWS) -> int:
    batch_id = uploaded(client, workbook(rows))
    assert work(county, batch_id).state == "checked"
    return batch_id


def form_at(page: str, row_no: int, column: str) -> dict[str, str]:
    """Hidden fields of a wrong cell's form."""
    article = page.split(f'id="r{row_no}"')[1].split("</article>")[0]
    for form in article.split("<form")[1:]:
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        if fields.get("column") == column:
            return fields
    raise AssertionError(f"no form of {column} in row {row_no}")


def send(client: Any, path: str, **fields: str) -> str:
    answer = client.post(path, data={"csrf_token": token(client), **fields}, follow_redirects=True)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_cells_are_mended_one_by_one_and_all_alike_and_taken_back(hanyin: County) -> None:
    client = hanyin.client("county_admin", name="郑示范")
    id = started(hanyin, client)
    path = f"/imports/{id}"
    page = html(client, path)
    assert "多行同样的错误" in page
    for words in ("漩窝镇", "漩涡镇", "户王", "610921********12"):
        assert words in page
    assert "6109211980010112" not in page
    fields = form_at(page, 4, "relation")
    answer = send(client, f"{path}/repairs", **{**fields, "pick": "户主"})
    assert "已改好" in answer
    assert "按建议" in answer
    assert 'id="r4"' not in answer
    assert "已做的修正将不再保留" in html(client, f"{path}/columns")
    fields = {**form_at(answer, 2, "town"), "value": "漩窝镇", "all": "1", "pick": "漩涡镇"}
    answer = send(client, f"{path}/repairs", **fields)
    assert "已改好 2 行" in answer
    assert batch_of(hanyin, id).counts["errors"] == 1
    # Pressed again from a page that is no longer true.
    assert "这样的错误已经没有了" in send(client, f"{path}/repairs", **fields)
    undo = re.findall(rf'action="({path}/repairs/\d+/undo)"', answer)
    assert len(undo) == 2
    send(client, undo[0])
    assert batch_of(hanyin, id).counts["errors"] == 3
    send(client, f"{path}/repairs/undo-all")
    assert batch_of(hanyin, id).counts["errors"] == 4
    assert "已撤回" in html(client, f"{path}/repairs")


def test_a_value_that_is_wrong_too_is_told_and_so_is_somebody_elses_repair(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    id = started(hanyin, client)
    path = f"/imports/{id}"
    fields = form_at(html(client, path), 4, "relation")
    answer = send(client, f"{path}/repairs", **{**fields, "value": "户干"})
    assert "还是不对" in answer
    late = send(client, f"{path}/repairs", **{**fields, "value": "户主"})
    assert "刚刚被别人改过" in late
    assert "xy-alert-warning" in late


def test_a_row_is_seen_in_full_mended_left_out_and_taken_back(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    id = started(hanyin, client)
    path = f"/imports/{id}/rows/5"
    page = html(client, path)
    assert "6109211980010112" in page
    with hanyin.uow() as uow:
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "import.row").order_by(AuditEntry.id.desc())
        ).first()
        assert entry is not None
        assert (entry.object_id, entry.after) == (id, {"row": 5})
    seen = dict(re.findall(r'type="hidden" name="((?:was|seen)_\w+)" value="([^"]*)"', page))
    fields = {"cell_id_number": "610921198001011232", "cell_name": "王试四", **seen}
    assert "第 5 行已改好" in send(client, path, **fields)
    assert batch_of(hanyin, id).counts["errors"] == 3
    assert "没有改动" in send(client, path, cell_name="王试四", was_name="王试四")
    left = send(client, f"{path}/out", **{"from": "row"})
    assert "这一行不导入" in left
    assert batch_of(hanyin, id).counts["rows"] == 4
    assert "恢复导入" in send(client, f"{path}/back", **{"from": "row"})
    assert batch_of(hanyin, id).counts["rows"] == 5
    assert "没有被排除" in send(client, f"{path}/back", **{"from": "row"})
    assert client.get(f"/imports/{id}/rows/99").status_code == 404


def test_english_pages_mark_their_chinese(hanyin: County) -> None:
    client = hanyin.client("county_admin", locale="en", name="Wu")
    id = started(hanyin, client)
    page = html(client, f"/imports/{id}")
    fields = form_at(page, 4, "relation")
    send(client, f"/imports/{id}/repairs", **{**fields, "pick": "户主"})
    for path in (f"/imports/{id}", f"/imports/{id}/rows/2", f"/imports/{id}/repairs"):
        assert english_page_faults(html(client, path)) == []


def test_who_may_not_import_sees_and_mends_nothing(hanyin: County, tongyu: County) -> None:
    client = hanyin.client("county_admin")
    id = started(hanyin, client)
    stranger = tongyu.client("county_admin")
    assert stranger.get(f"/imports/{id}/rows/2").status_code == 404
    other = hanyin.client("town", area=610921107000000)
    assert other.get(f"/imports/{id}/rows/2").status_code == 404
    assert other.get(f"/imports/{id}/repairs").status_code == 404
    village = hanyin.client("village", area=610921107224000)
    assert village.get(f"/imports/{id}/rows/2").status_code == 403
    assert job_of(hanyin, id).state == "succeeded"


def corrected(data: bytes, change: Any) -> bytes:
    """The error workbook with ``change(sheet, rows by name, columns by heading)`` made in it."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    assert sheet is not None
    columns = {cell.value: cell.column for cell in sheet[1]}
    rows = {sheet.cell(n, columns["姓名"]).value: n for n in range(2, sheet.max_row + 1)}
    change(sheet, rows, columns)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def bring_back(client: Any, id: int, data: bytes, name: str = "改好.xlsx") -> str:
    form = {"csrf_token": token(client), "file": (io.BytesIO(data), name)}
    answer = client.post(f"/imports/{id}/workbook", data=form, follow_redirects=True)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_the_error_workbook_comes_back_and_only_what_was_changed_is_read(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    id = started(hanyin, client)
    data = client.get(f"/imports/{id}/errors.xlsx", buffered=True).data

    def change(sheet: Any, rows: Any, columns: Any) -> None:
        assert sheet.cell(rows["王试三"], columns["行号"]).value == "4"
        key = columns["修正码(勿改)"]
        assert sheet.column_dimensions[sheet.cell(1, key).column_letter].hidden
        sheet.cell(rows["王试一"], columns["镇"]).value = "漩涡镇"
        sheet.cell(rows["王试三"], columns["与户主关系"]).value = "户主"
        sheet.cell(rows["王试三"], columns["住址"]).value = "路边三号"
        sheet.cell(rows["王试二"], columns["镇"]).value = "漩涡镇"
        sheet.cell(rows["王试四"], columns["公民身份号码"]).value = "610921198001011232"
        # One whose key is gone, one of another import, and one twice.
        sheet.cell(rows["王试二"], key).value = None
        last = sheet.max_row + 1
        for column in range(1, key + 1):
            sheet.cell(last, column).value = sheet.cell(rows["王试一"], column).value
            sheet.cell(last + 1, column).value = sheet.cell(rows["王试一"], column).value
        sheet.cell(last + 1, key).value = "999999.2.abcdef"

    data = corrected(data, change)
    # Mended on the page after the download: the workbook's row is not taken.
    fields = form_at(html(client, f"/imports/{id}"), 5, "id_number")
    send(client, f"/imports/{id}/repairs", **{**fields, "value": "61092119800101"})
    bring_back(client, id, data)
    assert batch_of(hanyin, id).state == "checking"
    after = work(hanyin, id)
    assert (after.state, after.counts["errors"]) == ("checked", 2)
    page = html(client, f"/imports/{id}")
    for words in (
        "错误表没有全部采用",
        "错误表第 3 行没有修正码",
        "错误表第 5 行下载错误表之后在页面上改过",
        "错误表第 6 行在表里出现两次",
        "错误表第 7 行属于另一次导入",
        "改好.xlsx",
    ):
        assert words in page
    assert "路边三号" in html(client, f"/imports/{id}/rows/4")
    undo = re.findall(rf'action="(/imports/{id}/repairs/\d+/undo)"', page)
    send(client, undo[0])
    assert batch_of(hanyin, id).counts["errors"] == 4
    again = openpyxl.load_workbook(io.BytesIO(client.get(f"/imports/{id}/errors.xlsx", buffered=True).data)).active
    heading, *lines = again.iter_rows(values_only=True)
    numbers = [int(line[heading.index("行号")]) for line in lines]
    assert numbers == sorted(numbers), "in the order of the file, whatever was mended"


def test_what_is_no_error_workbook_is_told(hanyin: County) -> None:
    client = hanyin.client("county_admin", locale="en")
    id = started(hanyin, client)
    assert "Choose the workbook" in bring_back(client, id, b"", "")
    assert "xy-alert-danger" in bring_back(client, id, b"nothing", "a.xlsx")
    bring_back(client, id, workbook(ROWS))
    assert work(hanyin, id).state == "checked"
    page = html(client, f"/imports/{id}")
    assert "it has no column" in page
    assert english_page_faults(page) == []
    bring_back(client, id, "菜名,价格\n豆腐,3\n".encode(), "菜.csv")
    assert work(hanyin, id).state == "checked"
    assert "it has no column" in html(client, f"/imports/{id}"), "any table is told the same"
    # Nothing changed in it: nothing happens.
    data = client.get(f"/imports/{id}/errors.xlsx", buffered=True).data
    bring_back(client, id, data)
    assert work(hanyin, id).counts["errors"] == 4
