"""Pages and API of imports: upload, check, what is wrong, writing, and who may see it; the jobs run for real."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from tests.corpus.case import HEAD as HEAD_ROW
from tests.corpus.case import HEADER, changed
from tests.corpus.formats import compound, ods, text, xls
from tests.corpus.formats import html as web_page
from tests.unit.roster_samples import HEAD, WIFE, workbook

from xiangyue.access.models import AuditEntry
from xiangyue.features.imports import view
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.features.imports.roster_messages import MESSAGES
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def roster(*people: dict[str, Any]) -> bytes:
    """A workbook of these people with the standard headers."""
    return workbook([[c.zh for c in STANDARD_COLUMNS], *([p.get(c.key) for c in STANDARD_COLUMNS] for p in people)])


def head(n: int, **changes: Any) -> dict[str, Any]:
    """A head of a household of its own; the citizen number's check digit is wrong on purpose."""
    known = {**HEAD, "household_no": f"{n:04}", "id_number": f"6109211980010{n:04}X", "phone": None, **changes}
    return {key: value for key, value in known.items() if value is not None}


GOOD = roster(HEAD, WIFE)
#: One sound household, one in a town nobody knows.
MIXED = roster(head(41, id_number=None), head(42, id_number=None, town="漩窝镇"))


def token(client: Any) -> str:
    html = client.get("/imports/new").get_data(as_text=True)
    return str(html.split('name="csrf_token" value="')[1].split('"')[0])


def send(client: Any, data: bytes, name: str = "名单.xlsx", **fields: str) -> Any:
    form = {"csrf_token": token(client), "source": "民政办", "purpose": "核对底册", **fields}
    return client.post("/imports", data={**form, "file": (io.BytesIO(data), name)})


def work(county: County, batch_id: int) -> ImportBatch:
    """Run the batch's job here and now."""
    job_id = batch(county, batch_id).job_id
    assert job_id is not None
    run_with(county.runtime, county.info.id, job_id)
    return batch(county, batch_id)


def batch(county: County, batch_id: int) -> ImportBatch:
    with county.uow() as uow:
        return uow.get(ImportBatch, batch_id)


def uploaded(client: Any, data: bytes, **fields: str) -> int:
    answer = send(client, data, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def checked(county: County, client: Any, data: bytes) -> int:
    batch_id = uploaded(client, data)
    assert work(county, batch_id).state == "checked"
    return batch_id


def html(client: Any, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return str(answer.get_data(as_text=True))


def act(client: Any, batch_id: int, verb: str, **fields: Any) -> str:
    """Press a button of the batch's page; gives the page that follows."""
    form = {"csrf_token": token(client), **fields}
    answer = client.post(f"/imports/{batch_id}/{verb}", data=form, follow_redirects=True)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_every_kind_of_error_has_a_short_name() -> None:
    assert set(MESSAGES) - set(view.KINDS) == set()


def test_an_empty_list_leads_to_the_template(tongyu: County) -> None:
    page = html(tongyu.client("county_admin"), "/imports")
    assert "还没有导入过" in page
    assert "/imports/template.xlsx" in page


def test_the_list_is_exported_with_what_for(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    url = "/imports/export?state=checked"
    token = client.get(url).text.split('name="csrf_token" value="')[1].split('"')[0]
    sent = client.post(url, data={"csrf_token": token, "purpose": "年终归档", "format": "csv"})
    lines = sent.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0].startswith("文件,")
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "import.export")).one()
        assert (entry.purpose, entry.object_label in lines[-1]) == ("年终归档", True)
    assert hanyin.client("auditor").get(url).status_code == 403


def test_the_template_has_the_countys_columns_and_my_villages(hanyin: County) -> None:
    client = hanyin.client("town", area=610921107000000)
    answer = client.get("/imports/template.xlsx", buffered=True)
    assert answer.mimetype == XLSX
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    text = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell}
    assert {"公民身份号码", "漩涡镇", "上七村"} <= text
    assert "城关镇" not in text


