"""Pages of households and persons: what is shown to whom, and what leaves the house."""

from __future__ import annotations

import io
import re
from typing import Any

import python_calamine
from households_kit import (
    ID_NUMBER,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    entries,
    filled_county,
    hidden,
    id_of,
    post,
    roster,
    text,
)
from sqlalchemy import event, select

from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    CustomField,
    Household,
    Person,
)
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]


def test_a_town_account_sees_its_own_households_only(county: County) -> None:
    mine, foreign = (id_of(county, Household, code=c) for c in ("6109211012000001", "6109211002000001"))
    person = id_of(county, Person, name="王德福")
    client = county.client("town", area=OTHER_TOWN)
    page = text(client, "/households")
    assert "周永贵" in page
    assert "王德福" not in page
    assert "1 户 · 1 人" in page
    assert "王德福" not in text(client, "/persons")
    assert ">王德福<" not in text(client, "/search?q=王德福")
    assert client.get(f"/households/{mine}").status_code == 200
    for url in (
        f"/households/{foreign}",
        f"/households/{foreign}/edit",
        f"/persons/{person}",
        f"/persons/{person}/edit",
    ):
        assert client.get(url).status_code == 404, url
    for url in (f"/households/{foreign}/edit", f"/households/{foreign}/acts/close", f"/households/{foreign}/acts/leave",
                f"/persons/{person}/marks", f"/households/{foreign}/incomes"):  # fmt: skip
        assert (
            post(client, "/households", url, version="1", area_code=str(OTHER_VILLAGE), year="2024").status_code == 404
        )
    assert client.get("/households?area=610921100").status_code == 404


def test_another_county_sees_nothing(county: County, tongyu: County) -> None:
    client = tongyu.client("county_admin")
    assert "王德福" not in text(client, "/households")
    assert client.get(f"/households/{id_of(county, Household, code='6109211002000001')}").status_code == 404


def test_identifiers_are_masked_wherever_they_stand(county: County) -> None:
    client = county.client("county_admin")
    household, person = id_of(county, Household, code="6109211002000001"), id_of(county, Person, name="王德福")
    for url in ("/persons?cols=id_number,phone", f"/households/{household}", f"/persons/{person}",
                f"/persons/{person}/edit", "/search?q=wdf"):  # fmt: skip
        page = text(client, url)
        assert ID_NUMBER not in page, url
        assert "15400000017" not in page, url
    assert "610921********11" in text(client, f"/persons/{person}")
    assert "154****0017" in text(client, f"/households/{household}")


def test_a_reveal_needs_a_purpose_and_is_written_down_once(county: County) -> None:
    client = county.client("county_admin")
    url = f"/persons/{id_of(county, Person, name='王德福')}"
    refused = post(client, url, f"{url}/reveal", purpose=" ")
    assert refused.status_code == 422
    assert ID_NUMBER not in refused.get_data(as_text=True)
    assert entries(county, "identifier.reveal") == []
    shown = post(client, url, f"{url}/reveal", purpose="核对低保材料").get_data(as_text=True)
    assert ID_NUMBER in shown
    assert "15400000017" in shown
    (entry,) = entries(county, "identifier.reveal")
    assert (entry.purpose, entry.object_label, entry.object_type) == ("核对低保材料", "王德福", "person")
    assert ID_NUMBER not in text(client, url)
    town = county.client("town", area=TOWN)
    assert "/reveal" not in text(town, url)
    assert post(town, url, f"{url}/reveal", purpose="核对").status_code == 403


