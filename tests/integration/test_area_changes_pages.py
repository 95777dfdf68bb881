"""Pages and API of changes of areas."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
import xlsxwriter
from areas_kit import DAY, TOWN, A, B, C, areas, fill, places
from households_kit import entries

from xiangyue.features.areas.queries import list_areas
from xiangyue.testing.fixtures import County


@pytest.fixture(scope="module")
def home(hanyin: County) -> Any:
    fill(hanyin, (A, (1, 2)), (B, (1,)))
    return hanyin.client("county_admin")


def token(text: str) -> str:
    return text.split('name="csrf_token" value="')[1].split('"')[0]


def version(text: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', text)[-1]


def draft(home: Any, kind: str, **values: Any) -> str:
    """Path of the draft's page."""
    form = home.get(f"/areas/changes/new?kind={kind}").text
    data = {"csrf_token": token(form), "on": DAY.isoformat(), **values}
    sent = home.post(f"/areas/changes/new/{kind}", data=data)
    assert sent.status_code == 303, re.findall(r"xy-error.*?</div>", sent.text)
    return str(sent.headers["Location"])


def test_a_merge_by_page_and_its_undo(hanyin: County, home: Any) -> None:
    path = draft(home, "merge", areas=[str(A)], into=str(B), reason="县政发〔2026〕7号")
    shown = home.get(path).text
    assert "预演" in shown
    assert "610921100203003" in shown
    data = {"csrf_token": token(shown), "version": version(shown)}
    assert home.post(f"{path}/force", data=data).status_code == 303
    hanyin.run_jobs()
    done = home.get(path).text
    assert "共迁移5户" in done
    # A link with the old code leads on, so do a list's condition and the search.
    assert home.get(f"/areas/{A // 1000}").headers["Location"].endswith(str(B // 1000))
    assert f"area={B // 1000}" in home.get(f"/households?area={A // 1000}").headers["Location"]
    assert areas(hanyin, B)[B].name in home.get(f"/search?q={A // 1000}").text
    assert home.get(f"/areas/{A // 1000}?old=1").status_code == 200
    assert areas(hanyin, A)[A].name in home.get("/areas?on=2026-04-30").text
    without = home.post(f"{path}/undo", data={"csrf_token": token(done), "version": version(done), "reason": " "})
    assert without.status_code == 422
    data = {"csrf_token": token(done), "version": version(done), "reason": "弄错了"}
    assert home.post(f"{path}/undo", data=data).status_code == 303
    hanyin.run_jobs()
    assert "已恢复原状" in home.get(path).text
    assert areas(hanyin, A)[A].active


def test_what_was_typed_stays_when_it_does_not_fit(home: Any) -> None:
    form = home.get(f"/areas/changes/new?kind=recode&area={A // 1000}").text
    data = {
        "csrf_token": token(form),
        "about": str(A),
        "code": str(B // 1000),
        "name": "新名村委会",
        "on": "2026-05-01",
    }
    answer = home.post("/areas/changes/new/recode", data=data)
    assert answer.status_code == 422
    assert "请另选" in answer.text
    assert "新名村委会" in answer.text


def test_who_goes_where_by_page_rule_and_sheet(hanyin: County, home: Any) -> None:
    new = A + 99_000
    values = {
        "about": str(A),
        "part0_name": "新桥村委会",
        "part0_code": str(new // 1000),
        "part0_children": str(A + 1),
        "keep": "1",
    }
    path = draft(home, "split", **values)
    shown = home.get(f"{path}/households").text
    first = re.findall(r'name="h(\d+)"', shown)[0]
    data = {"csrf_token": token(shown), "version": version(shown), f"h{first}": str(new)}
    assert home.post(f"{path}/households", data=data).status_code == 303
    shown = home.get(f"{path}/households").text
    rule = {"rule0_groups": str(A + 2), "rule0_first": "2", "rule0_last": "1", "rule0_to": str(new)}
    hidden = {"csrf_token": token(shown), "version": version(shown)}
    wrong = home.post(f"{path}/rules", data={**hidden, **rule})
    assert wrong.status_code == 422
    rule["rule0_last"] = "9"
    assert (
        home.post(f"{path}/rules", data={"csrf_token": token(shown), "version": version(shown), **rule}).status_code
        == 303
    )
    shown = home.get(f"{path}/households").text
    code = next(code for code, area in sorted(places(hanyin).items()) if area == A + 2)

    def upload(*rows: tuple[str, str]) -> Any:
        stream = io.BytesIO()
        book = xlsxwriter.Workbook(stream, {"in_memory": True})
        sheet = book.add_worksheet()
        for number, row in enumerate((("户编号", "去向"), *rows)):
            sheet.write_row(number, 0, row)
        book.close()
        data = {
            "csrf_token": token(shown),
            "version": version(shown),
            "file": (io.BytesIO(stream.getvalue()), "户表.xlsx"),
        }
        return home.post(f"{path}/sheet", data=data, content_type="multipart/form-data")

    bad = upload((code, "没有的村"), ("6109211002009999", "新桥村"))
    assert bad.status_code == 422
    assert "第2行" in bad.text
    assert "第3行" in bad.text
    assert upload((code, "新桥村")).status_code == 303
    # The last word is that of the page: one household by hand, one by sheet, one by rule, two with their group.
    assert ">5<" in home.get(path).text
    out = home.get(f"{path}/households/export")
    assert out.status_code == 200
    shown = home.get(path).text
    assert home.post(f"{path}/drop", data={"csrf_token": token(shown), "version": version(shown)}).status_code == 303
    assert home.get(path).status_code == 404


def test_the_official_list_line_by_line(hanyin: County, home: Any) -> None:
    known = {a.area_code: a.official_name for a in areas(hanyin, A, B).values()}
    with hanyin.uow() as uow:
        rows = [
            (str(a.area_code // 1000), a.official_name or a.name)
            for a in list_areas(uow)
            if a.level in ("town", "village")
        ]
    listed = [
        (code, "更名村委会" if int(code) * 1000 == B else name) for code, name in rows if int(code) * 1000 != A
    ] + [(str(TOWN // 1000 + 395), known[A]), (str(TOWN // 1000 + 396), "新设村委会")]
    text = "代码,名称\n" + "\n".join(",".join(row) for row in listed)
    form = home.get("/areas/official").text
    data = {"csrf_token": token(form), "file": (io.BytesIO(text.encode()), "名录.csv")}
    shown = home.post("/areas/official", data=data, content_type="multipart/form-data").text
    lines = [json.loads(line.replace("&#34;", '"')) for line in re.findall(r"name=\"line\".*?value='(.*?)'", shown)]
    assert {(line["kind"], line["code"], line["to"]) for line in lines} == {
        ("recoded", A, TOWN + 395_000),
        ("renamed", B, 0),
        ("new", TOWN + 396_000, 0),
    }
    data = {
        "csrf_token": token(shown),
        "on": DAY.isoformat(),
        "act": "force",
        "line": [json.dumps(line) for line in lines],
    }
    assert home.post("/areas/official/take", data=data).status_code == 303
    hanyin.run_jobs()
    now = areas(hanyin, A, B, TOWN + 395_000, TOWN + 396_000)
    assert (now[A].active, now[TOWN + 395_000].active, now[TOWN + 396_000].name) == (False, True, "新设村")
    assert now[B].name == "更名村"


def test_the_official_list_by_the_api(hanyin: County) -> None:
    headers = hanyin.bearer(hanyin.account("county_admin"))
    api, base = hanyin.client(), "/api/v1/areas/official"
    with hanyin.uow() as uow:
        listed = [
            {"code": str(a.area_code // 1000), "name": a.official_name or a.name}
            for a in list_areas(uow)
            if a.level in ("town", "village") and a.active and a.area_code not in (B, C)
        ]
    extra = {"code": str(TOWN // 1000 + 397), "name": "新联村委会"}
    found = api.post(f"{base}/compare", json={"areas": [*listed, extra]}, headers=headers).json["items"]
    assert {(line["kind"], line["code"]) for line in found} == {
        ("gone", str(B // 1000)),
        ("gone", str(C // 1000)),
        ("new", extra["code"]),
    }
    wrong = api.post(f"{base}/compare", json={"areas": [{"code": "610922100", "name": "外县镇"}]}, headers=headers)
    assert wrong.status_code == 422
    assert "6109" in wrong.text
    body = {"on": DAY.isoformat(), "reason": "陕民发〔2026〕1号", "force": True, "lines": found}
    taken = api.post(f"{base}/take", json=body, headers=headers).json
    assert [(one["kind"], one["state"]) for one in taken["changes"]] == [
        ("close", "working"),
        ("create", "working"),
    ]
    assert [line["code"] for line in taken["failed"]] == [str(B // 1000)], (
        "groups lie below it: told, and no other line waits for it"
    )
    hanyin.run_jobs()
    assert areas(hanyin, TOWN + 397_000)[TOWN + 397_000].name == "新联村"
    other = hanyin.bearer(hanyin.account("town", area=TOWN))
    assert api.post(f"{base}/take", json=body, headers=other).status_code == 403


def test_changes_are_listed_counted_and_exported(hanyin: County, home: Any) -> None:
    path = draft(home, "rename", about=str(B), name="改名村")
    assert re.search(r"新名称.*?改名村", home.get(path).text, re.S)
    page = home.get("/areas/changes?state=draft&kind=rename").text
    assert "1 项变更" in page
    path = "/areas/changes/export?state=draft&kind=rename"
    data = {"csrf_token": token(home.get(path).text), "purpose": "存档", "format": "csv"}
    sent = home.post(path, data=data)
    assert "改名村" not in sent.text
    assert "2026-05-01" in sent.text
    entry = entries(hanyin, "area.change_export")[-1]
    assert (entry.purpose, (entry.after or {})["rows"]) == ("存档", 1)


def test_rights(hanyin: County) -> None:
    assert hanyin.client("town", area=TOWN).get("/areas/changes").status_code == 403
    assert hanyin.client().get("/areas/changes").status_code == 303
