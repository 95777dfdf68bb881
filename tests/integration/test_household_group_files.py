"""Ten-household groups by file: taken in with faults by cell, the export read again, and the whole taken back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import python_calamine
from grids_kit import TOWN, VILLAGE, homes
from groups_kit import empty_groups, head_of, lay_out
from households_kit import hidden, text
from imports_kit import job_of, put, undo, work
from registers_kit import sheet
from sqlalchemy import select

from xiangyue.errors import Conflict
from xiangyue.features.areas.models import Area
from xiangyue.features.grids.models import Grid
from xiangyue.features.household_groups import queries, service
from xiangyue.features.household_groups.models import HouseholdGroup, HouseholdGroupHead
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.imports import queries as batches
from xiangyue.features.imports import register_trial, register_undo
from xiangyue.features.imports import service as imports
from xiangyue.features.imports.models import ImportBatch
from xiangyue.testing.fixtures import County

_HEADER = "镇 村 户编号 网格编码 十户组名称 十户长 编组日期"


@pytest.fixture(name="county", scope="module")
def laid_out(hanyin: County) -> Iterator[County]:
    """Two groups of six in one grid; somebody of the first household is head of the first."""
    _grid, first, _second = lay_out(hanyin)
    with hanyin.uow() as uow:
        head_of(uow, first)
    yield hanyin
    empty_groups(hanyin)


def taken_in(county: County, *rows: Sequence[Any], data: bytes = b"") -> ImportBatch:
    with county.uow() as uow:
        names = {area.area_code: area.name for area in uow.session.scalars(select(Area))}
        place, grid = [names[TOWN], names[VILLAGE]], uow.session.scalars(select(Grid.code)).one()
        full = [[*place, number, code or grid, *more] for number, code, *more in rows]
        batch = imports.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data or sheet(*full, header=_HEADER.split())),
            name="十户组.xlsx", source="综治中心", purpose="编组", kind="household_groups",
        )  # fmt: skip
    return work(county, batch.id)


def standing(county: County) -> dict[str, tuple[str, list[str]]]:
    """Head and last digits of the households, by group."""
    with county.uow() as uow:
        found = queries.list_groups(uow, queries.GroupFilter(on=today())).items
        return {
            one["name"]: (one["head_name"] or "",
                          [row["code"][-2:] for row in queries.households_in(uow, one["id"], today())])
            for one in found
        }  # fmt: skip


def test_groups_come_by_file_are_exported_and_go_again(county: County) -> None:
    before = standing(county)
    with county.uow() as uow:
        seventh = uow.session.scalars(select(Person.name).where(Person.household_id == homes(uow, 1)[6])).first()
    moved = put(county, taken_in(county, ("0005", "", "二组", "", ""), ("0006", "", "三组", "", ""),
                                 ("0007", "", "三组", seventh, "")))  # fmt: skip
    assert standing(county) == {
        "一组": (before["一组"][0], ["01", "02", "03", "04"]),
        "二组": ("", ["05", "08", "09", "10", "11", "12"]),
        "三组": (seventh, ["06", "07"]),
    }
    client = county.client(county.account("county_admin"))
    address = f"/ten-household-groups/export/households?area={VILLAGE // 1000}"
    assert address.partition("?")[0] in text(client, f"/ten-household-groups?area={VILLAGE // 1000}")
    sent = {"csrf_token": hidden(text(client, address), "csrf_token"), "purpose": "存档", "format": "xlsx"}
    data = bytes(client.post(address, data=sent).data)
    cells = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert cells[1] == _HEADER.split()
    assert len(cells) == 2 + 12
    again = taken_in(county, data=data)
    assert (again.state, again.counts["records_unchanged"]) == ("checked", 12), again.counts
    assert undo(county, moved).state == "undone", job_of(county, moved.id).error
    assert standing(county) == before


def test_an_import_goes_back_by_blocks_and_not_below_a_later_one(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One group, written and taken back in several blocks, the last household and the head from tomorrow on."""
    monkeypatch.setattr(register_trial, "CHUNK", 3)
    monkeypatch.setattr(register_undo, "CHUNK", 2)
    before, tomorrow = standing(county), (today() + timedelta(1)).isoformat()
    with county.uow() as uow:
        sixth = uow.session.scalars(select(Person.name).where(Person.household_id == homes(uow, 1)[5])).first()
        heads = set(uow.session.scalars(select(HouseholdGroupHead.id)))
    many = put(county, taken_in(county, *((f"{n:04}", "", "四组", "", "") for n in range(2, 6)),
                                ("0006", "", "四组", sixth, tomorrow)))  # fmt: skip
    assert standing(county)["四组"] == ("", ["02", "03", "04", "05"])
    with county.uow() as uow:
        found = queries.list_groups(uow, queries.GroupFilter(on=today() + timedelta(1))).items
    assert [(one["head_name"], one["households"]) for one in found if one["name"] == "四组"] == [(sixth, 5)]
    assert undo(county, many).state == "undone", job_of(county, many.id).error
    assert standing(county) == before
    with county.uow() as uow:
        assert set(uow.session.scalars(select(HouseholdGroupHead.id))) == heads

    first = put(county, taken_in(county, ("0008", "", "五组", "", "")))
    second = put(county, taken_in(county, ("0008", "", "六组", "", "")))
    with pytest.raises(Conflict):
        undo(county, first)
    assert standing(county)["六组"] == ("", ["08"])
    assert (undo(county, second).state, undo(county, first).state) == ("undone", "undone")
    assert standing(county) == before


def test_what_is_wrong_is_told_by_cell_and_hands_are_respected(county: County) -> None:
    tomorrow = (today() + timedelta(1)).isoformat()
    wrong = taken_in(
        county, ("0001", "NONE1", "一组", "", ""), ("0002", "", "长" * 41, "", ""),
        ("0003", "", "一组", "没有此人", ""), ("0004", "", "一组", "", "1980-01-01"),
        ("0005", "", "一组", "", tomorrow),
    )  # fmt: skip
    with county.uow() as uow:
        found, _next = batches.list_errors(uow, wrong.id)
    assert {(error.row, error.column) for error in found} == {
        (2, "grid_code"), (3, "group_name"), (4, "group_head"), (5, "grouped_on"), (5, "grid_code"),
    }  # fmt: skip
    assert wrong.counts["records_unchanged"] == 1
    moved = put(county, taken_in(county, ("0006", "", "二组", "", "")))
    with county.uow() as uow:
        first = next(one for one in queries.list_groups(uow, queries.GroupFilter(on=today())).items
                     if one["name"] == "一组")  # fmt: skip
        service.set_members(uow, group_id=first["id"], version=uow.get(HouseholdGroup, first["id"]).version,
                            household_ids=homes(uow, 1)[:6], on=today(), size_reason="x")  # fmt: skip
    with pytest.raises(Conflict):
        undo(county, moved)