def test_sensitive_marks_are_for_those_with_the_right_and_their_reading_is_on_record(county: County) -> None:
    household, person = id_of(county, Household, code="6109211002000001"), id_of(county, Person, name="王德福")
    urls = (f"/households/{household}", f"/persons/{person}")
    read = len(entries(county, "mark.read"))
    town = county.client("town", area=TOWN)
    for url in (*urls, "/households", "/persons"):
        assert "残疾" not in text(town, url), url
        assert "党员" in text(town, url), url
    assert "不能使用" in text(town, town.get("/households?mark=disabled&q=w").headers["Location"])
    before = len(entries(county, "mark.read"))
    assert before == read
    admin = county.client("county_admin")
    for url in urls:
        assert "xy-chip-sensitive" not in text(admin, url), url
        assert "说明目的后查看" in text(admin, url)
    asked = admin.get("/households?mark=disabled").headers["Location"]
    assert asked == "/purpose?next=/households%3Fmark%3Ddisabled"
    assert post(admin, asked, "/purpose", purpose="x", next="/").status_code == 422
    assert post(admin, asked, "/purpose", purpose="入户核对", next=urls[0]).headers["Location"] == urls[0]
    for url in urls:
        assert "xy-chip-sensitive" in text(admin, url)
    assert {e.purpose for e in entries(county, "mark.read")[before:]} == {"入户核对"}
    assert [e.after for e in entries(county, "mark.read")][before:] == [{"marks": ["disabled"]}] * 2
    assert not re.search(r"xy-chip-sensitive", text(admin, "/households"))
    found = text(admin, "/households?mark=disabled")
    assert "xy-chip-sensitive" in found
    assert "吴·木子" not in found
    assert len(entries(county, "mark.read")) == before + 3
    assert post(admin, "/", "/purpose", end="1", next="/").status_code == 303
    assert "残疾" not in text(admin, urls[0])


def test_the_export_is_the_list_as_text_with_its_purpose_on_record(county: County) -> None:
    client = county.client("county_admin")
    address = "/households/export?cols=address,size,marks&sort=-size&q=610921100200"
    assert "户主, 人口, 标识, 住址" in re.sub(r"\s+", " ", text(client, address))
    assert post(client, address, address, purpose="").status_code == 422
    answer = post(client, address, address, purpose="给镇民政办")
    assert answer.status_code == 200
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    mark = sheet.pop(0)[0]
    assert sheet == [
        ["户主", "人口", "标识", "住址"],
        ["王德福", 2, "党员", "'=HYPERLINK(1)"],
        ["吴·木子", 1, "", "三组2号"],
    ]
    assert b"<f>" not in answer.data
    (entry,) = entries(county, "household.export")
    assert (entry.purpose, entry.after and entry.after["rows"]) == ("给镇民政办", 2)
    assert f"用途：给镇民政办 · 编号：{entry.object_label} · " in mark
    persons = "/persons/export?cols=id_number,relation,birth_date&sort=name"
    answer = post(client, persons, persons, purpose="给镇民政办")
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[1] == ["姓名", "与户主关系", "年龄", "公民身份号码"]
    assert [[row[0], row[1], row[3]] for row in rows[2:]] == [
        ["陈桂兰", "妻", ""], ["王德福", "户主", "610921********11"],
        ["吴·木子", "户主", ""], ["周永贵", "户主", ""],
    ]  # fmt: skip
    assert len(entries(county, "person.export")) == 1
    # Beside the household, which goes by its head's name, the person keeps the name of its own.
    beside = "/persons/export?cols=household,relation&sort=name"
    answer = post(client, beside, beside, purpose="给镇民政办")
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[2] == ["陈桂兰", "王德福", "妻"]


