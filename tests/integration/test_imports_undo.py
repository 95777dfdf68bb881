"""A whole import is taken back while nothing was built on it, and leaves the register as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

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
    undo,
    work,
)
from imports_kit import workbook as book
from sqlalchemy import func, select

from xiangyue.access.models import AuditEntry
from xiangyue.db.sql import estimated_rows
from xiangyue.errors import Conflict, Stale
from xiangyue.features.households import service as households
from xiangyue.features.households import service_persons, service_records
from xiangyue.features.households.models import Household, Person, PersonMark
from xiangyue.features.households.models_change import ImportChange
from xiangyue.features.imports import undoing
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import COMMIT_KIND
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County


@pytest.fixture(scope="module")
def rows(hanyin: County, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """A synthetic roster of 30 households."""
    return rows_of(synthetic(hanyin, tmp_path_factory.mktemp("rosters"), 30))


@pytest.fixture(autouse=True)
def clean(hanyin: County) -> None:
    empty(hanyin)


def families(rows: list[Row]) -> list[list[Row]]:
    found: dict[tuple[Any, Any], list[Row]] = {}
    for row in rows:
        found.setdefault((row["village"], row["household_no"]), []).append(dict(row))
    return list(found.values())


def written(county: County, rows: list[Row]) -> ImportBatch:
    batch = commit(county, checked(county, book(rows)))
    assert batch.state == "committed", (batch.state, job_of(county, batch.id).error)
    return batch


def changes(county: County) -> int:
    with county.uow() as uow:
        return uow.session.scalar(select(func.count()).select_from(ImportChange)) or 0


def built(county: County, batch: ImportBatch, **options: Any) -> list[tuple[str, str, str]]:
    with county.uow() as uow:
        found, _onward = undoing.built_on(uow, batch_of(county, batch.id), **options)
        return [(one.what, one.entity, one.label) for one in found]


def mixed(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """A first roster of twenty households, and a second one: ten new ones, and of the twenty some with another address,
    group, phone, name, mark and income, somebody who moved in with others, and a child born."""
    homes = families(rows)
    first = [row for home in homes[:20] for row in home]
    later = families(rows)
    later[0][0]["address"] = "新址一号"
    later[1][0].update(phone="15400000999", marks="党员", household_income="77000", income_year="2025")
    later[2][0].update(name="吴新名")
    later[3][0].update(group="九十七组")
    later[4][0].update(group="九十八组", away="是", household_income="1", income_year="2021")
    mover = dict(next(row for row in later[5] if row["relation"] != "户主"))
    later[5] = [row for row in later[5] if row["id_number"] != mover["id_number"]]
    mover.update({key: later[6][0][key] for key in ("town", "village", "group", "household_no")}, relation="其他亲属")
    guest = dict(next(row for row in later[7] if row["relation"] != "户主"))
    later[7] = [row for row in later[7] if row["id_number"] != guest["id_number"]]
    guest.update({key: later[25][0][key] for key in ("town", "village", "group", "household_no")}, relation="其他亲属")
    child = {**later[8][0], "name": "新生儿", "relation": "子", "id_number": "", "sex": "女",
             "birth_date": "2025-02-03", "phone": "", "marks": "", "address": "",
             "household_income": "", "income_year": ""}  # fmt: skip
    for home, one in ((6, mover), (25, guest), (8, child)):
        later[home].append({**one, "address": "", "household_income": "", "income_year": ""})
    return first, [row for home in later for row in home]


def test_what_an_import_made_and_changed_is_as_before(hanyin: County, rows: list[Row]) -> None:
    nothing = register(hanyin)
    first, second = mixed(rows)
    one = written(hanyin, first)
    assert changes(hanyin) == 0
    before = register(hanyin)
    with hanyin.uow() as uow:
        versions = dict(uow.session.execute(select(Person.id, Person.version)).all())
    two = written(hanyin, second)
    assert two.counts["written"]["households_new"] == 10
    assert two.counts["written"]["persons_changed"] >= 4
    assert two.counts["written"]["groups_new"] >= 2
    assert register(hanyin) != before
    with hanyin.uow() as uow:
        outlook = undoing.outlook(uow, batch_of(hanyin, two.id))
    assert outlook.possible
    assert outlook.counts["households"] == 10
    assert outlook.counts["persons_back"] >= 4
    undone = undo(hanyin, two)
    assert (undone.state, job_of(hanyin, two.id).state) == ("undone", "succeeded"), job_of(hanyin, two.id).error
    assert register(hanyin) == before
    assert undone.counts["undone"] == outlook.counts
    with hanyin.uow() as uow:
        later = dict(uow.session.execute(select(Person.id, Person.version)).all())
        assert sum(later[id] == version + 2 for id, version in versions.items()) >= 4, "a form open on it must notice"
        renamed = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "person.import_undo", AuditEntry.before.has_key("name"))
        ).one()
        assert (renamed.before["name"], renamed.after["name"]) == ("吴新名", first[_at(first, 2)]["name"])
        phone = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "person.import_undo", AuditEntry.before.has_key("phone"))
        ).first()
        assert phone is not None
        assert phone.before["phone"] == "•••"
        assert not any("index" in key or "tail" in key for key in phone.before)
    assert built(hanyin, one) == []
    assert undo(hanyin, batch_of(hanyin, one.id)).state == "undone"
    assert register(hanyin) == nothing


def _at(rows: list[Row], home: int) -> int:
    return rows.index(families(rows)[home][0])


def test_the_same_file_twice_leaves_nothing_to_undo(hanyin: County, rows: list[Row]) -> None:
    written(hanyin, rows)
    before = register(hanyin)
    again = written(hanyin, rows)
    assert register(hanyin) == before
    assert changes(hanyin) == 0
    assert undo(hanyin, again).state == "undone"
    assert register(hanyin) == before


def test_what_was_built_on_it_is_listed_and_nothing_is_undone(hanyin: County, rows: list[Row]) -> None:
    first, second = mixed(rows)
    one = written(hanyin, first)
    two = written(hanyin, second)
    made = families(rows)[22][0]
    with hanyin.uow() as uow:
        keys = hanyin.runtime.tenant_keys(uow)
        person = uow.session.scalars(select(Person).where(Person.name == made["name"])).first()
        assert person is not None
        service_records.add_mark(uow, person_id=person.id, key="veteran")
        home = uow.session.scalars(select(Household).where(Household.address == "新址一号")).one()
        households.edit_household(uow, household_id=home.id, version=home.version, changes={"note": "后记"})
        new = uow.session.scalars(select(Household).where(Household.id == person.household_id)).one()
        service_persons.add_person(
            uow, keys=keys, household_id=new.id, values={"name": "后来人", "relation": "20", "sex": 1},
        )  # fmt: skip
        service_records.set_income(uow, household_id=new.id, year=2023, amount=5)
        names = person.name, home.head_name, new.head_name
    before = register(hanyin)
    found = built(hanyin, two)
    assert {(what, label) for what, _entity, label in found} == {
        ("mark", names[0]), ("edited", names[1]), ("joined", "后来人"), ("income", names[2]),
    }  # fmt: skip
    assert [one[0] for one in built(hanyin, two, what="mark")] == ["mark"]
    with hanyin.uow() as uow:
        outlook = undoing.outlook(uow, batch_of(hanyin, two.id))
        assert outlook.built == {"edited": 1, "joined": 1, "mark": 1, "income": 1}
        assert len(list(undoing.each_built_on(uow, batch_of(hanyin, two.id)))) == 4
    with hanyin.uow() as uow, pytest.raises(Conflict, match="4"):
        undoing.request_undo(uow, batch_id=two.id, version=two.version)
    assert register(hanyin) == before
    # Of the first import too: the second changed some of what it made.
    assert {what for what, _entity, _label in built(hanyin, one)} == {"imported", "joined", "mark", "income"}
    assert [what for what, _entity, label in built(hanyin, one) if label == "吴新名"] == ["imported"]


def test_what_is_built_between_the_question_and_the_work_stops_the_work(hanyin: County, rows: list[Row]) -> None:
    batch = written(hanyin, rows[:8])
    with hanyin.uow() as uow, pytest.raises(Stale):
        undoing.request_undo(uow, batch_id=batch.id, version=batch.version + 1)
    with hanyin.uow() as uow:
        undoing.request_undo(uow, batch_id=batch.id, version=batch.version)
    with hanyin.uow() as uow, pytest.raises(Conflict):
        undoing.request_undo(uow, batch_id=batch.id, version=batch.version + 1)
    with hanyin.uow() as uow:
        person = uow.session.scalars(select(Person).where(Person.relation == "02")).first()
        assert person is not None
        service_records.add_mark(uow, person_id=person.id, key="veteran")
    before = register(hanyin)
    stopped = work(hanyin, batch.id)
    job = job_of(hanyin, batch.id)
    assert (stopped.state, job.state) == ("committed", "failed")
    assert "1" in job.error
    assert register(hanyin) == before
    with hanyin.uow() as uow:
        mark = uow.session.scalars(select(PersonMark).where(PersonMark.mark_key == "veteran")).one()
        uow.session.delete(mark)
    assert undo(hanyin, stopped).state == "undone"


def test_the_planner_is_not_told_of_an_empty_register(hanyin: County, rows: list[Row]) -> None:
    """Noted as empty with its pages still there, any index would do, and the next import's foreign keys read it all."""

    def noted() -> float:
        with hanyin.uow() as uow:
            return estimated_rows(uow.session, "person")

    batch = written(hanyin, rows)
    before = noted()
    assert before > 0
    assert undo(hanyin, batch).state == "undone"
    assert noted() == before


