"""The synthetic roster: nobody real, everything believable, the same for the same seed."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections import Counter
from datetime import date
from itertools import groupby
from typing import Any

import pytest
from roster_samples import AREAS, COLUMNS, checker

from xiangyue.features.imports.roster_areas import AreaRow
from xiangyue.features.imports.roster_check import CheckedRow
from xiangyue.features.imports.roster_read import RosterRow, read_rows
from xiangyue.features.imports.synth import SynthSummary, write_roster
from xiangyue.text.codes import HEAD, RELATIONS
from xiangyue.text.idnumber import check_digit, known_region


def roster(households: int, seed: int = 1, **more: Any) -> tuple[bytes, SynthSummary]:
    stream = io.BytesIO()
    summary = write_roster(stream, AREAS, households, seed, 2024, **more)
    return stream.getvalue(), summary


@pytest.fixture(scope="module")
def made() -> tuple[list[RosterRow], SynthSummary]:
    data, summary = roster(2_000)
    sheet = read_rows(data, COLUMNS)
    assert sheet.problems == []
    assert sheet.header_row == 1
    return list(sheet.rows), summary


@pytest.fixture(scope="module")
def checked(made: tuple[list[RosterRow], SynthSummary]) -> list[CheckedRow]:
    judge = checker()
    found = [judge.check_row(r) for r in made[0]]
    assert [error for c in found for error in c.errors] + judge.finish() == []
    return found


def test_reads_back_without_an_error_and_the_summary_is_right(
    made: tuple[list[RosterRow], SynthSummary], checked: list[CheckedRow]
) -> None:
    summary = made[1]
    values = [c.values for c in checked]
    assert summary.persons == len(values)
    assert summary.households == 2_000 == len({(v["village_code"], v["household_no"]) for v in values})
    assert summary.villages == 6 == len({v["village_code"] for v in values})
    assert summary.groups == len({v["area_code"] for v in values})
    assert summary.away == sum(v["away"] for v in values)
    names = {"living_alone_elder": "独居老人", "party_member": "党员", "left_behind_child": "留守儿童"}
    counts = Counter(mark for v in values for mark in v["marks"])
    assert {name: counts[key] for key, name in names.items()} == {n: summary.marks[n] for n in names.values()}


def test_every_check_digit_is_wrong(made: tuple[list[RosterRow], SynthSummary]) -> None:
    judge = checker(synthetic=False)
    codes = [[error.code for error in judge.check_row(r).errors] for r in made[0]]
    assert codes == [["id_checksum"]] * len(made[0])
    numbers = [str(r.cells["id_number"]) for r in made[0]]
    assert len(set(numbers)) == len(numbers)
    assert all(check_digit(n[:17]) != n[17] and known_region(n[:6]) for n in numbers)
    assert {str(r.cells["phone"])[:3] for r in made[0] if "phone" in r.cells} == {"142", "143", "154"}


def test_households_are_families(checked: list[CheckedRow]) -> None:
    sizes = []
    for _, rows in groupby(checked, key=lambda c: (c.values["village_code"], c.values["household_no"])):
        members = [c.values for c in rows]
        sizes.append(len(members))
        assert [m["relation"] for m in members].count(HEAD) == 1
        head = members[0]
        assert head["relation"] == HEAD
        assert head["address"]
        assert head["household_income"] > 0
        assert head["income_year"] == 2024
        assert len({m["area_code"] for m in members}) == 1
        surname = head["name"][0]
        for m in members:
            if RELATIONS.zh(m["relation"]) in ("子", "长子", "次子", "女", "长女", "次女"):
                assert (m["birth_date"] - head["birth_date"]).days > 15 * 365
                assert m["name"].startswith(surname)
            if m["relation"] == "12":
                assert m["sex"] == 2
                assert head["sex"] == 1
        if "living_alone_elder" in head["marks"]:
            assert len(members) == 1
    assert 3.0 < sum(sizes) / len(sizes) < 3.45
    assert max(sizes) <= 8


def test_marks_fit_their_people(checked: list[CheckedRow]) -> None:
    for c in checked:
        v = c.values
        age = (date(2024, 1, 1) - v["birth_date"]).days / 365.2425
        if "left_behind_child" in v["marks"]:
            assert age < 16
        if "left_behind_elder" in v["marks"] or "living_alone_elder" in v["marks"]:
            assert age >= 59.9
        if "left_behind_woman" in v["marks"]:
            assert v["sex"] == 2
            assert not v["away"]
        if "party_member" in v["marks"]:
            assert age >= 18
        assert v["birth_date"] < date(2024, 1, 1)
    values = [c.values for c in checked]
    assert 0.15 < sum(v["away"] for v in values) / len(values) < 0.35
    assert 0.01 < sum("disabled" in v["marks"] for v in values) / len(values) < 0.10


def test_surnames_stand_together_by_village(checked: list[CheckedRow]) -> None:
    for _, rows in groupby(checked, key=lambda c: c.values["village_code"]):
        heads = Counter(c.values["name"][0] for c in rows if c.values["relation"] == HEAD)
        top = sum(count for _, count in heads.most_common(4))
        assert top > 0.5 * sum(heads.values())


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    first = roster(40)[0]
    assert roster(40)[0] == first
    assert roster(40, seed=2)[0] != first


def test_marks_that_the_county_does_not_have_are_left_out() -> None:
    data, summary = roster(200, mark_names={"党员"})
    assert set(summary.marks) == {"党员"}
    marks = {r.cells["marks"] for r in read_rows(data, COLUMNS).rows if "marks" in r.cells}
    assert marks == {"党员"}


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        roster(0)
    with pytest.raises(ValueError, match="no villages"):
        write_roster(io.BytesIO(), AREAS[:2], 10, 1, 2024)
    nowhere = [AreaRow(999999100000000, "town", "甲镇", "甲镇"), AreaRow(999999100200000, "village", "乙村", "乙村")]
    with pytest.raises(ValueError, match="GB/T 2260"):
        write_roster(io.BytesIO(), nowhere, 10, 1, 2024)


def test_memory_does_not_grow_with_the_households() -> None:
    peaks = []
    for households in (300, 1_500):
        tracemalloc.start()
        roster(households)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What grows are the packed bytes themselves and the set of numbers given out.
    assert peaks[1] < peaks[0] + 3 * 2**20


def test_fast_enough_to_be_used() -> None:
    started = time.process_time()
    data, summary = roster(2_000, seed=3)
    writing = time.process_time() - started
    rows = list(read_rows(data, COLUMNS).rows)
    judge = checker()
    started = time.process_time()
    for r in rows:
        judge.check_row(r)
    judge.finish()
    checking = time.process_time() - started
    # 20,000 households in 15 s and 20,000 rows/s, with air for a busy machine.
    assert writing < 3 * 15 * 2_000 / 20_000
    assert summary.persons / checking > 20_000 / 3
