"""Two walls between counties: each holds alone, in every form a statement can take; with both gone it leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, literal, select, union_all, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import aliased

from xiangyue.db.scope import Scope
from xiangyue.db.sql import UnscopedSql, scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.walls import without_rls, without_scope

IDS = (1, 2, 3)


@pytest.fixture(scope="module", autouse=True)
def twins(hanyin: County, tongyu: County) -> None:
    """Households 1, 2, 3 in both counties, with the same ids and other words."""
    for county, word in ((hanyin, "own"), (tongyu, "foreign")):
        with county.uow() as uow:
            for number in IDS:
                area = county.info.area_code + 100_201_000
                uow.session.add(Household(id=number, area_code=area, code=f"{word}{number}", head_name=word, note=word))
            uow.session.flush()
            for number in IDS:
                uow.session.add(Person(id=number, area_code=area, household_id=number, name=word))
        assert county.info.id


def read_entities(uow: Uow) -> set[str]:
    return {household.note for household in uow.session.scalars(select(Household))}


def read_columns(uow: Uow) -> set[str]:
    return set(uow.session.scalars(select(Household.note)))


def read_count(uow: Uow) -> set[str]:
    n = uow.session.scalar(select(func.count()).select_from(Household))
    return {"own"} if n == len(IDS) else {"own", "foreign"}


def read_subquery(uow: Uow) -> set[str]:
    inner = select(Household.note).subquery()
    return set(uow.session.scalars(select(inner.c.note)))


def read_cte(uow: Uow) -> set[str]:
    cte = select(Household.note).cte()
    return set(uow.session.scalars(select(cte.c.note)))


def read_alias(uow: Uow) -> set[str]:
    other = aliased(Household)
    return set(uow.session.scalars(select(other.note)))


def read_join(uow: Uow) -> set[str]:
    statement = select(Household.note, Person.name).join(Person, Person.household_id == Household.id)
    return {word for row in uow.session.execute(statement) for word in row}


def read_union(uow: Uow) -> set[str]:
    return set(uow.session.scalars(union_all(select(Household.note), select(Person.name))))


def read_exists(uow: Uow) -> set[str]:
    found = uow.session.scalar(select(literal(1)).where(exists().where(Household.note == "foreign")))
    return {"foreign"} if found else {"own"}


def read_json(uow: Uow) -> set[str]:
    return set(uow.session.scalar(select(func.json_agg(Household.note))) or [])


def read_by_id(uow: Uow) -> set[str]:
    return {household.note for household in uow.session.scalars(select(Household).where(Household.id == 1))}


def read_scoped_sql(uow: Uow) -> set[str]:
    return set(scoped_sql(uow.session, "SELECT h.note FROM household h WHERE {scope:h}").scalars())


def read_scoped_rows(uow: Uow) -> set[str]:
    return {row[0] for row in scoped_rows(uow.session, "SELECT h.note FROM household h WHERE {tenant:h}")}


READS: list[Callable[[Uow], set[str]]] = [
    read_entities,
    read_columns,
    read_count,
    read_subquery,
    read_cte,
    read_alias,
    read_join,
    read_union,
    read_exists,
    read_json,
    read_by_id,
    read_scoped_sql,
    read_scoped_rows,
]


@pytest.fixture(params=["both walls", "no row-level security", "no scope"])
def standing(request: pytest.FixtureRequest, runtime: Runtime) -> Iterator[Runtime]:
    """A runtime with both walls, and with each taken away in turn."""
    with ExitStack() as stack:
        if request.param == "no scope":
            stack.enter_context(without_scope())
        yield stack.enter_context(without_rls(runtime)) if request.param == "no row-level security" else runtime


@pytest.mark.parametrize("read", READS)
def test_no_read_sees_the_other_county(standing: Runtime, hanyin: County, read: Callable[[Uow], set[str]]) -> None:
    with standing.uow(hanyin.info.id) as uow:
        assert read(uow) == {"own"}


@pytest.mark.parametrize("read", READS)
def test_with_both_walls_gone_every_read_leaks(
    runtime: Runtime, hanyin: County, read: Callable[[Uow], set[str]]
) -> None:
    """If this fails, the tests above prove nothing."""
    with without_rls(runtime) as bare, without_scope(), bare.uow(hanyin.info.id) as uow:
        assert "foreign" in read(uow)


def test_no_write_reaches_the_other_county(standing: Runtime, hanyin: County, tongyu: County) -> None:
    with standing.uow(hanyin.info.id) as uow:
        uow.session.execute(update(Household).values(address="changed"))
        uow.session.execute(delete(Person).where(Person.id == 3))
        uow.session.flush()
        with tongyu.uow() as other:
            assert set(other.session.scalars(select(Household.address))) == {""}
            assert other.session.scalar(select(func.count()).select_from(Person)) == len(IDS)
        uow.rollback()


def test_a_row_of_the_other_county_is_not_written(hanyin: County, tongyu: County) -> None:
    foreign = Household(tenant_id=tongyu.info.id, area_code=hanyin.info.area_code, code="x")
    with pytest.raises(NotFound), hanyin.uow() as uow:
        uow.session.add(foreign)
    with pytest.raises(ProgrammingError, match="row-level security"), hanyin.uow() as uow:
        uow.session.execute(
            Household.metadata.tables["household"].insert().values(tenant_id=tongyu.info.id, area_code=1, code="x")
        )


def test_sql_without_a_scope_is_refused(hanyin: County) -> None:
    with hanyin.uow() as uow, pytest.raises(UnscopedSql):
        scoped_sql(uow.session, "SELECT note FROM household")


def area(county: County, town: int) -> int:
    return county.info.area_code + town * 1_000_000


def test_an_actor_of_one_town_reads_and_writes_there_only(hanyin: County) -> None:
    town, other_town = area(hanyin, 101), area(hanyin, 102)
    with hanyin.uow() as uow:
        uow.session.add(Household(id=11, area_code=town + 201_000, code="t11", note="mine"))
        uow.session.add(Household(id=12, area_code=other_town + 201_000, code="t12", note="theirs"))
    actor = hanyin.actor(HOUSEHOLD_VIEW, area=town)
    scope = actor.scope(HOUSEHOLD_VIEW)
    with hanyin.runtime.uow(hanyin.info.id, actor=actor, scope=scope) as uow:
        assert set(uow.session.scalars(select(Household.note))) == {"mine"}
        assert uow.get(Household, 11).note == "mine"
        with pytest.raises(NotFound):
            uow.get(Household, 12)
        uow.session.execute(update(Household).values(address="touched"))
    with hanyin.uow() as uow:
        touched = set(uow.session.scalars(select(Household.id).where(Household.address == "touched")))
        assert touched == {11}
    with pytest.raises(NotFound), hanyin.runtime.uow(hanyin.info.id, actor=actor, scope=scope) as uow:
        uow.session.add(Household(area_code=other_town + 201_000, code="t13"))


@pytest.mark.parametrize(
    ("ranges", "seen"),
    [
        (None, {11, 12}),
        ((), set()),
        ("one", {11}),
        ("two", {11, 12}),
    ],
)
def test_any_number_of_areas(hanyin: County, ranges: Any, seen: set[int]) -> None:
    first, second = area(hanyin, 101), area(hanyin, 102)
    spans = {"one": ((first, first + 999_999),), "two": ((first, first + 999_999), (second, second + 999_999))}
    scope = Scope(hanyin.info.id, spans.get(ranges, ranges) if isinstance(ranges, str) else ranges)
    with hanyin.runtime.uow(hanyin.info.id, scope=scope) as uow:
        wanted = Household.id.in_([11, 12])
        assert set(uow.session.scalars(select(Household.id).where(wanted))) == seen
        rows = scoped_rows(uow.session, "SELECT h.id FROM household h WHERE {scope:h} AND h.id IN (11, 12)")
        assert {row[0] for row in rows} == seen
