"""Files that change some columns: a word clears a value, a row's key is mended in the page, nothing is held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select
from tests.corpus.case import HEAD, HEADER, OTHER, WIFE
from tests.corpus.formats import xlsx
from tests.integration.imports_kit import batch_of, checked, commit, empty, register, undo
from tests.integration.test_imports_pages import html
from tests.integration.test_imports_update import changed_by, errors

from xiangyue.access.models import AuditEntry
from xiangyue.features.facts import queries as facts
from xiangyue.features.households.models import CustomField, Household, HouseholdIncome, Person
from xiangyue.features.households.models_facts import FactConflict, FactDepartment, FactOrigin
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.imports import roster_update
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.repair import repair_cell, undo_repair
from xiangyue.testing.fixtures import County

MORE = ["住址", "民族", "户年收入", "收入年度"]


@pytest.fixture
def county(hanyin: County) -> Iterator[County]:
    empty(hanyin)
    rows = [
        [*HEAD, "三组17号", "汉族", 32000, 2024],
        [*WIFE[:6], "15400000018", "", "回族"],
        [*OTHER, "一组1号"],
    ]
    written = commit(hanyin, checked(hanyin, xlsx([[*HEADER, *MORE], *rows])))
    assert written.state == "committed", written.counts
    yield hanyin
    empty(hanyin)
    with hanyin.uow() as uow:
        for model in (FactConflict, FactDepartment, FactOrigin):
            uow.session.execute(delete(model))


def person(county: County, name: str) -> Person:
    with county.uow() as uow:
        return uow.session.scalars(select(Person).where(Person.name == name)).one()


def test_a_word_clears_what_may_be_empty_and_the_undo_puts_it_back(county: County) -> None:
    before = register(county)
    file = [["身份证号", "民族", "联系电话", *MORE[2:], "住址"], [WIFE[5], "清空", " Clear "],
            [HEAD[5], "", "", "清空", 2024, "清空"]]  # fmt: skip
    batch = changed_by(county, file)
    assert errors(county, batch) == []
    assert register(county) == before
    assert (batch.counts["persons_changed"], batch.counts["households_changed"]) == (1, 1)
    shown = {
        key: value for one in batch.counts["samples"] for key, value in one["before"].items() if key in one["after"]
    }
    assert all(one["before"] for one in batch.counts["samples"])
    assert (shown["phone"], shown["nationality"], shown["address"], shown["income"]) == (
        "•••",
        "03",
        "三组17号",
        "32000",
    )
    done = commit(county, batch)
    assert done.state == "committed"
    wife = person(county, "陈试二")
    assert (wife.nationality, wife.phone, wife.phone_index) == ("", None, None)
    assert person(county, "王试一").nationality == "01"
    with county.uow() as uow:
        addresses = {h.head_name: h.address for h in uow.session.scalars(select(Household))}
        assert addresses == {"王试一": "", "李试三": "一组1号"}
        assert uow.session.scalars(select(HouseholdIncome)).all() == []
        trail = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.import")).all()
        assert [(e.before, e.after) for e in trail if e.object_id == wife.id][-1] == (
            {"phone": "•••", "nationality": "03"},
            {"phone": None, "nationality": None},
        )
    assert undo(county, done).state == "undone"
    assert register(county) == before


def test_own_fields_are_cleared_unless_the_county_asks_for_them(county: County) -> None:
    with county.uow() as uow:
        for key, asked in (("memo", False), ("must", True)):
            field = CustomField(entity="household", key=key, type="text", name=f"栏{key}", required=asked, position=200)
            uow.session.add(field)
    try:
        with county.uow() as uow:
            code = uow.session.scalars(select(Household.code).where(Household.head_name == "王试一")).one()
        done = commit(county, changed_by(county, [["户编码", "栏memo", "栏must"], [code, "旧话", "要的"]]))
        assert done.state == "committed", done.counts
        before = register(county)
        refused = changed_by(county, [["户编码", "栏must"], [code, "清空"]])
        assert errors(county, refused) == [(2, "household.must", "clear_required")]
        cleared = commit(county, changed_by(county, [["户编码", "栏memo"], [code, "清空"]]))
        assert cleared.counts["written"]["households_changed"] == 1
        assert register(county) != before
        undo(county, cleared)
        assert register(county) == before
    finally:
        empty(county)
        with county.uow() as uow:
            uow.session.execute(delete(CustomField).where(CustomField.position == 200))


def test_what_must_be_there_is_not_cleared_and_says_so(county: County) -> None:
    batch = changed_by(county, [["身份证号", "姓名", "性别", "民族"], [WIFE[5], "清空", "清空", "清空"]])
    assert sorted(errors(county, batch)) == [(2, "name", "clear_refused"), (2, "sex", "clear_refused")]
    assert "此列不能清空" in html(county.client("county_admin"), f"/imports/{batch.id}")


def test_in_a_roster_the_word_is_no_order(county: County) -> None:
    batch = checked(county, xlsx([[*HEADER, "住址"], [*HEAD, "清空"], [*WIFE, ""]]))
    assert (errors(county, batch), batch.counts["households_changed"]) == ([], 1)
    assert batch.counts["samples"][0]["after"]["address"] == "清空"


def test_what_somebody_set_by_hand_is_not_cleared_but_waits(county: County) -> None:
    wife = person(county, "陈试二")
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        changes = {"nationality": "02"}
        edit_person(uow, keys=keys, person_id=wife.id, version=wife.version, changes=changes, allow_synthetic=True)
    batch = commit(county, changed_by(county, [["身份证号", "民族"], [WIFE[5], "清空"]]))
    assert batch.counts["written"]["facts_waiting"] == 1
    assert person(county, "陈试二").nationality == "02"
    with county.uow() as uow:
        (row,) = facts.list_facts(uow, county.runtime.tenant_keys(uow), facts.FactFilter()).items
        assert (row["field"], row["value"]) == ("nationality", "")


def test_what_a_department_cleared_is_not_filled_in_again_by_a_roster(county: County) -> None:
    commit(county, changed_by(county, [["身份证号", "民族"], [WIFE[5], "清空"]], "police"))
    assert person(county, "陈试二").nationality == ""
    again = commit(county, checked(county, xlsx([[*HEADER, "民族"], [*HEAD, "汉族"], [*WIFE, "回族"]])))
    assert again.counts["written"]["facts_waiting"] == 1
    assert person(county, "陈试二").nationality == ""


def mend(county: County, batch: ImportBatch, row_no: int, column: str, value: str) -> int:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        return repair_cell(uow, keys, batch_id=batch.id, row_no=row_no, column=column, value=value).id


def test_a_key_is_mended_in_the_page_and_taken_back(county: County) -> None:
    unknown = "610921198505051236"
    batch = changed_by(county, [["身份证号", "民族"], [unknown, "壮族"], [OTHER[5], "壮族"]])
    assert errors(county, batch) == [(2, "id_number", "record_unknown")]
    mend(county, batch, 2, "id_number", "12")
    assert errors(county, batch) == [(2, "id_number", "record_key")]
    repair = mend(county, batch, 2, "id_number", str(WIFE[5]))
    now = batch_of(county, batch.id)
    assert (errors(county, now), now.counts["persons_changed"], now.counts["valid_households"]) == ([], 2, 2)
    with county.uow() as uow:
        undo_repair(uow, county.runtime.tenant_keys(uow), batch_id=batch.id, repair_id=repair)
    assert errors(county, batch) == [(2, "id_number", "record_key")]
    mend(county, batch, 2, "id_number", str(WIFE[5]))
    assert commit(county, batch_of(county, batch.id)).state == "committed"
    assert (person(county, "陈试二").nationality, person(county, "李试三").nationality) == ("08", "08")
    assert person(county, "王试一").nationality == "01"


def test_a_file_is_read_in_parts_and_a_household_over_two_of_them_stays_one(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[list[Any]] = [[WIFE[5], "壮族"], ["12", "x"], [OTHER[5], "壮族"], ["13", "x"], [HEAD[5], "壮族"]]
    whole = changed_by(county, [["身份证号", "民族"], *rows])
    monkeypatch.setattr(roster_update, "_PART", 2)
    parts = changed_by(county, [["身份证号", "民族"], *rows])
    assert (
        errors(county, parts)
        == errors(county, whole)
        == [(3, "id_number", "record_key"), (5, "id_number", "record_key")]
    )
    told = ("rows", "households", "errors", "persons_changed", "valid_households")
    assert [parts.counts[key] for key in told] == [whole.counts[key] for key in told] == [5, 4, 2, 3, 2]
    with county.uow() as uow:
        numbers = select(ImportRow.row_no).where(ImportRow.batch_id == parts.id, ImportRow.action == "write")
        assert sorted(uow.session.scalars(numbers)) == [2, 4, 6]
