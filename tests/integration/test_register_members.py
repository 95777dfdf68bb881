"""Memberships are written by every way in which a person is recorded or changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from xiangyue.config import Settings
from xiangyue.db.migrate import _config, upgrade
from xiangyue.features.households import service, service_persons
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.memberships import room_for
from xiangyue.features.households.models import Household, HouseholdMember, NameSuffix, Person
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
BORN, EVER = date(1980, 1, 31), date(1900, 1, 1)


@pytest.fixture(name="county")
def clean(hanyin: County) -> Iterator[County]:
    yield hanyin
    with hanyin.uow() as uow:
        for model in (NameSuffix, Person, Household):
            uow.session.execute(delete(model))


def person(name: str, **more: Any) -> Any:
    return {"name": name, "relation": "02", "birth_date": BORN, **more}


def row(number: int, *persons: Any, area: int = VILLAGE + 3) -> HouseholdRow:
    return HouseholdRow(area, f"610921100200{number:04}", "三组", persons, row_no=number)


def run(county: County, *rows: HouseholdRow) -> Any:
    with county.uow() as uow:
        return upsert_households(uow, county.runtime.tenant_keys(uow), rows)


Line = tuple[str, str, str, str, date, date | None]


def lines(county: County, name: str = "") -> list[Line]:
    """(person, end of the household's code, bases, relation, from, to) in order."""
    with county.uow() as uow:
        found = uow.session.execute(
            select(HouseholdMember, Person.name, Household.code)
            .join(Person, Person.id == HouseholdMember.person_id)
            .join(Household, Household.id == HouseholdMember.household_id)
            .order_by(Person.name, HouseholdMember.valid_from, HouseholdMember.id)
        )
        return [
            (who, code[-2:], "r" * k.registered + "l" * k.living, k.relation, k.valid_from, k.valid_to)
            for k, who, code in found
            if not name or who == name
        ]


def counts(county: County) -> list[tuple[str, int, int, int]]:
    """(end of the code, present, registered, living) by household."""
    with county.uow() as uow:
        rows = uow.session.scalars(select(Household).order_by(Household.code))
        return [(h.code[-2:], h.person_count, h.registered_count, h.living_count) for h in rows]


def began(county: County, days: int) -> None:
    """Let memberships have begun so many days ago at the latest."""
    with county.uow() as uow:
        uow.session.execute(update(HouseholdMember).values(valid_from=today() - timedelta(days)))


FAMILY = (person("王德福"), person("陈桂兰", relation="12", away=True, birth_date=None))


def test_an_import_registers_everybody_and_those_away_live_nowhere(county: County) -> None:
    run(county, row(1, *FAMILY))
    expected = [("王德福", "01", "rl", "02", BORN, None), ("陈桂兰", "01", "r", "12", EVER, None)]
    assert sorted(lines(county)) == sorted(expected)
    assert counts(county) == [("01", 2, 2, 1)]
    assert run(county, row(1, *FAMILY)).persons_changed == 0
    assert sorted(lines(county)) == sorted(expected)


def test_a_later_import_moves_takes_away_and_brings_back_from_today(county: County) -> None:
    run(county, row(1, *FAMILY), row(2, person("吴木子")))
    began(county, 10)
    day, now = today() - timedelta(10), today()
    run(
        county,
        row(1, person("王德福", away=True)),
        row(2, person("陈桂兰", relation="28", birth_date=None, away=False)),
    )
    # She has no citizen number, so another household's roster does not know her again: it is another person.
    assert lines(county, "王德福") == [
        ("王德福", "01", "rl", "02", day, now), ("王德福", "01", "r", "02", now, None)
    ]  # fmt: skip
    assert counts(county)[0] == ("01", 2, 2, 0)
    run(county, row(1, person("王德福", away=False), person("陈桂兰", relation="10", birth_date=None, away=False)))
    assert lines(county, "王德福")[-1] == ("王德福", "01", "rl", "02", now, None)
    assert len(lines(county, "王德福")) == 2
    assert ("陈桂兰", "01", "rl", "10", now, None) in lines(county, "陈桂兰")
    assert counts(county)[0] == ("01", 2, 2, 2)


def test_a_person_who_moves_by_an_import_is_in_one_household_a_day(county: County) -> None:
    known = person("王强", relation="20", id_number="610921198001310011")
    run(county, row(1, *FAMILY, known), row(2, person("吴木子")))
    began(county, 10)
    run(county, row(2, person("吴木子"), {**known, "relation": "99", "away": True}))
    day, now = today() - timedelta(10), today()
    assert lines(county, "王强") == [("王强", "01", "rl", "20", day, now), ("王强", "02", "r", "99", now, None)]
    run(county, row(1, *FAMILY, known))
    assert lines(county, "王强") == [("王强", "01", "rl", "20", day, now), ("王强", "01", "r", "20", now, None)]
    assert counts(county) == [("01", 3, 3, 1), ("02", 1, 1, 1)]


def test_who_is_registered_elsewhere_stays_living_here_whatever_a_roster_says_of_being_away(county: County) -> None:
    guest = person("张某", relation="51", id_number="610921198001310011")
    run(county, row(1, *FAMILY, guest), row(2, person("吴木子")))
    with county.uow() as uow:
        home = uow.session.scalars(select(Household.id).where(Household.code.endswith("02"))).one()
        who = uow.session.scalars(select(Person.id).where(Person.name == "张某")).one()
        uow.session.execute(update(HouseholdMember).where(HouseholdMember.person_id == who).values(living=False))
        several = room_for(uow, uow.get(Person, who), 1)
        uow.session.add(
            HouseholdMember(
                person_id=who, household_id=home, area_code=VILLAGE + 3, registered=False, living=True,
                several=several, valid_from=BORN,
            )
        )  # fmt: skip
        uow.session.execute(update(Person).where(Person.id == who).values(household_id=home, relation=""))
    before = lines(county, "张某")
    found = run(county, row(2, person("吴木子"), {**guest, "relation": "", "away": True}))
    assert (found.persons_changed, lines(county, "张某")) == (0, before)


def test_the_forms_write_memberships(county: County) -> None:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        first = service.register_household(uow, keys=keys, area_code=VILLAGE, head=person("王德福"))
        second = service.register_household(uow, keys=keys, area_code=VILLAGE, head=person("吴木子"))
        wife = service_persons.add_person(
            uow, keys=keys, household_id=first.id, values=person("陈桂兰", relation="12", away=True)
        )
        other, who = second.id, wife.id
    assert counts(county) == [("01", 2, 2, 1), ("02", 1, 1, 1)]
    began(county, 10)
    day, now = today() - timedelta(10), today()

    def change(version: int, **changes: Any) -> None:
        with county.uow() as uow:
            keys = county.runtime.tenant_keys(uow)
            service_persons.edit_person(uow, keys=keys, person_id=who, version=version, changes=changes)

    change(1, relation="10")
    assert lines(county, "陈桂兰") == [("陈桂兰", "01", "r", "10", day, None)]
    change(2, away=False)
    change(3, household_id=other, relation="99")
    assert lines(county, "陈桂兰") == [("陈桂兰", "01", "r", "10", day, now), ("陈桂兰", "02", "rl", "99", now, None)]
    assert counts(county) == [("01", 1, 1, 1), ("02", 2, 2, 2)]
    with county.uow() as uow:
        service_persons.person_left(uow, person_id=who, version=4, state="moved", on=now)
    assert lines(county, "陈桂兰") == [("陈桂兰", "01", "r", "10", day, now)]
    with county.uow() as uow:
        service_persons.person_back(uow, person_id=who, version=5, reason="登记错误")
    assert lines(county, "陈桂兰")[-1] == ("陈桂兰", "02", "rl", "99", now, None)
    with county.uow() as uow:
        service.close_household(uow, household_id=other, version=1, on=now, reason="搬走")
    assert [line[-1] for line in lines(county, "吴木子")] == [now]
    assert {line[-1] for line in lines(county, "陈桂兰")} == {now}


def test_the_database_itself_refuses_a_second_household_on_a_day(county: County) -> None:
    run(county, row(1, *FAMILY), row(2, person("吴木子")))
    with county.uow() as uow:
        home = uow.session.scalars(select(Household.id).where(Household.code.endswith("02"))).one()
        who = {p.name: p.id for p in uow.session.scalars(select(Person))}

    def add(name: str, registered: bool, living: bool, several: bool, since: date = BORN) -> None:
        with county.uow() as uow:
            uow.session.add(
                HouseholdMember(
                    person_id=who[name], household_id=home, area_code=VILLAGE, registered=registered, living=living,
                    several=several, valid_from=since,
                )
            )  # fmt: skip

    everything = [(registered, living) for registered in (True, False) for living in (True, False)]
    # While a person may have one membership only, no second one fits, whatever it says and whenever it begins.
    for name in ("王德福", "陈桂兰"):
        for base in everything:
            for several in (True, False):
                with pytest.raises(IntegrityError):
                    add(name, *base, several, today() + timedelta(1))
    with county.uow() as uow:
        for name in ("王德福", "陈桂兰"):
            assert room_for(uow, uow.get(Person, who[name]), 1)
    # He is registered and lives in his household, she is only registered there.
    fits = {"王德福": [], "陈桂兰": [(False, True)]}
    for name in ("王德福", "陈桂兰"):
        for base in everything:
            with pytest.raises(IntegrityError):
                add(name, *base, False)
            if base not in fits[name]:
                with pytest.raises(IntegrityError):
                    add(name, *base, True)
    add("陈桂兰", False, True, True)
    # And the person cannot be said to have one only while there are two, nor one row of them.
    for model, column in ((Person, Person.id), (HouseholdMember, HouseholdMember.person_id)):
        with pytest.raises(IntegrityError), county.uow() as uow:
            uow.session.execute(update(model).where(column == who["陈桂兰"]).values(several=False))


def test_who_never_moved_is_held_by_the_unique_index_and_who_did_by_the_exclusion(county: County) -> None:
    known = person("王强", relation="20", id_number="610921198001310011")
    run(county, row(1, *FAMILY, known), row(2, person("吴木子")))
    began(county, 10)
    run(county, row(2, person("吴木子"), {**known, "relation": "99"}))
    with county.uow() as uow:
        people = {p.id: (p.name, p.several) for p in uow.session.scalars(select(Person))}
        members = [(people[m.person_id], m.several) for m in uow.session.scalars(select(HouseholdMember))]
    assert {name for name, several in people.values() if several} == {"王强"}
    assert all(several == of_row for (_name, several), of_row in members)


def test_the_migration_makes_members_of_those_who_stand_already(pg_server: Any, provisioned: Settings) -> None:
    from alembic import command

    owner_url, _ = pg_server.create_database("before_the_register")
    command.upgrade(_config(owner_url, provisioned.migrations_dir), "0009")
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO household (tenant_id, id, area_code, code, person_count) VALUES (7, 1, 5, 'a', 2)"
        )
        for id, away, state, born, left in (
            (1, False, "active", BORN, None),
            (2, True, "active", None, None),
            (3, False, "deceased", BORN, date(2020, 5, 1)),
            (4, False, "moved", BORN, BORN),
        ):
            connection.execute(
                "INSERT INTO person (tenant_id, id, area_code, household_id, name, away, state, birth_date, left_on)"
                " VALUES (7, %s, 5, 1, 'x', %s, %s, %s, %s)",
                [id, away, state, born, left],
            )
    upgrade(owner_url, provisioned.migrations_dir)
    with psycopg.connect(owner_url) as connection:
        members = connection.execute(
            "SELECT person_id, area_code, registered, living, valid_from, valid_to FROM household_member ORDER BY 1"
        ).fetchall()
        sizes = connection.execute("SELECT registered_count, living_count FROM household").fetchone()
    assert members == [
        (1, 5, True, True, BORN, None), (2, 5, True, False, EVER, None), (3, 5, True, True, BORN, date(2020, 5, 1))
    ]  # fmt: skip
    assert sizes == (2, 1)
