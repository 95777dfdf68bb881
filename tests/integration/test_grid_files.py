"""Grids and their households by file: taken in with faults by cell, taken back whole, and the export read again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import python_calamine
from grids_kit import TOWN, VILLAGE, divided_county, group_grid, homes
from households_kit import hidden, text
from imports_kit import job_of, put, undo, work
from registers_kit import sheet
from sqlalchemy import select

from xiangyue.errors import Conflict
from xiangyue.features.areas.models import Area
from xiangyue.features.grids import file_homes
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.models import Grid, GridChange, GridPost
from xiangyue.features.grids.queries_posts import posts_on
from xiangyue.features.grids.standing import Divisions, division_on
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.features.imports import queries, service
from xiangyue.features.imports.models import ImportBatch
from xiangyue.plugin.registers import RegisterRow
from xiangyue.testing.fixtures import County
from xiangyue.testing.statements import counted

__all__ = ["divided_county"]
_GRIDS = "镇 村 组 网格编码 网格名称 网格级别 上级网格编码 起始日期 网格长 办公电话 任期至"
GRIDS = _GRIDS.split()
_HOMES = "镇 村 户编号 户主姓名 家庭住址 网格编码 调整日期"
HOMES = _HOMES.split()
DAY = "2026-01-01"


@pytest.fixture(name="place", scope="module")
def names_of_places(county: County) -> tuple[str, str]:
    with county.uow() as uow:
        names = {area.area_code: area.name for area in uow.session.scalars(select(Area))}
    return names[TOWN], names[VILLAGE]


def taken_in(county: County, kind: str, header: list[str], *rows: Sequence[Any], data: bytes = b"") -> ImportBatch:
    with county.uow() as uow:
        batch = service.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data or sheet(*rows, header=header)), name="网格.xlsx",
            source="政法委", purpose="建网格", kind=kind,
        )  # fmt: skip
    return work(county, batch.id)


def standing(county: County) -> dict[str, tuple[int, str, int]]:
    """Level, principal leader, households, by code."""
    with county.uow() as uow:
        division = division_on(uow, VILLAGE, today())
        codes = dict(uow.session.execute(select(Grid.id, Grid.code)).all())
        posts = posts_on(uow, list(division.cells), today())
        return {
            codes[id]: (cell.level, next((post["name"] for post in posts[id] if post["principal"]), ""),
                        len(division.households(id)))
            for id, cell in division.cells.items()
        }  # fmt: skip


def export(county: County, what: str) -> tuple[bytes, list[list[Any]]]:
    client = county.client(county.account("county_admin"))
    address = f"/grids/export/{what}?area={VILLAGE // 1000}"
    sent = {"csrf_token": hidden(text(client, address), "csrf_token"), "purpose": "存档", "format": "xlsx"}
    data = bytes(client.post(address, data=sent).data)
    return data, python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_grids_and_their_households_come_and_go_and_are_exported(county: County, place: tuple[str, str]) -> None:
    above = put(county, taken_in(county, "grids", GRIDS, [*place, "", "HP1", "村网格", "一级", "", DAY, "张书记",
                                                         "0915-5210000", "2028-12-31"]))  # fmt: skip
    assert standing(county) == {"HP1": (1, "张书记", 0)}
    below = put(county, taken_in(
        county, "grids", GRIDS, [*place, "1组", "", "一组网格", "二级", "HP1", DAY, "王甲0", "", ""],
        [*place, "2组", "HP22", "二组网格", "2", "HP1", DAY, "", "", ""],
    ))  # fmt: skip
    made = standing(county)
    assert (len(made), made["HP22"]) == (3, (2, "", 0))
    one = next(code for code in made if code not in ("HP1", "HP22"))
    with county.uow() as uow:
        post = uow.session.scalars(select(GridPost).where(GridPost.name == "张书记")).one()
        assert (post.office_phone, post.term_until) == ("0915-5210000", date(2028, 12, 31))
        rows = [(home.code, home.head_name, home.address) for home in uow.session.scalars(
            select(Household).where(Household.id.in_(homes(uow, 1))).order_by(Household.code))]  # fmt: skip
    lying = put(county, taken_in(
        county, "grid_households", HOMES, [*place, rows[0][0], "", "", one, DAY],
        [*place, rows[1][0][-4:], "", "", one, DAY],
        *[[*place, "", head, address, one, DAY] for _code, head, address in rows[2:]],
    ))  # fmt: skip
    assert standing(county)[one][2] == len(rows)

    # The export read again changes nothing.
    data, cells = export(county, "grids")
    assert [row[3] for row in cells[2:]] == ["HP1", one, "HP22"]
    again = taken_in(county, "grids", GRIDS, data=data)
    assert (again.state, again.counts["records_unchanged"]) == ("checked", 3), again.counts
    data, cells = export(county, "households")
    again = taken_in(county, "grid_households", HOMES, data=data)
    assert (again.state, again.counts["records_unchanged"]) == ("checked", len(rows)), again.counts

    # Another name and leader are put right, and everything is taken back, the last first.
    with county.uow() as uow:
        uow.session.scalars(select(GridPost).where(GridPost.name == "张书记")).one()
    other = put(
        county, taken_in(county, "grids", GRIDS, [*place, "", "HP1", "全村网格", "一级", "", "", "李书记", "", ""])
    )
    assert standing(county)["HP1"][1] == "李书记"
    for batch in (other, lying, below, above):
        assert undo(county, batch).state == "undone", job_of(county, batch.id).error
        if batch is other:
            assert standing(county)["HP1"][1] == "张书记"
    assert standing(county) == {}
    with county.uow() as uow:
        assert {change.state for change in uow.session.scalars(select(GridChange))} == {"undone"}
        assert uow.session.scalars(select(GridPost)).all() == []


def faults(county: County, batch: ImportBatch) -> set[tuple[int, str]]:
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    return {(error.row, error.column) for error in found}


def test_what_is_wrong_is_told_by_cell(county: County, place: tuple[str, str]) -> None:
    with county.uow() as uow:
        group_grid(uow, 1, name="旧网格")
        code = uow.session.scalars(select(Grid.code).order_by(Grid.id.desc())).first()
    grids = taken_in(
        county, "grids", GRIDS, [*place, "2组", "", "三级网格", "三级", "", DAY, "", "", ""],
        [*place, "2组", "", "悬空网格", "三级", "NONE1", DAY, "", "", ""],
        [*place, "", code, "旧网格", "二级", "", "", "", "", ""],
        [*place, "2组", "坏 码", "坏码网格", "二级", "", DAY, "", "", ""],
        [*place, "2组", "", "任期网格", "二级", "", DAY, "外人", "12345", "2020-01-01"],
    )  # fmt: skip
    assert grids.counts.get("records_new", 0) == 0, grids.counts
    assert faults(county, grids) >= {(2, "above_code"), (3, "above_code"), (4, "grid_name"), (5, "grid_code")}
    absent = taken_in(county, "grids", GRIDS, [*place, "九十九组", "", "无组网格", "二级", "", DAY, "", "", ""])
    assert faults(county, absent) == {(2, "group")}
    assert "该村没有这个组。请改正" in text(county.client("county_admin"), f"/imports/{absent.id}")
    assert {column for row, column in faults(county, grids) if row == 6} & {"office_phone", "term_end"}
    wrong = taken_in(
        county, "grid_households", HOMES, [*place, "", "没有此人", "", code, ""], [*place, "0006", "", "", code, ""],
        [*place, "0001", "", "", "NONE1", ""], [*place, "", "", "", code, ""],
    )  # fmt: skip
    assert faults(county, wrong) == {(2, "head_name"), (3, "home"), (4, "grid_code"), (5, "head_name")} or faults(
        county, wrong
    ) == {(2, "head_name"), (3, "household_no"), (4, "grid_code"), (5, "head_name")}


def test_an_import_takes_nothing_back_that_was_done_by_hand(county: County, place: tuple[str, str]) -> None:
    with county.uow() as uow:
        here, there = (
            group_grid(uow, 1, name="甲网格", household_ids=()),
            group_grid(uow, 1, name="乙网格", household_ids=()),
        )
        grid = uow.get(Grid, there)
        code, everyone = grid.code, homes(uow, 1)
        codes = [home.code for home in uow.session.scalars(select(Household).where(Household.id.in_(everyone[:2])))]
        grids.move_households(uow, grid_id=here, household_ids=everyone, on=today())
    moved = put(county, taken_in(county, "grid_households", HOMES, *[[*place, one, "", "", code, ""] for one in codes]))
    named = put(county, taken_in(county, "grids", GRIDS, [*place, "1组", code, "丙网格", "二级", "", "", "", "", ""]))
    with county.uow() as uow:
        grids.move_households(uow, grid_id=here, household_ids=everyone[:2], on=today())
        grids.move_households(uow, grid_id=there, household_ids=everyone[:4], on=today())
        for name in ("丁网格", "丙网格"):
            grids.rename_grid(uow, grid_id=there, version=uow.get(Grid, there).version, name=name, on=today())
    for batch in (named, moved):
        with pytest.raises(Conflict):
            undo(county, batch)
    with county.uow() as uow:
        assert set(division_on(uow, VILLAGE, today()).households(there)) == set(everyone[:4])


def test_a_village_is_read_once_for_all_rows(county: County) -> None:
    with county.uow() as uow:
        one, two = homes(uow, 1), homes(uow, 2)
        first = group_grid(uow, 1, on=today(), household_ids=one[:2])
        uow.session.flush()
        code = uow.get(Grid, first).code
        rows = [
            RegisterRow(n, {"home_place": VILLAGE, "home": home, "grid_code": code}) for n, home in enumerate(one, 1)
        ]
        with counted() as spoken:
            assert [outlook.unchanged for outlook in file_homes.check(uow, rows)] == [True, True, False, False, False]
        assert villages_read(spoken) == 1
        known = Divisions(uow)
        with counted() as spoken:
            made = grids.create_grid(uow, area_code=VILLAGE + 2, name="二", level=2, on=today(), divisions=known)
            second = int(made.changes["made"][0])
            above = grids.create_grid(uow, area_code=VILLAGE, name="全", level=1, on=today(), divisions=known)
            for grid, ids in ((first, one[2:]), (second, two)):
                grids.move_households(
                    uow, grid_id=grid, household_ids=ids, on=today(), divisions=known, size_reason="x"
                )
        assert villages_read(spoken) == 1
        assert above.changes["made"]
        assert known.on(VILLAGE, today()) == division_on(uow, VILLAGE, today())
        uow.rollback()


def villages_read(spoken: list[str]) -> int:
    return sum("SELECT h.id, h.area_code FROM household h" in sql and "merged_into_id IS NULL" in sql for sql in spoken)
