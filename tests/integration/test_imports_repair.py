"""Wrong cells mended before an import is written: what comes of it is what a corrected file would have given."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select
from tests.integration.imports_kit import Row, batch_of, checked, commit, job_of, register, upload, work, workbook

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.imports import policy, queries, repair, repair_work
from xiangyue.features.imports.alike import Alike, alike_of, numbers, replace_word
from xiangyue.features.imports.models import ImportRepair, ImportRow
from xiangyue.features.imports.service import cancel_batch
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County

BORN = {"sex": "男", "birth_date": "1980-01-01"}


def row(village: str = "上七村", number: str = "1", relation: str = "户主", **more: Any) -> Row:
    return {"town": "漩涡镇", "village": village, "household_no": number, "relation": relation, "name": "王试一",
            **BORN, **more}  # fmt: skip


def state_of(county: County, batch_id: int) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """What is known of the rows, and the counts."""
    with county.uow() as uow:
        statement = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.action != "out")
        rows = [
            (r.row_no, r.action, r.household_n, r.household_key, r.person_key, r.error_count,
             sorted((e["column"], e["code"], str(sorted(e["params"].items())), e["shown_value"]) for e in r.errors))
            for r in uow.session.scalars(statement.order_by(ImportRow.row_no))
        ]  # fmt: skip
    counts = batch_of(county, batch_id).counts
    left = ("samples", "left_out", "groups")
    return rows, {key: value for key, value in counts.items() if key not in left}


def mend(county: County, batch_id: int, row_no: int, column: str, value: str, **more: Any) -> ImportRepair:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        return repair.repair_cell(uow, keys, batch_id=batch_id, row_no=row_no, column=column, value=value, **more)


def mend_alike(county: County, batch_id: int, wrong: Alike, value: str, **more: Any) -> ImportRepair:
    with county.uow() as uow:
        return repair.repair_alike(
            uow, county.runtime.tenant_keys(uow), batch_id=batch_id, wrong=wrong, value=value, **more
        )


def leave_out(county: County, batch_id: int, *rows: int, **more: Any) -> ImportRepair:
    with county.uow() as uow:
        return repair.leave_out(uow, county.runtime.tenant_keys(uow), batch_id=batch_id, rows=rows, **more)


def undo(county: County, batch_id: int, repair_id: int) -> None:
    with county.uow() as uow:
        repair.undo_repair(uow, county.runtime.tenant_keys(uow), batch_id=batch_id, repair_id=repair_id)


def undo_all(county: County, batch_id: int) -> int:
    with county.uow() as uow:
        return repair.undo_all(uow, county.runtime.tenant_keys(uow), batch_id=batch_id)


def error_of(county: County, batch_id: int, code: str) -> Any:
    with county.uow() as uow:
        return queries.list_errors(uow, batch_id, code=code)[0][0]


CHOICES: dict[str, list[str]] = {
    "town": ["漩涡镇", "漩涡镇", "漩窝镇", "城关镇", ""],
    "village": ["上七村", "茨沟村", "上七村", "上气村", "东南村"],
    "household_no": ["1", "2", "3", "?"],
    "relation": ["户主", "妻", "子", "管家", "不明"],
    "id_number": ["", "610921198001011234", "610921198001011250", "61092119800101"],
    "address": ["", "路边一号", "路边二号"],
    "group": ["", "三组", "九组"],
}


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_repairs_and_undos_says_what_a_corrected_file_would(hanyin: County, seed: int) -> None:
    chance = random.Random(seed)
    rows = [{**row(), **{key: chance.choice(values) for key, values in CHOICES.items()}} for _ in range(18)]
    batch_id = checked(hanyin, workbook(rows)).id
    original = [dict(one) for one in rows]
    done: list[tuple[int, int, str, str]] = []  # id, row, column ("" for left out), value
    for step in range(12):
        kind = chance.random()
        if kind < 0.2 and done:
            entry = done.pop(chance.randrange(len(done)))
            undo(hanyin, batch_id, entry[0])
        elif kind < 0.35:
            number = chance.randrange(len(rows))
            done.append((leave_out(hanyin, batch_id, number + 2).id, number, "", ""))
        else:
            number, column = chance.randrange(len(rows)), chance.choice(list(CHOICES))
            value = chance.choice(CHOICES[column])
            done.append((mend(hanyin, batch_id, number + 2, column, value).id, number, column, value))
        if step % 4 == 3:
            corrected = [dict(one) for one in original]
            for _id, number, column, value in sorted(done):
                if column:
                    corrected[number][column] = value
            for _id, number, column, _value in done:
                if not column:
                    corrected[number] = {}
            fresh = checked(hanyin, workbook(corrected))
            assert state_of(hanyin, batch_id) == state_of(hanyin, fresh.id)
    undo_all(hanyin, batch_id)
    assert state_of(hanyin, batch_id) == state_of(hanyin, checked(hanyin, workbook(original)).id)


def test_all_alike_are_mended_by_one_act_and_taken_back_by_another(hanyin: County) -> None:
    rows = [row(number=str(n), town="漩窝镇") for n in range(1, 6)] + [row(number="6")]
    batch = checked(hanyin, workbook(rows))
    assert (batch.counts["errors"], batch.counts["valid_households"]) == (5, 1)
    wrong = alike_of(error_of(hanyin, batch.id, "town_unknown"))
    assert wrong is not None
    with hanyin.uow() as uow:
        assert numbers(uow, batch.id, [wrong]) == {wrong: 5}
    with pytest.raises(Stale):
        mend_alike(hanyin, batch.id, wrong, "漩涡镇", rows=4)
    done = mend_alike(hanyin, batch.id, wrong, "漩涡镇", rows=5, suggested=True)
    after = batch_of(hanyin, batch.id)
    assert (after.counts["errors"], after.counts["valid_households"], after.counts["households_new"]) == (0, 6, 6)
    assert after.version > batch.version
    with hanyin.uow() as uow:
        (kept,) = repair_work.list_repairs(uow, batch.id)
        assert (kept.kind, kept.state, kept.result["rows"], kept.suggested) == ("alike", "done", 5, True)
        values = repair_work.values_of(uow, hanyin.runtime.tenant_keys(uow), kept)
        assert values == ("漩窝镇", "漩涡镇")
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "import.repair").order_by(AuditEntry.id.desc())
        ).first()
        assert entry is not None
        assert entry.before == {"column": "镇", "value": "漩窝镇"}
        assert entry.after == {"rows": 5, "column": "镇", "value": "漩涡镇"}
    with pytest.raises(NotFound):
        mend_alike(hanyin, batch.id, wrong, "漩涡镇")
    undo(hanyin, batch.id, done.id)
    assert batch_of(hanyin, batch.id).counts["errors"] == 5
    with pytest.raises(Conflict):
        undo(hanyin, batch.id, done.id)


def test_a_village_is_alike_in_its_own_town_only_and_a_mark_as_a_word(hanyin: County) -> None:
    rows = [
        row(number="1", village="上气村"),
        row(number="2", village="上气村", town="城关镇"),
        row(number="3", marks="党员、留受老人"),
        row(number="4", marks="留受老人 退役军人"),
    ]
    batch = checked(hanyin, workbook(rows))
    wrong = alike_of(error_of(hanyin, batch.id, "village_unknown"))
    assert wrong is not None
    mend_alike(hanyin, batch.id, wrong, "上七村", rows=1)
    mark = alike_of(error_of(hanyin, batch.id, "mark_unknown"))
    assert mark is not None
    mend_alike(hanyin, batch.id, mark, "留守老人", rows=2)
    assert batch_of(hanyin, batch.id).counts["errors"] == 1
    assert replace_word("党员、留受老人", "留受老人", "") == "党员"
    assert replace_word("留受老人 退役军人", "留受老人", "留守老人") == "留守老人 退役军人"
    assert replace_word("党员+留受老人", "留受老人", "留守老人") == "党员 留守老人"


def test_what_was_mended_is_written_and_the_file_stays(hanyin: County) -> None:
    batch = checked(hanyin, workbook([row(number="0901", name="王试"), row("茨沟村", "0902", birth_date="1980-13-41")]))
    mend(hanyin, batch.id, 2, "name", "王试九")
    mend(hanyin, batch.id, 3, "birth_date", "1980-12-31")
    out = leave_out(hanyin, batch.id, 2, households=True)
    assert out.result["rows"] == 1
    counts = batch_of(hanyin, batch.id).counts
    assert (counts["rows"], counts["left_out"], counts["errors"], counts["valid_households"]) == (1, 1, 0, 1)
    undo(hanyin, batch.id, out.id)
    before = register(hanyin)
    written = commit(hanyin, batch_of(hanyin, batch.id))
    assert (written.state, written.counts["written"]["households_new"]) == ("committed", 2)
    assert register(hanyin) != before
    with pytest.raises(Conflict):
        mend(hanyin, batch.id, 2, "name", "王试十")
    with pytest.raises(Conflict):
        undo_all(hanyin, batch.id)
    # Now the mended rows are what stands: the same once more changes nothing.
    same = checked(
        hanyin, workbook([row(number="0901", name="王试九"), row("茨沟村", "0902", birth_date="1980-12-31")])
    )
    assert (same.counts["households_unchanged"], same.counts["persons_unchanged"]) == (2, 2)


def test_two_people_at_once_are_told(hanyin: County) -> None:
    batch = checked(hanyin, workbook([row(number="1", relation="管家")]))
    with hanyin.uow() as uow:
        seen = repair.cell_seen(hanyin.runtime.tenant_keys(uow), 2, "relation", "管家")
    mend(hanyin, batch.id, 2, "name", "王试二", seen="")  # another cell is no conflict
    mend(hanyin, batch.id, 2, "relation", "妻", seen=seen)
    with pytest.raises(Stale) as told:
        mend(hanyin, batch.id, 2, "relation", "户主", seen=seen)
    assert told.value.theirs == {"value": "妻"}
    with pytest.raises(Stale):
        mend(hanyin, batch.id, 2, "relation", "户主", version=batch.version)
    with pytest.raises(NotFound):
        mend(hanyin, batch.id, 3, "relation", "户主")
    with pytest.raises(NotFound):
        mend(hanyin, batch.id, 2, "no_column", "户主")
    with pytest.raises(Invalid):
        mend(hanyin, batch.id, 2, "address", "路" * 301)


def test_repairs_of_the_same_cell_are_taken_back_in_any_order(hanyin: County) -> None:
    batch = checked(hanyin, workbook([row(number="1", relation="管家")]))
    first = mend(hanyin, batch.id, 2, "relation", "不清")
    second = mend(hanyin, batch.id, 2, "relation", "户主")
    undo(hanyin, batch.id, first.id)
    assert batch_of(hanyin, batch.id).counts["errors"] == 0
    undo(hanyin, batch.id, second.id)
    assert error_of(hanyin, batch.id, "choice_unknown").shown_value == "管家"


def test_many_rows_are_mended_by_a_job_that_leaves_nothing_when_it_is_stopped(
    hanyin: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair_work, "REPAIR_AT_ONCE", 2)
    rows = [row(number=str(n), relation="管家") for n in range(1, 6)]
    batch = checked(hanyin, workbook(rows))
    wrong = alike_of(error_of(hanyin, batch.id, "choice_unknown"))
    assert wrong is not None
    done = mend_alike(hanyin, batch.id, wrong, "户主")
    assert done.state == "waiting"
    waiting = batch_of(hanyin, batch.id)
    assert waiting.state == "checking"
    with pytest.raises(Conflict):
        mend(hanyin, batch.id, 2, "relation", "户主")
    with hanyin.uow() as uow:
        cancel_batch(uow, batch_id=batch.id, version=waiting.version)
    stopped = work(hanyin, batch.id)
    assert (stopped.state, stopped.counts["errors"]) == ("checked", 5)
    with hanyin.uow() as uow:
        assert repair_work.list_repairs(uow, batch.id) == []
    done = mend_alike(hanyin, batch.id, wrong, "户主")
    assert job_of(hanyin, batch.id).kind == policy.REPAIR_KIND
    mended = work(hanyin, batch.id)
    assert (mended.state, mended.counts["errors"], mended.counts["valid_households"]) == ("checked", 0, 5)
    job = job_of(hanyin, batch.id)
    run_with(hanyin.runtime, hanyin.info.id, job.id)  # delivered twice: nothing more happens
    undo_all(hanyin, batch.id)
    assert work(hanyin, batch.id).counts["errors"] == 5
    with hanyin.uow() as uow:
        assert [one.state for one in repair_work.list_repairs(uow, batch.id)] == ["undone"]


def test_another_county_has_none_of_it(hanyin: County, tongyu: County) -> None:
    batch = checked(hanyin, workbook([row(number="1", relation="管家")]))
    mend(hanyin, batch.id, 2, "relation", "户主")
    with pytest.raises(NotFound):
        mend(tongyu, batch.id, 2, "relation", "妻")
    with tongyu.uow() as uow:
        assert repair_work.list_repairs(uow, batch.id) == []


def test_what_is_checked_anew_or_dropped_has_no_repairs(hanyin: County) -> None:
    batch = upload(hanyin, workbook([row(number="1", relation="管家")]))
    batch = work(hanyin, batch.id)
    mend(hanyin, batch.id, 2, "relation", "户主")
    with hanyin.uow() as uow:
        cancel_batch(uow, batch_id=batch.id, version=batch_of(hanyin, batch.id).version)
    with hanyin.uow() as uow:
        assert repair_work.list_repairs(uow, batch.id) == []