def test_what_is_missing_comes_back_with_what_was_typed(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    form = {"csrf_token": token(client), "source": "民政办九月名单", "purpose": " "}
    answer = client.post("/imports", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "请选择要上传的表格" in page
    assert 'value="民政办九月名单"' in page
    assert send(client, b"no workbook", "a.xlsx").status_code == 422


def test_from_upload_to_the_register(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, GOOD)
    path = f"/imports/{batch_id}"
    waiting = html(client, path)
    assert f'hx-get="{path}/progress"' in waiting
    fragment = client.get(f"{path}/progress", headers={"HX-Request": "true"})
    assert "<html" not in fragment.get_data(as_text=True)
    assert "HX-Refresh" not in fragment.headers
    assert client.get(f"{path}/progress").headers["Location"] == path

    found = work(hanyin, batch_id)
    assert (found.state, found.counts["errors"]) == ("checked", 0)
    assert client.get(f"{path}/progress", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    ready = html(client, path)
    assert "全部写入，共 1 户" in ready
    assert "只写入没有错" not in ready

    writing = act(client, batch_id, "commit", version=found.version)
    assert "正在写入" in writing
    again = act(client, batch_id, "commit", version=found.version)
    assert "xy-alert-warning" in again or "正在写入" in again
    assert work(hanyin, batch_id).state == "committed"
    result = html(client, path)
    assert f"/households?batch={batch_id}" in result
    assert "1 户已按这份表写入底册" in result
    late = act(client, batch_id, "commit", version=batch(hanyin, batch_id).version)
    assert "写入" in late
    assert batch(hanyin, batch_id).state == "committed"


def test_a_second_file_shows_what_changes(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    first = checked(hanyin, client, roster(head(51, id_number=None)))
    act(client, first, "commit", version=batch(hanyin, first).version)
    work(hanyin, first)
    second = checked(hanyin, client, roster(head(51, id_number=None, address="漩涡镇上七村三组51号新房")))
    page = html(client, f"/imports/{second}")
    assert "变化举例" in page
    assert "漩涡镇上七村三组17号" in page
    assert "漩涡镇上七村三组51号新房" in page


def test_errors_by_kind_and_the_rest_is_written(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = checked(hanyin, client, MIXED)
    path = f"/imports/{batch_id}"
    page = html(client, path)
    assert "镇名认不出" in page
    assert "漩窝镇" in page
    assert '<span lang="zh-CN">漩涡镇</span></button>' in page
    assert "只写入没有错的 1 户" in page
    assert "全部写入" not in page
    assert "漩窝镇" in html(client, f"{path}?kind=town_unknown")
    assert "漩窝镇" not in html(client, f"{path}?column=sex").split('id="errors"')[1].split("</section>")[0]

    answer = client.get(f"{path}/errors.xlsx", buffered=True)
    assert answer.mimetype == XLSX
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert [row[0] for row in rows[1:]] == ["漩窝镇"]

    version = batch(hanyin, batch_id).version
    refused = act(client, batch_id, "commit", version=version)
    assert batch(hanyin, batch_id).state == "checked"
    assert "xy-alert" in refused
    act(client, batch_id, "commit", version=version, valid_only="1")
    assert work(hanyin, batch_id).counts["written"]["households_new"] == 1
    result = html(client, path)
    assert "1 户有错，没有写入" in result
    assert f"{path}/errors.xlsx" in result


def test_the_first_of_what_is_new_is_shown_so_that_a_wrong_column_is_seen(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    people = [head(n, id_number=f"61092119800101{n:03}X") for n in range(871, 884, 2)]
    people[0] |= {"phone": "15400000070", "address": "七组9号", "household_income": 32000, "income_year": 2024}
    people[1]["group"] = "二十九组"
    batch_id = checked(hanyin, client, roster(*people))
    samples = batch(hanyin, batch_id).counts["samples"]
    assert {sample["before"] for sample in samples} == {None}
    assert [sample["entity"] for sample in samples] == ["household", "person"] * 5
    home, person = samples[0]["after"], samples[1]["after"]
    assert (home["code"][12:], home["address"], home["income"], home["income_year"]) == ("0871", "七组9号", 32000, 2024)
    assert (person["id_number"], person["phone"], person["relation"]) == ("610921********1X", "154****0070", "02")
    page = html(client, f"/imports/{batch_id}")
    assert "新增举例" in page
    assert re.search(r"村民小组</th><td[^>]*>1</td>", page)  # the group that the import makes
    for word in ("七组9号", "32,000", "户主", "610921********1X", "154****0070", "党员", "漩涡镇上七村三组"):
        assert word in page.partition("新增举例")[2], word
    assert (
        english_page_faults(html(hanyin.client("county_admin", locale="en", name="Wu"), f"/imports/{batch_id}")) == []
    )
    wrong = checked(hanyin, client, roster(head(78, town="漩窝镇")))
    assert batch(hanyin, wrong).counts["samples"] == []


def test_a_long_cell_does_not_take_the_room_of_the_table(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = checked(hanyin, client, roster(head(61, id_number=None, town="镇" * 60)))
    page = html(client, f"/imports/{batch_id}")
    assert f"{'镇' * 40}</span>…" in page
    assert "镇" * 41 not in re.sub(r'value="[^"]*"', "", page)


def test_an_income_is_compared_within_its_year(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    for income in (30000, 45000):
        person = head(62, id_number=None, household_income=income, income_year=2024)
        batch_id = checked(hanyin, client, roster(person))
        page = html(client, f"/imports/{batch_id}")
        act(client, batch_id, "commit", version=batch(hanyin, batch_id).version)
        work(hanyin, batch_id)
    assert "2024年家庭收入（元）" in page
    assert "30,000" in page
    assert "收入年度" not in page


def test_errors_are_paged(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    people = [head(n, id_number=None, town="漩窝镇") for n in range(100, 170)]
    batch_id = checked(hanyin, client, roster(*people))
    page = html(client, f"/imports/{batch_id}")
    following = page.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "第 31 行" not in page
    assert "第 31 行" in html(client, following)
    assert html(client, f"/imports/{batch_id}?after=nonsense", 422)

    items: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        body = client.get(f"/api/v1/imports/{batch_id}/errors?limit=30&cursor={cursor}").get_json()
        items, cursor = items + body["items"], body["next"]
    assert [item["row"] for item in items] == list(range(2, 72))
    assert items[0]["suggestion"] == "漩涡镇"


def test_an_unreadable_file_says_what_to_do(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, workbook([["甲", "乙", "丙"], [1, 2, 3]]))
    assert work(hanyin, batch_id).state == "failed"
    page = html(client, f"/imports/{batch_id}")
    assert "表头" in page
    assert f"/imports/new?again={batch_id}" in page
    assert "民政办" in html(client, f"/imports/new?again={batch_id}")


@pytest.mark.parametrize(("kind", "name"), [("xls", "名单.xls"), ("ods", "名单.xls"), ("csv", "名单.xlsx")])
def test_other_formats_go_the_same_way_whatever_they_are_called(hanyin: County, kind: str, name: str) -> None:
    client = hanyin.client("county_admin")
    rows = [["漩涡镇2025年花名册"], HEADER, changed(HEAD_ROW, id_number=""), ["合计", "", "1人"]]
    rows[1], rows[2] = [*HEADER, "性别", "出生日期"], [*rows[2], "男", "1980.1.1"]
    data = {"xls": xls(rows, hidden=[3]), "ods": ods(rows, hidden=[3]), "csv": text(rows, encoding="gb18030")}[kind]
    answer = send(client, data, name)
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    batch_id = int(answer.headers["Location"].rsplit("/", 1)[1])
    found = work(hanyin, batch_id)
    assert (found.state, found.counts["errors"], found.counts["valid_households"]) == ("checked", 0, 1)
    page = html(client, f"/imports/{batch_id}")
    assert "表头在第 2 行" in page
    assert "跳过了 1 行合计" in page
    assert ("有 1 行在表里是隐藏的" in page) == (kind != "csv")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (web_page([HEADER, HEAD_ROW]), "改了名的网页"),
        (compound("EncryptedPackage", bytes(5000)), "密码"),
        (compound("WordDocument", bytes(5000)), "这不是表格"),
        (b"no table", "这不是表格"),
    ],
)
def test_what_cannot_be_read_is_told_at_the_upload(hanyin: County, data: bytes, words: str) -> None:
    answer = send(hanyin.client("county_admin"), data, "名单.xls")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_cancel_and_the_list(hanyin: County) -> None:
    client = hanyin.client("county_admin", name="吴示范")
    batch_id = checked(hanyin, client, roster(head(61, id_number=None)))
    assert "这次导入已取消" in act(client, batch_id, "cancel", version=batch(hanyin, batch_id).version)
    act(client, batch_id, "cancel", version=1)
    listed = html(client, "/imports?state=cancelled&q=民政")
    assert f"/imports/{batch_id}" in listed
    assert "没有符合条件的导入" in html(client, "/imports?q=没有这样的")


def test_running_work_is_stopped_from_its_card(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = uploaded(client, GOOD)
    act(client, batch_id, "cancel")
    work(hanyin, batch_id)
    assert batch(hanyin, batch_id).state == "cancelled"


def test_who_sees_it(hanyin: County, tongyu: County) -> None:
    town = hanyin.client("town", area=610921107000000)
    batch_id = uploaded(town, GOOD)
    assert html(hanyin.client("county_admin"), f"/imports/{batch_id}")
    assert html(hanyin.client("town", area=610921100000000), f"/imports/{batch_id}", 404)
    assert html(tongyu.client("county_admin"), f"/imports/{batch_id}", 404)
    assert html(hanyin.client("village"), "/imports", 403)


def test_english_pages_mark_their_chinese(hanyin: County) -> None:
    client = hanyin.client("county_admin", locale="en", name="Wu")
    broken = uploaded(client, workbook([["甲", "乙", "丙"], [1, 2, 3]]))
    work(hanyin, broken)
    wrong, good = checked(hanyin, client, MIXED), checked(hanyin, client, roster(head(71, id_number=None)))
    paths = ["/imports", "/imports/new", *(f"/imports/{n}" for n in (broken, wrong, good))]
    act(client, good, "commit", version=batch(hanyin, good).version)
    work(hanyin, good)
    for path in [*paths, f"/imports/{good}"]:
        assert english_page_faults(html(client, path)) == [], path


def test_the_api_goes_the_whole_way(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    headers = {"X-CSRF-Token": token(client)}

    def post(path: str, **options: Any) -> Any:
        given = {**headers, **options.pop("headers", {})}
        return client.post(f"/api/v1/imports{path}", headers=given, **options)

    form: dict[str, Any] = {"source": "公安", "purpose": "核对"}
    assert post("", data=form).status_code == 422
    made = post("", data={**form, "file": (io.BytesIO(roster(head(81, id_number=None))), "a.xlsx")})
    assert made.status_code == 202
    batch_id = made.get_json()["id"]
    work(hanyin, batch_id)
    read = client.get(f"/api/v1/imports/{batch_id}")
    assert read.get_json()["state"] == "checked"
    assert read.get_json()["counts"]["valid_households"] == 1

    assert post(f"/{batch_id}/commit", json={}).status_code == 428
    assert post(f"/{batch_id}/commit", json={}, headers={"If-Match": '"999"'}).status_code == 412
    given = {"If-Match": read.headers["ETag"]}
    assert post(f"/{batch_id}/commit", json={}, headers=given).status_code == 202
    assert post(f"/{batch_id}/commit", json={}, headers=given).status_code in (409, 412)
    work(hanyin, batch_id)
    listed = client.get("/api/v1/imports?state=committed&fields=id,state&limit=1").get_json()
    assert listed["items"] == [{"id": batch_id, "state": "committed"}]

    other = post("", data={**form, "file": (io.BytesIO(GOOD), "b.xlsx")}).get_json()
    assert post(f"/{other['id']}/cancel").status_code == 428
    tag = client.get(f"/api/v1/imports/{other['id']}").headers["ETag"]
    assert post(f"/{other['id']}/cancel", headers={"If-Match": tag}).status_code == 200
