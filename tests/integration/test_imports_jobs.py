"""Imports from file to register: errors by cell, dry run, writing all or nothing, areas, rights, cancel."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from imports_kit import (
    Row,
    actor_of,
    batch_of,
    checked,
    commit,
    empty,
    job_of,
    register,
    rows_of,
    synthetic,
    upload,
    work,
)
from imports_kit import workbook as book
from sqlalchemy import select, update

from xiangyue.access.actor import system_actor
from xiangyue.access.models import AuditEntry
from xiangyue.db import sql
from xiangyue.db.session import end_statements_after
from xiangyue.db.sql import estimated_rows, hold_statistics
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.households import bulk
from xiangyue.features.households.models import Household
from xiangyue.features.imports import commit_job, queries, service
from xiangyue.features.imports.commit_job import FINISHING, SMALL_REGISTER, WRITTEN, take_turn
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.staging import wrong_rows
from xiangyue.files.models import StoredFile
from xiangyue.i18n import LazyText
from xiangyue.jobs.context import JobCancelled, JobContext
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import request_cancel
from xiangyue.jobs.worker import serve
from xiangyue.tenancy.models import Tenant
from xiangyue.testing.fixtures import County

XUANWO = 610921107000000


@pytest.fixture(scope="module")
def rows(hanyin: County, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """A synthetic roster of 200 households over the whole county."""
    return rows_of(synthetic(hanyin, tmp_path_factory.mktemp("rosters"), 200))


@pytest.fixture(autouse=True)
def clean(hanyin: County) -> None:
    empty(hanyin)


def errors(county: County, batch: ImportBatch, **options: Any) -> list[CellError]:
    with county.uow() as uow:
        return queries.list_errors(uow, batch.id, limit=1000, **options)[0]


def household(rows: list[Row], index: int) -> list[Row]:
    """Copies of the rows of the nth household, without marks."""
    keys = list(dict.fromkeys((r["village"], r["household_no"]) for r in rows))
    return [{**r, "marks": ""} for r in rows if (r["village"], r["household_no"]) == keys[index]]


def test_a_roster_goes_into_the_register_through_a_worker(hanyin: County, rows: list[Row]) -> None:
    batch = upload(hanyin, book(rows))
    assert batch.state == "uploaded"
    serve(hanyin.runtime, burst=True)
    batch = batch_of(hanyin, batch.id)
    assert batch.state == "checked"
    counts = batch.counts
    assert (counts["rows"], counts["persons"], counts["households"]) == (len(rows), len(rows), 200)
    assert (counts["errors"], counts["error_rows"], counts["valid_households"]) == (0, 0, 200)
    assert (counts["households_new"], counts["persons_new"]) == (200, len(rows))
    assert register(hanyin)[1] == 0
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    serve(hanyin.runtime, burst=True)
    batch = batch_of(hanyin, batch.id)
    assert batch.state == "committed"
    assert batch.counts["written"]["households_new"] == 200
    assert job_of(hanyin, batch.id).state == "succeeded"
    assert register(hanyin)[1] == 200
    with hanyin.uow() as uow:
        actions = set(uow.session.scalars(select(AuditEntry.action).where(AuditEntry.object_id == batch.id)))
        assert {"import.upload", "import.commit", "import.written"} <= actions
        assert uow.session.scalars(select(Household.import_batch_id).distinct()).all() == [batch.id]


def test_a_second_import_of_the_same_changes_nothing_and_shows_what_another_would(
    hanyin: County, rows: list[Row]
) -> None:
    commit(hanyin, checked(hanyin, book(rows)))
    before = register(hanyin)
    again = checked(hanyin, book(rows))
    assert again.counts["households_unchanged"] == 200
    assert again.counts["persons_unchanged"] == len(rows)
    commit(hanyin, again)
    assert register(hanyin) == before
    assert again.counts["samples"] == []
    moved = [dict(r) for r in rows]
    moved[0]["address"] = "新址一号"
    changed = checked(hanyin, book(moved))
    assert changed.counts["households_changed"] == 1
    (sample,) = changed.counts["samples"]
    assert sample["after"]["address"] == "新址一号"
    assert sample["before"]["address"] == rows[0]["address"]


def test_new_household_numbers_say_which_households_nobody_is_left_in(
    hanyin: County, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 1)
    two = [row for index in (0, 1) for row in household(rows, index)]
    commit(hanyin, checked(hanyin, book(two)))
    first = household(rows, 0)
    renumbered = checked(hanyin, book([{**row, "household_no": "9901"} for row in two[: len(first)]]))
    counts = renumbered.counts
    assert (counts["households_new"], counts["households_emptied"], counts["persons_changed"]) == (1, 1, len(first))
    moves = [(one["before"], one["after"]) for one in counts["samples"] if one["before"] is not None]
    old, new = f"{int(first[0]['household_no']):04}", "9901"
    assert [(b["household_code"][12:], a["household_code"][12:]) for b, a in moves] == [(old, new)] * len(first)
    page = hanyin.client("county_admin").get(f"/imports/{renumbered.id}").get_data(as_text=True)
    assert "登记中有 1 户将空无一人" in page
    written = commit(hanyin, renumbered)
    assert written.counts["written"]["households_emptied"] == 1
    page = hanyin.client("county_admin").get(f"/imports/{renumbered.id}").get_data(as_text=True)
    assert "有 1 户已空无一人" in page


def test_households_that_change_places_are_not_empty(hanyin: County, rows: list[Row]) -> None:
    a, b = household(rows, 0), household(rows, 1)
    commit(hanyin, checked(hanyin, book([*a, *b])))
    keys = ("town", "village", "group", "household_no")
    swapped = [{**row, **{key: b[0][key] for key in keys}} for row in a]
    swapped += [{**row, **{key: a[0][key] for key in keys}} for row in b]
    tried = checked(hanyin, book(swapped))
    assert (tried.counts["persons_changed"], tried.counts["households_emptied"]) == (len(swapped), 0)


def test_households_whose_rows_stand_apart_are_put_together(hanyin: County, rows: list[Row]) -> None:
    commit(hanyin, checked(hanyin, book(rows)))
    wanted = register(hanyin)
    empty(hanyin)
    apart = checked(hanyin, book(sorted(rows, key=lambda row: row["relation"] != "户主")))
    with hanyin.uow() as uow:
        found = select(ImportRow.household_n, ImportRow.row_no).where(ImportRow.batch_id == apart.id)
        staged = [tuple(row) for row in uow.session.execute(found.order_by(ImportRow.id))]
    assert staged == sorted(staged)
    assert len(staged) == len(rows)
    commit(hanyin, apart)
    assert register(hanyin) == wanted


def test_after_a_commit_the_planner_knows_the_register(hanyin: County, rows: list[Row]) -> None:
    commit(hanyin, checked(hanyin, book(rows)))
    url = hanyin.runtime.settings.database_url.replace("xiangyue_app@", "postgres@")
    with psycopg.connect(url, autocommit=True) as onlooker:
        for table in WRITTEN:
            counted = f"SELECT count(*) FROM {table}"
            known = "SELECT reltuples FROM pg_class WHERE oid = %s::regclass"
            assert onlooker.execute(known, [table]).fetchone() == onlooker.execute(counted).fetchone(), table


def test_errors_stand_by_cell_and_their_households_are_left_out_whole(hanyin: County, rows: list[Row]) -> None:
    wrong = [dict(r) for r in rows]
    wrong[0]["id_number"] = "61092119800101"
    wrong[0]["village"] = "无此村"
    batch = checked(hanyin, book(wrong))
    found = errors(hanyin, batch)
    assert {(e.row, e.column, e.code) for e in found} >= {
        (2, "id_number", "id_length"),
        (2, "village", "village_unknown"),
    }
    assert "61092119800101" not in str([e.as_dict() for e in found])
    assert errors(hanyin, batch, code="id_length")[0].row == 2
    assert errors(hanyin, batch, column="village")[0].code == "village_unknown"
    with hanyin.uow() as uow:
        assert ("id_length", 1) in queries.error_kinds(uow, batch.id)
        with pytest.raises(Conflict):
            service.request_commit(uow, batch_id=batch.id, version=batch.version)
        in_workbook = [row.number for row, _ in wrong_rows(uow, hanyin.runtime.tenant_keys(uow), batch.id)]
    assert 2 in in_workbook
    ready = batch.counts["valid_households"]
    assert ready == 199
    done = commit(hanyin, batch, valid_only=True)
    assert done.state == "committed"
    assert register(hanyin)[1] == ready


def test_errors_are_paged_in_the_order_of_the_sheet(hanyin: County, rows: list[Row]) -> None:
    wrong = [{**r, "phone": "12"} for r in rows[:40]]
    batch = checked(hanyin, book(wrong))
    whole = errors(hanyin, batch, code="phone_format")
    pages: list[CellError] = []
    after: tuple[int, int] | None = None
    with hanyin.uow() as uow:
        while True:
            found, after = queries.list_errors(uow, batch.id, code="phone_format", after=after, limit=7)
            pages += found
            if after is None:
                break
    assert [e.row for e in pages] == [e.row for e in whole] == list(range(2, 42))


def test_neither_the_disk_nor_the_rows_hold_the_sheet_in_the_clear(hanyin: County, rows: list[Row]) -> None:
    batch = checked(hanyin, book(rows[:20]))
    number, name = rows[0]["id_number"], rows[0]["name"]
    with hanyin.uow() as uow:
        file = uow.get(StoredFile, batch.file_id)
        with hanyin.runtime.storage.open(hanyin.info.id, file.storage_key) as stream:
            assert not stream.read().startswith(b"PK")
    with psycopg.connect(hanyin.runtime.settings.migration_database_url) as connection:
        stored = connection.execute("SELECT payload, errors::text FROM import_row").fetchall()
    assert stored
    for payload, texts in stored:
        assert number.encode() not in payload
        assert name.encode() not in payload
        assert number not in texts


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.xlsx"),
        (b"<html><table></table></html>", "a.xlsx"),
        (b"PK\x03\x04 cut", "a.xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "a.xls"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_at_the_upload(hanyin: County, data: bytes, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        upload(hanyin, data, name=name)
    assert set(caught.value.fields) == {"file"}


def test_a_sheet_without_header_or_rows_is_told_on_the_batch(hanyin: County, rows: list[Row]) -> None:
    assert checked(hanyin, book([])).problem == {"code": "no_rows", "params": {}}
    import io

    import xlsxwriter

    stream = io.BytesIO()
    other = xlsxwriter.Workbook(stream)
    other.add_worksheet().write(0, 0, "今天的菜单")
    other.close()
    batch = checked(hanyin, stream.getvalue())
    assert batch.state == "failed"
    assert batch.problem is not None
    assert batch.problem["code"] == "no_header"


def test_made_up_people_are_taken_only_where_the_county_says_so(hanyin: County, rows: list[Row]) -> None:
    def allow(yes: bool) -> None:
        from sqlalchemy.orm import Session

        with Session(hanyin.runtime.engine) as session:
            tenant = session.get_one(Tenant, hanyin.info.id)
            session.execute(
                update(Tenant)
                .where(Tenant.id == tenant.id)
                .values(settings={**tenant.settings, "allow_synthetic_people": yes})
            )
            session.commit()

    allow(False)
    try:
        batch = checked(hanyin, book(rows[:10]))
    finally:
        allow(True)
    assert {e.code for e in errors(hanyin, batch)} == {"id_checksum"}
    assert batch.counts["valid_households"] == 0


def test_rows_outside_the_uploaders_area_are_errors_and_nothing_is_written_there(
    hanyin: County, rows: list[Row]
) -> None:
    town = actor_of(hanyin, hanyin.account("town", area=XUANWO))
    rows = [{**r, "marks": ""} for r in rows]
    batch = checked(hanyin, book(rows), town)
    inside = {(r["village"], r["household_no"]) for r in rows if r["town"] == "漩涡镇"}
    found = errors(hanyin, batch)
    assert {e.code for e in found} == {"outside_area"}
    assert len(found) == sum(r["town"] != "漩涡镇" for r in rows)
    assert batch.counts["valid_households"] == len(inside)
    assert commit(hanyin, batch, town, valid_only=True).state == "committed"
    with hanyin.uow() as uow:
        codes = uow.session.scalars(select(Household.area_code)).all()
    assert len(codes) == len(inside)
    assert all(XUANWO <= code < XUANWO + 10**6 for code in codes)


def test_somebody_who_lives_elsewhere_is_an_error_for_a_town(hanyin: County, rows: list[Row]) -> None:
    elsewhere = next(i for i in range(200) if household(rows, i)[0]["town"] != "漩涡镇")
    here = next(i for i in range(200) if household(rows, i)[0]["town"] == "漩涡镇")
    commit(hanyin, checked(hanyin, book(household(rows, elsewhere))))
    family = household(rows, here)
    family[0]["id_number"] = household(rows, elsewhere)[0]["id_number"]
    family[0]["sex"] = family[0]["birth_date"] = ""
    town = actor_of(hanyin, hanyin.account("town", area=XUANWO))
    batch = checked(hanyin, book(family), town)
    assert [(e.row, e.column, e.code) for e in errors(hanyin, batch)] == [(2, "id_number", "person_elsewhere")]
    assert batch.counts["valid_households"] == 0
    # Whoever has the whole county moves the person.
    assert checked(hanyin, book(family)).counts["errors"] == 0


def test_a_sensitive_mark_needs_its_own_right(hanyin: County, rows: list[Row]) -> None:
    here = next(i for i in range(200) if household(rows, i)[0]["town"] == "漩涡镇")
    family = household(rows, here)
    family[0]["marks"] = "残疾人"
    town = actor_of(hanyin, hanyin.account("town", area=XUANWO))
    batch = checked(hanyin, book(family), town)
    (error,) = errors(hanyin, batch)
    assert (error.row, error.column, error.code) == (2, "marks", "mark_forbidden")
    assert checked(hanyin, book(family), actor_of(hanyin, hanyin.account())).counts["errors"] == 0


def test_a_batch_is_for_its_uploader_colleagues_of_the_same_area_and_the_whole_county(
    hanyin: County, tongyu: County, rows: list[Row]
) -> None:
    town = actor_of(hanyin, hanyin.account("town", area=XUANWO))
    batch = upload(hanyin, book(rows[:5]), town)
    allowed = [town, actor_of(hanyin, hanyin.account("town", area=XUANWO)), actor_of(hanyin, hanyin.account())]
    for actor in allowed:
        with hanyin.uow(actor) as uow:
            assert queries.get_batch(uow, batch.id).id == batch.id
            assert batch.id in {b.id for b in queries.list_batches(uow)}
    other_town = actor_of(hanyin, hanyin.account("town", area=610921100000000))
    for county, actor in ((hanyin, other_town), (tongyu, actor_of(tongyu, tongyu.account()))):
        with county.uow(actor) as uow:
            assert queries.list_batches(uow) == []
            with pytest.raises(NotFound):
                queries.get_batch(uow, batch.id)


def test_without_the_rights_nothing_is_uploaded(hanyin: County, rows: list[Row]) -> None:
    for role in ("village", "auditor"):
        with pytest.raises(Forbidden):
            upload(hanyin, book(rows[:5]), actor_of(hanyin, hanyin.account(role)))


def test_only_a_checked_batch_is_written_and_only_once(hanyin: County, rows: list[Row]) -> None:
    batch = upload(hanyin, book(rows[:30]))
    with hanyin.uow() as uow, pytest.raises(Conflict):
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    batch = work(hanyin, batch.id)
    with hanyin.uow() as uow, pytest.raises(Stale):
        service.request_commit(uow, batch_id=batch.id, version=batch.version - 1)
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    with hanyin.uow() as uow, pytest.raises(Conflict):
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    job = job_of(hanyin, batch.id)
    assert work(hanyin, batch.id).state == "committed"
    once = register(hanyin)
    assert run_with(hanyin.runtime, hanyin.info.id, job.id) is None
    with hanyin.uow() as uow, pytest.raises(Conflict):
        service.cancel_batch(uow, batch_id=batch.id, version=batch_of(hanyin, batch.id).version)
    assert register(hanyin) == once


def test_a_cancelled_writing_leaves_nothing_and_can_be_done_again(
    hanyin: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = checked(hanyin, synthetic(hanyin, tmp_path, 1500).read_bytes())
    monkeypatch.setattr(bulk, "CHUNK", 10)
    nothing = register(hanyin)
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    job = job_of(hanyin, batch.id)
    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(run_with(hanyin.runtime, hanyin.info.id, job.id)))
    thread.start()
    deadline = time.monotonic() + 60
    while not job_of(hanyin, batch.id).done:
        assert time.monotonic() < deadline
        thread.join(0.02)
    with hanyin.uow() as uow:
        request_cancel(uow, job_id=job.id)
    thread.join(60)
    assert ended == ["cancelled"]
    assert register(hanyin) == nothing
    monkeypatch.undo()
    batch = batch_of(hanyin, batch.id)
    assert batch.state == "checked"
    assert commit(hanyin, batch).state == "committed"
    assert register(hanyin)[1] == 1500


def test_a_stopped_check_drops_the_batch_and_its_rows(hanyin: County, rows: list[Row]) -> None:
    batch = upload(hanyin, book(rows[:30]))
    with hanyin.uow() as uow:
        service.cancel_batch(uow, batch_id=batch.id, version=batch.version)
    assert batch_of(hanyin, batch.id).state == "cancelled"
    again = checked(hanyin, book(rows[:30]))
    with hanyin.uow() as uow:
        service.cancel_batch(uow, batch_id=again.id, version=again.version)
    with hanyin.uow() as uow:
        assert uow.get(ImportBatch, again.id).state == "cancelled"
        assert uow.session.scalars(select(ImportRow).where(ImportRow.batch_id == again.id)).all() == []


def test_search_rows_that_died_between_the_two_commits_come_with_the_next_run(hanyin: County, rows: list[Row]) -> None:
    batch = commit(hanyin, checked(hanyin, book(rows)))
    wanted = register(hanyin)
    job = job_of(hanyin, batch.id)
    with psycopg.connect(hanyin.runtime.settings.migration_database_url) as owner:
        for table in ("name_suffix", "household_piece", "piece_suffix"):
            assert owner.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [hanyin.info.id]).rowcount
        # As the scheduler does with a job whose worker died.
        owner.execute("UPDATE job SET state = 'queued' WHERE tenant_id = %s AND id = %s", [hanyin.info.id, job.id])
    assert register(hanyin) != wanted
    assert work(hanyin, batch.id).state == "committed"
    assert (job_of(hanyin, batch.id).state, register(hanyin)) == ("succeeded", wanted)


def test_search_rows_are_kept_only_with_what_they_lead_to(hanyin: County, rows: list[Row]) -> None:
    nothing = register(hanyin)
    batch = checked(hanyin, book(rows))
    with hanyin.uow() as uow:
        service.request_commit(uow, batch_id=batch.id, version=batch.version)
    job = job_of(hanyin, batch.id)

    class AtTheEnd(JobContext):
        """Cancelled when all is written and nothing kept."""

        def progress(self, done: int, total: int, step: LazyText | str = "") -> None:
            super().progress(done, total, step)
            if step is FINISHING:
                self.cancelled.set()

    context = AtTheEnd(
        hanyin.runtime,
        tenant_id=hanyin.info.id,
        job_id=job.id,
        params=job.params,
        actor=system_actor(hanyin.info.id),
    )
    with pytest.raises(JobCancelled):
        commit_job.run(context)
    assert register(hanyin) == nothing


def test_what_changed_since_the_check_stops_the_writing(hanyin: County, rows: list[Row]) -> None:
    town = actor_of(hanyin, hanyin.account("town", area=XUANWO))
    here = next(i for i in range(200) if household(rows, i)[0]["town"] == "漩涡镇")
    elsewhere = next(i for i in range(200) if household(rows, i)[0]["town"] != "漩涡镇")
    family = household(rows, here)
    batch = checked(hanyin, book(family), town)
    assert batch.counts["errors"] == 0
    other = household(rows, elsewhere)
    other[0]["id_number"] = family[0]["id_number"]
    other[0]["sex"] = other[0]["birth_date"] = ""
    commit(hanyin, checked(hanyin, book(other)))
    before = register(hanyin)
    stopped = commit(hanyin, batch, town)
    assert stopped.state == "checked"
    assert job_of(hanyin, batch.id).state == "failed"
    assert register(hanyin) == before


def test_autovacuum_cannot_call_the_register_empty_in_the_middle_of_a_first_import(hanyin: County) -> None:
    analyze = "SET lock_timeout = '100ms'; ANALYZE person"
    owner = hanyin.runtime.settings.migration_database_url
    with hanyin.uow() as uow, psycopg.connect(owner, autocommit=True) as other:
        assert estimated_rows(uow.session, "person") < SMALL_REGISTER
        other.execute(analyze)
        hold_statistics(uow.session, "household", "person")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(analyze)
        other.execute("SELECT count(*) FROM person")
    with psycopg.connect(owner, autocommit=True) as other:
        other.execute(analyze)


def test_a_register_that_was_noted_as_empty_is_guessed_by_its_pages(hanyin: County) -> None:
    def noted(connection: Any) -> float:
        return float(connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'person_mark'").fetchone()[0])

    with psycopg.connect(hanyin.runtime.settings.migration_database_url) as other:
        # As if autovacuum had been there before rows that died were cleared away.
        other.execute("SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'person_mark',"
                      " 'reltuples', 0::real, 'relpages', 200)")  # fmt: skip
        other.commit()
        assert noted(other) == 0
        other.commit()
        with hanyin.uow() as uow:
            take_turn(SimpleNamespace(tenant_id=hanyin.info.id), uow)  # type: ignore[arg-type]
            assert estimated_rows(uow.session, "person_mark") == -1
        assert noted(other) == -1


def test_rows_that_are_long_in_the_making_do_not_use_up_the_time_of_a_statement(
    hanyin: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_AT_A_TIME", 2)

    def slow() -> Any:
        for number in range(8):
            time.sleep(0.1)
            yield (number,)

    with hanyin.uow() as uow:
        end_statements_after(uow.session, 0.5)
        assert sql.stage_rows(uow.session, "stage_slow", {"n": "int"}, slow()) == 8
        assert sql.scoped_rows(uow.session, "SELECT sum(s.n) FROM stage_slow s WHERE {tenant:s}") == [(28,)]
