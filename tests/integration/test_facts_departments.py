"""Who answers for a fact is weighed: its department overwrites what others set, others wait; so of own fields and
households. What two imports offered belongs to the first again when the second is undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from households_kit import ID_NUMBER, VILLAGE, filled_county, id_of, text
from imports_kit import Row, checked, commit, empty, rows_of, synthetic, undo, workbook
from sqlalchemy import delete, select, update

from xiangyue.features.facts import queries, service
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.custom import values_of
from xiangyue.features.households.models import Household, HouseholdIncome, Person
from xiangyue.features.households.models_facts import FactConflict, FactDepartment, FactOrigin
from xiangyue.features.households.service import edit_household
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.households.service_records import set_custom_values, set_income
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import CLEAR_KIND, KEEP_CHANGES_DAYS
from xiangyue.jobs.service import enqueue_job
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]
HAND = "手改名"


@pytest.fixture(scope="module")
def rows(hanyin: County, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return rows_of(synthetic(hanyin, tmp_path_factory.mktemp("rosters"), 3))


def forget(county: County) -> None:
    with county.uow() as uow:
        for model in (FactConflict, FactOrigin, FactDepartment):
            uow.session.execute(delete(model))


@pytest.fixture
def filled(hanyin: County, rows: list[Row]) -> Iterator[County]:
    empty(hanyin)
    bring(hanyin, rows)
    yield hanyin
    empty(hanyin)
    forget(hanyin)


def bring(county: County, rows: list[Row], **said: str) -> ImportBatch:
    done = commit(county, checked(county, workbook(rows), **said))
    assert done.state == "committed"
    return done


def named(rows: list[Row], name: str, **others: Any) -> list[Row]:
    """The roster with another name of its first person."""
    return [{**rows[0], "name": name, **others}, *rows[1:]]


def first(county: County, rows: list[Row]) -> Person:
    """Whom the first row is about: found by what no test changes."""
    with county.uow() as uow:
        code = f"%{rows[0]['household_no']}"
        statement = select(Person).join(Household, Household.id == Person.household_id)
        return uow.session.scalars(
            statement.where(Person.relation == "02", Household.code.like(code)).order_by(Person.id)
        ).first()  # type: ignore[return-value]


def rename(county: County, rows: list[Row], name: str) -> None:
    person = first(county, rows)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        changes = {"name": name}
        edit_person(uow, keys=keys, person_id=person.id, version=person.version, changes=changes, allow_synthetic=True)


def waiting(county: County) -> list[dict[str, Any]]:
    with county.uow() as uow:
        return queries.list_facts(uow, county.runtime.tenant_keys(uow), queries.FactFilter()).items


def test_a_value_of_two_imports_survives_the_undo_of_the_second(filled: County, rows: list[Row]) -> None:
    rename(filled, rows, HAND)
    one = bring(filled, rows, source="甲")
    two = bring(filled, rows, source="乙")
    three = bring(filled, rows, source="丙")
    assert [(row["batch_id"], row["source"]) for row in waiting(filled)] == [(three.id, "丙")]
    undo(filled, two)
    undo(filled, three)
    assert [(row["batch_id"], row["source"]) for row in waiting(filled)] == [(one.id, "甲")]
    undo(filled, one)
    assert waiting(filled) == []


def test_the_department_that_answers_overwrites_and_others_wait(filled: County, rows: list[Row]) -> None:
    rename(filled, rows, HAND)
    # The police answer for the name, not for the phone; the village does not answer for the name.
    bring(filled, named(rows, "村填名"), department="village")
    assert first(filled, rows).name == HAND
    police = bring(filled, named(rows, "公安名"), department="police")
    assert first(filled, rows).name == "公安名"
    bring(filled, named(rows, "旧册名"))
    assert first(filled, rows).name == "公安名"
    found = {row["value"]: row for row in waiting(filled)}
    assert (found["村填名"]["department"], found["旧册名"]["department"]) == ("village", "")
    assert {(row["owner"], row["origin_department"], row["ours"]) for row in found.values()} == {
        ("police", "police", "公安名")
    }
    bring(filled, named(rows, "新公安名"), department="police")
    assert first(filled, rows).name == "新公安名"
    assert police.department == "police"


def test_what_an_undone_import_said_for_a_department_binds_nobody(filled: County, rows: list[Row]) -> None:
    undo(filled, bring(filled, named(rows, "公安名"), department="police"))
    bring(filled, named(rows, "旧册名"))
    assert first(filled, rows).name == "旧册名"
    assert waiting(filled) == []


def test_after_a_year_the_last_word_of_a_department_is_kept(filled: County, rows: list[Row]) -> None:
    batches = [bring(filled, named(rows, f"公安{n}"), department="police").id for n in "甲乙丙"]
    year = datetime.now(UTC) - timedelta(days=KEEP_CHANGES_DAYS + 1)

    def noted() -> list[int]:
        statement = select(FactDepartment.batch_id).where(FactDepartment.entity == "person")
        with filled.uow() as uow:
            mine = statement.where(FactDepartment.owner_id == first(filled, rows).id)
            return list(uow.session.scalars(mine.order_by(FactDepartment.id)))

    def clear() -> None:
        with filled.uow() as uow:
            enqueue_job(uow, kind=CLEAR_KIND, params={})
        filled.run_jobs()

    clear()
    assert noted() == batches, "an undo of the last must leave what was said before"
    with filled.uow() as uow:
        old = update(FactDepartment).where(FactDepartment.batch_id.in_(batches[:2]))
        uow.session.execute(old.values(at=year))
    clear()
    assert noted() == batches[1:]
    bring(filled, named(rows, "旧册名"))
    assert first(filled, rows).name == "公安丙"


def test_a_department_speaks_only_for_what_it_answers_for(filled: County, rows: list[Row]) -> None:
    bring(filled, rows, department="village")
    bring(filled, named(rows, "旧册名"))
    assert first(filled, rows).name == "旧册名"


@pytest.fixture
def own(county: County) -> Iterator[County]:
    yield county
    forget(county)


def offered(county: County, **changes: Any) -> None:
    head = {"name": "王德福", "relation": "02", "id_number": ID_NUMBER}
    values = {"address": "旧地址", "income": (2024, 1), "custom": {"housing": "rented"}, **changes}
    row = HouseholdRow(VILLAGE + 3, "6109211002000001", persons=[head], **values)
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), [row], source="旧册")


def home(county: County) -> tuple[str, int, Any]:
    with county.uow() as uow:
        household = uow.get(Household, id_of(county, Household, code="6109211002000001"))
        (income,) = uow.session.scalars(select(HouseholdIncome.amount).where(HouseholdIncome.year == 2024))
        (value,) = [v.value for v in values_of(uow, "household", [household])[household.id] if v.field.key == "housing"]
        return household.address, income, value


def by_hand(county: County) -> None:
    id = id_of(county, Household, code="6109211002000001")
    with county.uow() as uow:
        version = uow.get(Household, id).version
        version = edit_household(uow, household_id=id, version=version, changes={"address": "新地址"}).version
        set_custom_values(uow, entity="household", owner_id=id, values={"housing": "bought"}, version=version)
        set_income(uow, household_id=id, year=2024, amount=40000)


def test_households_and_own_fields_are_protected_like_persons(own: County) -> None:
    offered(own)
    assert home(own) == ("旧地址", 1, "rented")
    by_hand(own)
    offered(own)
    assert home(own) == ("新地址", 40000, "bought")
    found = {row["field"]: (row["ours"], row["value"], row["owner"]) for row in waiting(own)}
    assert found["household.address"] == ("新地址", "旧地址", "police")
    assert found["household.income.2024"] == ("40000", "1", "agriculture")
    assert found["custom.household.housing"][2] == ""
    with own.uow() as uow:
        keys = own.runtime.tenant_keys(uow)
        for field in ("household.address", "household.income", "custom.household.housing"):
            assert queries.count_facts(uow, queries.FactFilter(field=field)) == 1
        ids = queries.ids_of(uow, queries.FactFilter(), 10)
        assert service.decide_facts(uow, keys=keys, ids=ids, way="take") == (3, [])
    assert home(own) == ("旧地址", 1, "rented")
    offered(own, address="又一址", income=None, custom={})
    assert home(own)[0] == "旧地址"


def test_the_page_says_who_answers(own: County) -> None:
    by_hand(own)
    offered(own)
    admin = own.client("county_admin", locale="en")
    page = text(admin, "/facts?area=all")
    assert "Public security (police)" in page
    assert "Income of 2024" in page
    assert english_page_faults(page) == []
    assert "新地址" in text(admin, "/facts?area=all&field=household.address")
    assert "No value matches" in text(admin, "/facts?area=all&field=phone")
    answer = own.client().get(
        "/api/v1/facts?field=custom.household.housing", headers=own.bearer(own.account("county_admin"))
    )
    (item,) = answer.json["items"]
    assert (item["entity"], item["person_id"], item["field"]) == ("household", None, "custom.household.housing")