def test_the_export_as_csv_reads_in_a_spreadsheet_without_loss(county: County) -> None:
    client = county.client("county_admin")
    address = "/households/export?cols=code,size,address&sort=-size&q=610921100200"
    answer = post(client, address, address, purpose="给镇民政办", format="csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith(".csv")
    *lines, last = answer.data.decode("utf-8-sig").splitlines()
    assert lines == [
        "户主,人口,住址,户号",
        "王德福,2,'=HYPERLINK(1),\t6109211002000001",
        "吴·木子,1,三组2号,\t6109211002000002",
    ]
    assert "用途：给镇民政办" in last
    refused = post(client, address, address, purpose="给镇民政办", format="pdf")
    assert refused.status_code == 422
    assert "给镇民政办" in refused.text


def test_an_export_needs_its_right_and_stays_in_the_area(county: County) -> None:
    village = county.client("village", area=VILLAGE)
    assert "/households/export" not in text(village, "/households")
    assert village.get("/households/export").status_code == 403
    town = county.client("town", area=OTHER_TOWN)
    answer = post(town, "/households/export", "/households/export", purpose="自查")
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[2:]] == ["周永贵"]
    assert town.get("/households/export?area=610921100").status_code in (200, 404)
    refused = post(town, "/households", "/households/export?area=610921100", purpose="自查")
    assert refused.status_code == 404


def test_search_finds_households_persons_and_areas_best_first(county: County) -> None:
    with county.uow() as uow:
        more = [HouseholdRow(VILLAGE, "6109211002000050", "", [{"name": "小王德福", "relation": "02"}])]
        upsert_households(uow, county.runtime.tenant_keys(uow), more)
    client = county.client("county_admin")
    page = text(client, "/search?q=王德福")
    assert page.index(">王德福<") < page.index(">小王德福<")
    assert "东南村" in text(client, "/search?q=dongnan")
    fragment = text(client, "/search?q=wdf&brief=1", headers={"HX-Request": "true"})
    assert "王德福" in fragment
    assert "<html" not in fragment
    assert text(client, "/search?q=&brief=1", headers={"HX-Request": "true"}).strip() == ""
    assert "没有找到" in text(client, "/search?q=zzzz")


def test_pages_of_a_list_lead_on_and_back(county: County) -> None:
    with county.uow() as uow:
        rows = [
            HouseholdRow(VILLAGE, f"61092110020001{i:02}", "", [{"name": f"赵{chr(0x4E00 + i)}", "relation": "02"}])
            for i in range(60)
        ]
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)
    client = county.client("county_admin")
    first = text(client, "/households?q=赵&sort=-code")
    assert "60 户" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = text(client, following[1].replace("&amp;", "&"))
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back is not None
    codes = r'class="xy-sub">(61092110020001\d\d)'
    assert len(re.findall(codes, first)) == 50
    assert sorted(re.findall(codes, first) + re.findall(codes, second), reverse=True) == re.findall(
        codes, first
    ) + re.findall(codes, second)
    assert re.findall(codes, text(client, back[1].replace("&amp;", "&"))) == re.findall(codes, first)


def test_a_wrong_condition_is_named_and_the_rest_still_holds(county: County) -> None:
    page = text(county.client("county_admin"), "/households?min_persons=viele&q=wdf")
    assert "min_persons" in page
    assert "王德福" in page
    assert "吴·木子" not in page


def test_an_empty_list_leads_on(county: County) -> None:
    client = county.client("county_admin")
    assert "清除全部条件" in text(client, "/households?q=zzzz")
    page = text(client, "/households?area=610921102")
    assert "导入花名册" in page
    assert "登记一户" in page


def test_viewers_get_no_forms(county: County) -> None:
    household, person = id_of(county, Household, code="6109211002000001"), id_of(county, Person, name="王德福")
    client = county.client("department")
    for url in ("/households", f"/households/{household}", f"/persons/{person}"):
        page = text(client, url)
        for act in ("/edit", "/new", "/marks", "/incomes", "/acts/close", "/acts/leave", "/export"):
            assert f'{act}"' not in page, (url, act)
    assert client.get(f"/households/{household}/edit").status_code == 403
    assert client.get("/households/new").status_code == 403


def statements(county: County, client: Any, url: str) -> int:
    """How many statements a page takes. Which county a host is, is remembered for two seconds: asked every time here,
    or the look-up would fall into one of two pages by chance."""
    count = 0
    county.runtime.directory.forget()

    def on_execute(*_args: Any) -> None:
        nonlocal count
        count += 1

    event.listen(county.runtime.engine, "before_cursor_execute", on_execute)
    try:
        text(client, url)
    finally:
        event.remove(county.runtime.engine, "before_cursor_execute", on_execute)
    return count