def test_a_second_run_of_the_undo_finds_it_done(hanyin: County, rows: list[Row]) -> None:
    batch = written(hanyin, rows[:4])
    assert undo(hanyin, batch).state == "undone"
    job = job_of(hanyin, batch.id)
    assert run_with(hanyin.runtime, hanyin.info.id, job.id) is None
    with hanyin.uow() as uow, pytest.raises(Conflict):
        undoing.outlook(uow, batch_of(hanyin, batch.id))


@contextmanager
def still_open(county: County, batch: int) -> Iterator[None]:
    """Its last work has done all there is to see, and is not at its end, or was killed before."""
    with county.uow() as uow:
        job = uow.get(Job, uow.get(ImportBatch, batch).job_id)
        job.state, job.unique_key, job.finished_at = "running", f"{COMMIT_KIND}:{batch}", None
    yield
    with county.uow() as uow:
        job = uow.get(Job, job.id)
        job.state, job.unique_key, job.finished_at = "succeeded", None, datetime.now(UTC)


def test_an_undo_waits_until_the_writing_is_at_its_end(hanyin: County, rows: list[Row]) -> None:
    """It was taken for the writing's own job, which never undoes anything: for ever under way, or, where a worker had
    died before search rows were kept, never found."""
    batch = written(hanyin, rows[:4])
    with still_open(hanyin, batch.id), pytest.raises(Conflict, match="还在收尾"), hanyin.uow() as uow:
        undoing.request_undo(uow, batch_id=batch.id, version=batch.version)
    assert batch_of(hanyin, batch.id).state == "committed"
    assert undo(hanyin, batch).state == "undone"


def test_a_town_undoes_what_lies_in_it(hanyin: County, rows: list[Row]) -> None:
    area = 610921107000000
    town = actor_of(hanyin, hanyin.account("town", area=area))
    mine = [{**row, "marks": ""} for row in rows if row["town"] == "漩涡镇"]
    assert mine
    nothing = register(hanyin)
    batch = commit(hanyin, checked(hanyin, book(mine), town), town)
    assert undo(hanyin, batch, town).state == "undone"
    assert register(hanyin) == nothing
