"""The roster of posts taken in: new holders, entries put right, what is wrong by cell, and an import undone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from households_kit import VILLAGE, post, text
from imports_kit import commit, job_of, undo, work
from openpyxl import load_workbook
from organisations_kit import appointed, cleared, county, organisation, person
from registers_kit import sheet
from sqlalchemy import delete, select

from xiangyue.features.areas.models import Area
from xiangyue.features.imports import queries, service
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.organisations.holders import all_of
from xiangyue.features.organisations.models import Organisation, OrganisationKind, PostHolder, PostKind
from xiangyue.testing.fixtures import County

__all__ = ["cleared", "county"]

COLUMNS = "镇 村 组织 组织类型 职务 任职人 册外人员 到任日期 任期至 产生方式 产生日期 得票"
HEADER = COLUMNS.split()


@pytest.fixture(scope="module")
def place(county: County) -> tuple[str, str]:
    with county.uow() as uow:
        names = {area.area_code: area.name for area in uow.session.scalars(select(Area))}
    return names[VILLAGE - VILLAGE % 1_000_000], names[VILLAGE]


def taken_in(county: County, place: tuple[str, str], *rows: Sequence[Any]) -> ImportBatch:
    return uploaded(county, [[*place, *row] for row in rows])


def uploaded(county: County, rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER) -> ImportBatch:
    data = sheet(*rows, header=header)
    with county.uow() as uow:
        batch = service.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data), name="名册.xlsx", source="组织部", purpose="换届",
            kind="organisation_posts",
        )  # fmt: skip
    return work(county, batch.id)


def standing(county: County) -> dict[str, tuple[str, date, int | None]]:
    with county.uow() as uow:
        ids = uow.session.scalars(select(Organisation.id)).all()
        found = [h for id in ids for h in all_of(uow, id) if h.row.valid_to is None]
        return {h.name: (h.post.name, h.row.valid_from, h.row.votes) for h in found}


HEAD = ("新村村委会", "村民委员会", "主任", "王建国", "", "2024-03-01", "2029-03-01", "选举产生", "2024-02-20", 300)
SECOND = ("新村村委会", "村民委员会", "委员", "郑下派", "是", "2024-03-01", "", "任命", "", "")


def test_holders_are_taken_in_with_their_organisation_and_taken_back(county: County, place: tuple[str, str]) -> None:
    first = taken_in(county, place, HEAD, SECOND)
    assert first.state == "checked", first.problem
    assert first.counts["records_new"] == 2, first.counts
    assert standing(county) == {}
    first = commit(county, first)
    assert first.state == "committed", job_of(county, first.id).error
    day = date(2024, 3, 1)
    assert standing(county) == {"王建国": ("主任", day, 300), "郑下派": ("委员", day, None)}

    again = taken_in(county, place, HEAD, SECOND)
    assert again.counts["records_unchanged"] == 2, again.counts
    changed = commit(county, taken_in(county, place, (*HEAD[:-1], 301)))
    assert changed.state == "committed", job_of(county, changed.id).error
    assert standing(county)["王建国"][2] == 301
    assert undo(county, changed).state == "undone"
    assert standing(county)["王建国"][2] == 300
    back = undo(county, first)
    assert back.state == "undone", job_of(county, first.id).error
    assert standing(county) == {}


def test_rows_without_a_village_are_of_the_town_or_the_county(county: County, place: tuple[str, str]) -> None:
    post = ("党委", "党的委员会", "书记", "郑下派", "是", "2024-03-01", "", "任命", "", "")
    batch = uploaded(county, [
        (place[0], "", *post), ("汉阴县", "", *post), ("没有镇", "", *post), ("", place[1], *post), ("", "", *post),
    ])  # fmt: skip
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    assert [(e.row, e.column, e.code) for e in found] == [
        (4, "town", "town_unknown"), (5, "town", "required"), (6, "town", "required"),
    ]  # fmt: skip
    batch = commit(county, uploaded(county, [(place[0], "", *post), ("汉阴县", "", *post)]))
    assert batch.state == "committed", job_of(county, batch.id).error
    with county.uow() as uow:
        stands = uow.session.execute(select(Organisation.level, Organisation.area_code)).all()
    assert set(stands) == {("town", VILLAGE - VILLAGE % 1_000_000), ("county", county.info.area_code)}


def test_posts_and_kinds_are_read_in_the_words_of_the_field(county: County, place: tuple[str, str]) -> None:
    rest = ("郑下派", "是", "2024-03-01", "", "任命", "", "")
    rows = [
        (place[0], "", f"{place[0]}人民政府", "镇政府", "镇长", *rest),
        ("汉阴县", "", "民政局", "县直部门", "民政局局长", *rest),
        (*place, "新村支部", "党支部", "村支书", *rest),
        (*place, "新村村委会", "村委会", "村长", *rest),
    ]
    first = uploaded(county, rows)
    with county.uow() as uow:
        assert queries.list_errors(uow, first.id)[0] == []
    first = commit(county, first)
    assert first.state == "committed", job_of(county, first.id).error
    with county.uow() as uow:
        held = {(o.name, h.post.name) for o in uow.session.scalars(select(Organisation)) for h in all_of(uow, o.id)}
    assert held == {
        (f"{place[0]}人民政府", "行政首长"), ("民政局", "负责人"), ("新村支部", "书记"), ("新村村委会", "主任"),
    }  # fmt: skip
    # The same file again: what stands is what it says, in other words.
    assert uploaded(county, rows).counts["records_unchanged"] == 4


def test_what_the_county_calls_a_kind_of_its_own_is_that_kind(county: County, place: tuple[str, str]) -> None:
    with county.uow() as uow:
        own = OrganisationKind(key="own", name="经济合作社", family="economy", levels=["village"], position=900)
        uow.session.add_all([own, PostKind(key="own.chair", kind_key="own", name="社长")])
    row = ("沈坝经济合作社", "经济合作社", "社长", "郑下派", "是", "2024-03-01", "", "任命", "", "")
    batch = commit(county, taken_in(county, place, row))
    assert batch.state == "committed", job_of(county, batch.id).error
    with county.uow() as uow:
        assert uow.session.scalars(select(Organisation.kind_key)).all() == ["own"]
    assert undo(county, batch).state == "undone"
    with county.uow() as uow:
        uow.session.execute(delete(PostKind).where(PostKind.key == "own.chair"))
        uow.session.execute(delete(OrganisationKind).where(OrganisationKind.key == "own"))


def test_a_relative_in_doubt_is_taken_in_with_the_reason(county: County, place: tuple[str, str]) -> None:
    committee = organisation(county, name="村委会")
    appointed(county, committee, "head", "王建国")
    row = (*place, "监委会", "村务监督委员会", "委员", "李春花", "", "2024-03-01", "", "任命", "", "")
    with county.uow() as uow:
        ((fault,), _next) = queries.list_errors(uow, uploaded(county, [row]).id)
    assert (fault.row, fault.column) == (2, "allowed")
    header, reason = [*HEADER, "可以担任的理由"], "儿媳不在近亲属之列"
    batch = commit(county, uploaded(county, [(*row, reason)], header))
    assert batch.state == "committed", job_of(county, batch.id).error
    with county.uow() as uow:
        (holder,) = uow.session.scalars(select(PostHolder).where(PostHolder.doubt_reason != ""))
        assert (holder.doubt_reason, len(holder.doubt)) == (reason, 1)
    assert uploaded(county, [(*row, reason)], header).counts["records_unchanged"] == 1
    again = commit(county, uploaded(county, [(*row, "镇里已核实")], header))
    assert again.counts["written"]["records_changed"] == 1
    assert undo(county, again).state == "undone"
    with county.uow() as uow:
        assert uow.session.scalars(select(PostHolder.doubt_reason).where(PostHolder.id == holder.id)).one() == reason


def test_posts_that_the_same_file_records_are_compared(county: County, place: tuple[str, str]) -> None:
    rest = ("", "2024-03-01", "", "任命", "", "")
    committee, supervision = ("村委会", "村民委员会"), ("监委会", "村务监督委员会")
    rows = [
        (*place, *committee, "主任", "王建国", *rest), (*place, *supervision, "主任", "陈桂兰", *rest),
        (*place, *supervision, "委员", "李春花", *rest), (*place, *supervision, "委员", "赵永红", *rest),
        (*place, *committee, "主任", "孙立", *rest), (*place, *committee, "委员", "赵永红", *rest),
    ]  # fmt: skip
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, uploaded(county, rows).id)
    # The wife; the daughter-in-law, of whom a reason is asked for; a second head; who would sit in both.
    assert [(e.row, e.column) for e in found] == [(3, "holder"), (4, "allowed"), (6, "since"), (7, "holder")]
    assert "王建国" in str(found[0].params)
    header, reason = [*HEADER, "可以担任的理由"], "儿媳不在近亲属之列"
    batch = commit(county, uploaded(county, [(*rows[0], ""), (*rows[2], reason), (*rows[3], "")], header))
    assert batch.state == "committed", job_of(county, batch.id).error
    assert standing(county).keys() == {"王建国", "李春花", "赵永红"}


def test_what_is_wrong_is_told_by_cell(county: County, place: tuple[str, str]) -> None:
    committee = organisation(county, name="村委会")
    appointed(county, committee, "head", "王建国")
    organisation(county, "supervision_committee", "监委会")
    rest = ("", "2024-03-01", "", "任命", "", "")
    batch = taken_in(
        county, place,
        ("村委会", "", "主任", "赵永红", *rest), ("没有的会", "", "主任", "赵永红", *rest),
        ("村委会", "", "文书", "赵永红", *rest), ("村委会", "", "委员", "谁也不是", *rest),
        ("监委会", "", "委员", "陈桂兰", *rest), ("村委会", "", "委员", "王苗苗", *rest),
        ("监委会", "", "主任", "孙立", *rest), ("监委会", "", "主任", "周全", *rest),
    )  # fmt: skip
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    assert [(e.row, e.column) for e in found] == [
        (2, "since"), (3, "org_kind"), (4, "post_name"), (5, "holder"), (6, "holder"), (7, "holder"), (9, "since"),
    ]  # fmt: skip
    assert "王建国" in str(found[4].params) or "王建国" in str(vars(found[4]))


def test_the_exported_roster_is_read_again(county: County, place: tuple[str, str]) -> None:
    committee = organisation(county, name="东南村村民委员会")
    appointed(county, committee, "head", "王建国", votes=300)
    client = county.client("county_admin")
    url = "/organisations/roster"
    assert "/imports/new?kind=organisation_posts" in text(client, "/organisations")
    assert client.get("/imports/new?kind=organisation_posts").status_code == 200
    sent = post(client, url, url, purpose="核对", format="xlsx")
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(sent.data)).worksheets[0].iter_rows()]
    head = next(number for number, row in enumerate(rows) if "任职人" in row)
    holders = [row for row in rows[head + 1 :] if person(county, "王建国") in row]
    data = sheet(*[["" if v is None else str(v) for v in row] for row in holders], header=[str(v) for v in rows[head]])
    with county.uow() as uow:
        batch = service.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data), name="名册.xlsx", source="组织部", purpose="核对",
            kind="organisation_posts",
        )  # fmt: skip
    batch = work(county, batch.id)
    assert batch.counts["records_unchanged"] == 1, (batch.counts, batch.problem)
