"""An import of a register that a plugin declares: the same steps as a roster's, from the file to the undo."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from households_kit import hidden, text
from imports_kit import actor_of, batch_of, commit, empty, job_of, undo, work
from imports_kit import checked as roster_checked
from imports_kit import workbook as roster
from openpyxl import load_workbook
from points_kit import LABEL, faults
from registers_kit import EDIT, checked, kinds, reader, register, standing, write
from registers_kit import built as changed_since
from registers_kit import undo as undo_rows
from sqlalchemy import select
from tests.plugins_kit import planted
from tests.unit.roster_samples import HEAD, WIFE

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound, Refused
from xiangyue.features.households.models import Household, MarkKind, Person
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.imports import queries, register_undo, repair, service
from xiangyue.features.imports.alike import Alike
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.jobs.context import JobInterrupted
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.limits import allowing
from xiangyue.plugin.registers import RegisterChange, RegisterColumn, RowOutlook
from xiangyue.testing.fixtures import County


@pytest.fixture(name="county")
def with_kinds(hanyin: County) -> Iterator[County]:
    with kinds(hanyin):
        yield hanyin


def test_rows_are_written_and_taken_back(county: County) -> None:
    first = checked(county, ["probe1", "甲", 1, "是", "关爱"], ["probe2", "乙", 2, "否", ""])
    assert first.state == "checked", first.problem
    assert first.counts["records_new"] == 2
    assert standing(county) == {}
    first = commit(county, first)
    assert first.state == "committed", job_of(county, first.id).error
    assert standing(county) == {"probe1": ("甲", 1, True), "probe2": ("乙", 2, False)}

    again = checked(county, ["probe1", "甲", 1, "是", "关爱"], ["probe2", "乙", 2, "否", ""])
    assert again.counts["records_unchanged"] == 2
    again = commit(county, again)
    assert again.counts["written"]["records_unchanged"] == 2

    second = checked(county, ["probe1", "丙", 1, "是", "奖励"], ["probe3", "丁", 3, "", ""])
    assert second.counts["records_changed"] == 1
    changed, new = second.counts["samples"]
    assert (new["label"], new["before"], new["after"]["title"]) == ("丁", None, "丁")
    assert [changed] == [{"entity": "record", "label": "丙", "before": {"title": "甲"}, "after": {"title": "丙"}}]
    second = commit(county, second)
    assert standing(county)["probe1"] == ("丙", 1, True)

    with pytest.raises(Conflict, match="1"):
        undo(county, first)
    second = undo(county, second)
    assert second.state == "undone", job_of(county, second.id).error
    assert second.counts["undone"] == {"records": 1, "records_back": 1}
    assert undo(county, first).state == "undone"
    assert standing(county) == {}


def test_a_register_is_asked_by_blocks_what_is_in_the_way(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_undo, "CHUNK", 2)
    monkeypatch.setattr(register_undo, "LOOKED_AT", 2)
    batch = commit(county, checked(county, *[[f"probe{n}", "甲", n, "是", ""] for n in range(1, 6)]))
    with county.uow() as uow:
        oldest, newest = [
            uow.session.scalars(select(MarkKind).where(MarkKind.key == key)).one() for key in ("probe1", "probe5")
        ]
        oldest.name = "乙"
        ids = oldest.id, newest.id
    client = reader(county)
    page = client.get(f"/imports/{batch.id}/undo").text
    assert "撤销前会检查全部记录" in page
    assert client.get(f"/api/v1/imports/{batch.id}/undo").json == {
        "possible": True, "unseen": True, "built": {}, "elsewhere": [], "counts": {"records": 5, "records_back": 0},
    }  # fmt: skip
    pages, after = [], ""
    while after is not None:
        answer = client.get(f"/api/v1/imports/{batch.id}/undo/built?cursor={after}").json
        pages.append([item["id"] for item in answer["items"]])
        after = answer["next"]
    assert pages == [[], [], [ids[0]]]
    onward = re.findall(r'href="(/imports/\d+/undo\?after=[^"]+)"', page)[0]
    assert "继续检查前面的记录" in client.get(onward).text
    assert undo(county, batch).state == "committed"
    assert "1 行" in str(job_of(county, batch.id).error)
    assert len(standing(county)) == 5
    with county.uow() as uow:
        uow.get(MarkKind, ids[0]).name = "甲"
    assert undo(county, batch_of(county, batch.id)).state == "undone"


def test_a_large_register_is_looked_through_for_a_file_by_a_job(
    hanyin: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_undo, "CHUNK", 2)
    monkeypatch.setattr(register_undo, "LOOKED_AT", 2)
    blocks: list[int] = []

    def ask(uow: Uow, changes: Sequence[RegisterChange]) -> dict[int, Any]:
        blocks.append(len(changes))
        return changed_since(uow, changes)

    with kinds(hanyin, built=ask):
        batch = commit(hanyin, checked(hanyin, *[[f"probe{n}", "甲", n, "是", ""] for n in range(1, 6)]))
        with hanyin.uow() as uow:
            uow.session.scalars(select(MarkKind).where(MarkKind.key == "probe1")).one().name = "乙"
        client = reader(hanyin)
        address = f"/imports/{batch.id}/undo/export"
        assert "这张表较长" in text(client, address)
        blocks.clear()
        sent = {"csrf_token": hidden(text(client, address), "csrf_token"), "purpose": "逐条核对", "format": "csv"}
        answer = client.post(address, data=sent)
        assert answer.status_code == 303, answer.text
        assert blocks == [2, 2], "the request looks at what its page shows only"
        id = int(answer.location.rpartition("/")[2])
        assert run_with(hanyin.runtime, hanyin.info.id, id) == "succeeded"
        assert blocks == [2, 2, 2, 2, 2, 1]
        with hanyin.uow() as uow:
            done = uow.get(Job, id)
            entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "import.undo_list")).one()
        assert done.result is not None
        assert (done.done, done.result["rows"], done.result["number"]) == (1, 1, entry.object_label)
        assert (entry.purpose, entry.after["filters"]) == ("逐条核对", {"batch": [batch.id]})
        with client.get(f"/files/{done.result['file']}") as file:
            lines = file.get_data(as_text=True).splitlines()
        assert [line.split(",")[1:4] for line in lines if "Changed by hand" in line] == [["甲", "", "Changed by hand"]]
        assert any("逐条核对" in line for line in lines)
        assert client.get(f"/jobs/{id}").status_code == 200


def test_whoever_lost_the_right_no_longer_sees_what_they_uploaded(county: County) -> None:
    batch = checked(county, ["probe1", "甲", 1, "是", ""])
    account = county.account_with(IMPORT_RUN, HOUSEHOLD_EDIT)
    with county.uow() as uow:
        uow.get(ImportBatch, batch.id).created_by = account.id
        mine = roster_checked(county, roster([HEAD])).id
    with county.uow() as uow:
        uow.get(ImportBatch, mine).created_by = account.id
    with county.uow(actor_of(county, account)) as uow:
        assert [one.id for one in queries.waiting_batches(uow)] == [mine]
        assert queries.get_batch(uow, mine).id == mine
        with pytest.raises(NotFound):
            queries.get_batch(uow, batch.id)


def test_wrong_cells_are_told(county: County) -> None:
    batch = checked(
        county, ["probe1", "甲", "many", "maybe", "别的"], ["probe1", "乙"], ["probe3", "禁用"], ["", "丁"],
        ["probe5", "戊", 5],
    )  # fmt: skip
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    assert [(e.row, e.column, e.code) for e in found] == [
        (2, "place_no", "integer_format"), (2, "in_use", "boolean_format"), (2, "type", "choice_unknown"),
        (3, "code", "record_twice"), (4, "title", "told"), (5, "code", "required"),
    ]  # fmt: skip
    batch = commit(county, batch, valid_only=True)
    assert standing(county) == {"probe5": ("戊", 5, True)}
    assert undo(county, batch).state == "undone"


def raising(*_given: Any) -> Any:
    raise LookupError("王德福")


def nonsense(*_given: Any) -> Any:
    return ["yes"]


def hanging(*_given: Any) -> Any:
    while True:
        pass


def committing(uow: Uow, _rows: Any) -> Any:
    uow.session.commit()


def forgetting(_uow: Uow, _rows: Any) -> None:
    """Says that it wrote and did not."""


def refusing(*_given: Any) -> Any:
    raise Refused("Kinds are closed.")


def half(uow: Uow, rows: Any) -> None:
    write(uow, rows[:1])
    raise LookupError


ROWS = (["probe1", "甲", 1, "是", "关爱"], ["probe2", "乙", 2, "否", ""])


@pytest.mark.parametrize("bad", [raising, nonsense, hanging, committing, refusing])
def test_a_check_that_fails_ends_the_check_and_the_batch_says_whose_it_was(hanyin: County, bad: Any) -> None:
    with kinds(hanyin, check=bad), allowing(0.02):
        batch = checked(hanyin, *ROWS)
        assert (batch.state, batch.problem["code"] if batch.problem else "") == ("failed", "register_broke")
        assert set(faults(hanyin)) == {"imports:probe_kinds:check"}
        page = reader(hanyin).get(f"/imports/{batch.id}").text
        assert LABEL in page
        assert "王德福" not in job_of(hanyin, batch.id).error
        assert standing(hanyin) == {}


@pytest.mark.parametrize("bad", [raising, nonsense, hanging, committing, forgetting, half, refusing])
def test_a_writing_that_fails_leaves_nothing(hanyin: County, bad: Any) -> None:
    with kinds(hanyin, write=bad), allowing(0.02):
        batch = commit(hanyin, checked(hanyin, *ROWS))
        assert batch.state == "checked"
        assert LABEL in job_of(hanyin, batch.id).error
        assert set(faults(hanyin)) == {"imports:probe_kinds:write"}
        assert standing(hanyin) == {}
        assert LABEL in reader(hanyin).get(f"/imports/{batch.id}").text


def half_back(uow: Uow, changes: Any) -> None:
    undo_rows(uow, changes)
    raise LookupError


@pytest.mark.parametrize("bad", [raising, committing, half_back])
def test_an_undo_that_fails_takes_nothing_back(hanyin: County, bad: Any) -> None:
    with kinds(hanyin, undo=bad):
        batch = commit(hanyin, checked(hanyin, *ROWS))
        before = standing(hanyin)
        assert len(before) == 2
        assert undo(hanyin, batch).state == "committed"
        assert standing(hanyin) == before
        assert LABEL in job_of(hanyin, batch.id).error


def test_without_an_undo_of_its_own_an_import_stays(hanyin: County) -> None:
    with kinds(hanyin, undo=None, built=None):
        batch = commit(hanyin, checked(hanyin, *ROWS))
        assert batch.state == "committed"
        assert "/undo" not in reader(hanyin).get(f"/imports/{batch.id}").text
        with pytest.raises(Conflict):
            undo(hanyin, batch)


def test_a_repair_asks_the_register_again(hanyin: County) -> None:
    with kinds(hanyin):
        batch = checked(hanyin, ["probe1", "禁用", 1], ["probe2", "禁用", 2], ["probe2", "丙", 3])
        page = reader(hanyin).get(f"/imports/{batch.id}").text
        assert "This title is taken." in page
        keys = hanyin.runtime.tenant_keys
        with hanyin.uow() as uow:
            repair.repair_alike(
                uow, keys(uow), batch_id=batch.id, wrong=Alike("title", "told", "禁用"), value="可用", rows=2
            )
        with hanyin.uow() as uow:
            counts = queries.get_batch(uow, batch.id).counts
            assert (counts["errors"], counts["valid_households"], counts["records_new"]) == (1, 2, 2)
            repair.repair_cell(uow, keys(uow), batch_id=batch.id, row_no=2, column="code", value="probe2")
        with hanyin.uow() as uow:
            found, _next = queries.list_errors(uow, batch.id)
            assert [(e.row, e.column, e.code) for e in found] == [
                (3, "code", "record_twice"),
                (4, "code", "record_twice"),
            ]
            assert repair.undo_all(uow, keys(uow), batch_id=batch.id) == 2
        with hanyin.uow() as uow:
            counts = queries.get_batch(uow, batch.id).counts
            assert (counts["errors"], counts["records_new"]) == (3, 0)


def test_the_error_workbook_goes_out_and_comes_back(hanyin: County) -> None:
    with kinds(hanyin):
        batch = checked(hanyin, ["probe1", "甲", "many"], ["probe2", "乙", 2])
        stream = io.BytesIO()
        with hanyin.uow() as uow:
            keys = hanyin.runtime.tenant_keys(uow)
            assert service.write_error_workbook_of(uow, keys, batch_id=batch.id, stream=stream) == 1
        book = load_workbook(io.BytesIO(stream.getvalue()))
        heads = {cell.value: cell.column for cell in book.worksheets[0][1]}
        book.worksheets[0].cell(2, heads["次序"], "7")
        mended = io.BytesIO()
        book.save(mended)
        mended.seek(0)
        with hanyin.uow() as uow:
            repair.return_workbook(uow, hanyin.runtime.storage, batch_id=batch.id, stream=mended, name="back.xlsx")
        batch = commit(hanyin, work(hanyin, batch.id))
        assert standing(hanyin) == {"probe1": ("甲", 7, True), "probe2": ("乙", 2, True)}


def test_households_and_persons_are_found_where_the_uploader_may_import(hanyin: County) -> None:
    seen: list[dict[str, Any]] = []

    def look(_uow: Uow, rows: Any) -> list[RowOutlook]:
        seen.extend(dict(row.values) for row in rows)
        return [RowOutlook(row.number, after={"code": "x"}) for row in rows]

    columns = (
        RegisterColumn("code", ("代号", "Code"), required=True),
        RegisterColumn("home", ("户", "Household"), "household"),
        RegisterColumn("who", ("人", "Person"), "person"),
    )
    empty(hanyin)
    assert commit(hanyin, roster_checked(hanyin, roster([HEAD, WIFE]))).state == "committed"
    with hanyin.uow() as uow:
        home = uow.session.scalars(select(Household)).one()
        wife = uow.session.scalars(select(Person).where(Person.name == WIFE["name"])).one()
    header = ("代号", "镇", "村", "户编号", "公民身份号码", "姓名", "出生日期")
    place, number = (HEAD["town"], HEAD["village"]), HEAD["household_no"]
    with kinds(hanyin, columns=columns, check=look):
        batch = checked(
            hanyin,
            ["probe1", *place, number, "", "", ""],
            ["probe2", "", "", home.code, WIFE["id_number"], "", ""],
            ["probe3", *place, "", "", WIFE["name"], wife.birth_date.isoformat()],
            ["probe4", *place, "9999", "", "", ""],
            ["probe5", "", "", "", "110101199003070011", "", ""],
            ["probe6", *place, "", "", "无此人", "1990-01-01"],
            header=header,
        )
        assert batch.state == "checked", (batch.problem, batch.header, job_of(hanyin, batch.id).error)
        with hanyin.uow() as uow:
            found, _next = queries.list_errors(uow, batch.id)
    assert [(e.row, e.column, e.code) for e in found] == [
        (5, "household_no", "household_unknown"), (6, "id_number", "person_unknown"), (7, "name", "person_unknown"),
    ]  # fmt: skip
    assert seen[:3] == [
        {"code": "probe1", "home": home.id},
        {"code": "probe2", "home": home.id, "who": wife.id},
        {"code": "probe3", "who": wife.id},
    ]
    empty(hanyin)


def test_killed_amid_the_writing_it_is_written_once(hanyin: County) -> None:
    calls: list[int] = []

    def dying(uow: Uow, rows: Any) -> None:
        write(uow, rows)
        calls.append(len(rows))
        if len(calls) == 2:
            raise JobInterrupted  # the worker is being stopped

    many = [[f"probe{n}", f"名{n}", n] for n in range(1, 621)]
    with kinds(hanyin, write=dying):
        batch = checked(hanyin, *many)
        with hanyin.uow() as uow:
            service.request_commit(uow, batch_id=batch.id, version=batch.version)
        assert work(hanyin, batch.id).state == "committing"
        assert standing(hanyin) == {}
        assert work(hanyin, batch.id).state == "committed"
        assert len(standing(hanyin)) == 620
        assert calls == [500, 120, 500, 120]
        assert work(hanyin, batch.id).state == "committed"
        assert calls == [500, 120, 500, 120]


def test_columns_that_cannot_be_read_by_are_refused_with_the_plugin(hanyin: County) -> None:
    bad = (
        {"columns": (RegisterColumn("name", ("名称", "Title")),), "keys": ()},
        {"columns": (RegisterColumn("code", ("代号", "Code"), "picture"),)},
        {"columns": (RegisterColumn("code", ("代号", "Code"), "choice"),)},
        {"columns": (RegisterColumn("code", ("代号", "Code"), "phone"),)},
        {"columns": (RegisterColumn("code", ("代号", "Code")), RegisterColumn("more", ("代号", "More")))},
        {"keys": ("other",)},
        {"undo": None},
        {"key": "kinds"},
    )
    for changes in bad:
        hooks = {"register_permissions": (EDIT,), "register_imports": (register(**changes),)}
        with planted(hanyin.runtime, "probe", **hooks) as installed:
            assert not installed.ready, changes