def test_no_more_statements_for_three_rows_than_for_one(county: County) -> None:
    client = county.client("county_admin")
    columns = "cols=size,place,away,marks,address,income,updated"
    one, two = id_of(county, Household, code="6109211002000002"), id_of(county, Household, code="6109211002000001")
    with county.uow() as uow:
        row = roster()[0]
        more = [{"name": f"王小{n}", "relation": "20", "marks": ["veteran"]} for n in "一二"]
        rows = [HouseholdRow(row.area_code, row.code, "", [*row.persons, *more])]
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)
    text(client, "/households?area=all")  # the area that is looked at is remembered from here on
    pairs = [
        (f"/households?area=all&q=吴木子&{columns}", f"/households?area=all&{columns}"),
        ("/persons?area=all&q=吴木子&cols=household,marks,phone", "/persons?area=all&cols=household,marks,phone"),
        (f"/households/{one}", f"/households/{two}"),
        ("/search?q=吴木子", "/search?q=w"),
    ]
    for few, many in pairs:
        # The second look writes down that a sensitive mark was shown: one statement, not one for each member.
        extra = 1 if few.startswith("/households/") else 0
        assert statements(county, client, many) <= statements(county, client, few) + extra, many


def test_english_pages_have_no_unmarked_chinese(county: County) -> None:
    household, person = id_of(county, Household, code="6109211002000001"), id_of(county, Person, name="王德福")
    client = county.client("county_admin", locale="en")
    post(client, f"/households/{household}", f"/households/{household}/incomes", year="2023", amount="1", source="核算")
    assert english_page_faults(text(client, f"/persons/{person}")) == []
    assert english_page_faults(text(client, "/purpose")) == []
    post(client, "/purpose", "/purpose", purpose="入户核对")
    for url in (
        "/households", "/households?mark=disabled&custom.housing=own", "/households?q=zzz", "/persons",
        f"/households/{household}", f"/households/{household}/edit", f"/persons/{person}", f"/persons/{person}/edit",
        "/households/new?area=610921100200", "/households/new?area=all", f"/households/{household}/persons/new",
        "/households/export", "/persons/export?mark=party_member", "/search?q=wang",
    ):  # fmt: skip
        assert english_page_faults(text(client, url)) == [], url


def test_what_happened_names_choices_of_own_fields(county: County) -> None:
    client, id = county.client("county_admin"), id_of(county, Household, code="6109211002000001")
    url = f"/households/{id}/edit"
    version = hidden(text(client, url), "version")
    sent = {"version": version, "address": "新村1号", "custom.housing": "rented"}
    assert post(client, url, url, **sent).status_code == 303
    page = text(client, f"/households/{id}")
    assert "自建房 → 租住" in re.sub("<[^>]+>", "", page)


def test_a_field_out_of_use_shows_what_the_record_keeps(county: County) -> None:
    client, id = county.client("county_admin"), id_of(county, Household, code="6109211002000001")
    without = id_of(county, Household, code="6109211002000002")
    housing = select(CustomField).where(CustomField.key == "housing")
    with county.uow() as uow:
        uow.session.scalars(housing).one().active = False
    try:
        shown = re.sub("<[^>]+>", "", text(client, f"/households/{id}"))
        assert "住房来源（已停用）自建房" in re.sub(r"\s", "", shown)
        assert "住房来源" not in text(client, f"/households/{without}")
        assert "住房来源" not in text(client, f"/households/{id}/edit")
    finally:
        with county.uow() as uow:
            uow.session.scalars(housing).one().active = True


def test_whoever_is_away_does_not_live_here_by_another_word(county: County) -> None:
    page = text(county.client("county_admin", locale="en"), f"/persons/{id_of(county, Person, name='陈桂兰')}")
    assert "In the household" in page
    assert "Lives here" not in page
