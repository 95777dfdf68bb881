"""The search finds by any part of two characters and by the last four, best first, and only what one may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import psycopg
import pytest
from households_kit import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE
from sqlalchemy import delete, select, update

from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, HouseholdPiece, NameSuffix, Person, PieceSuffix
from xiangyue.features.households.policy import HOUSEHOLD_VIEW, IDENTIFIER_REVEAL
from xiangyue.features.households.queries_search import search
from xiangyue.features.households.service import edit_household, register_household
from xiangyue.features.households.service_persons import edit_person
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.testing.fixtures import County

TABLES = (HouseholdPiece, PieceSuffix, NameSuffix, Person, Household)
#: 15-digit area, name of the head, address, citizen number, phone.
PEOPLE = (
    (VILLAGE, "王德福", "城关镇东南村三组12号", "610921198001311123", "15400002091"),
    (VILLAGE, "德福", "城关镇东南村三组112号", "610921197203044567", ""),
    (OTHER_VILLAGE, "李德福", "涧池镇花果村一组12号附1", "", "0915-5212091"),
    (OTHER_VILLAGE, "陈德", "涧池镇花果村 Ａ栋3层", "61092119600203112X", "15400001123"),
)


def fill(county: County, people: tuple[tuple[Any, ...], ...] = PEOPLE) -> None:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        for area, name, address, id_number, phone in people:
            head = {"name": name, "id_number": id_number, "phone": phone}
            register_household(uow, keys=keys, area_code=area, head=head, address=address, allow_synthetic=True)


def empty(county: County) -> None:
    with county.uow() as uow:
        for model in TABLES:
            uow.session.execute(delete(model))


@pytest.fixture(name="county")
def filled_county(hanyin: County) -> Iterator[County]:
    fill(hanyin)
    yield hanyin
    empty(hanyin)


def found(county: County, q: str, *, near: int = 0, actor: Any = None) -> tuple[list[str], list[str]]:
    """Names of persons and heads of households that were found, in order."""
    with county.uow(actor) as uow:
        scope = uow.actor.scope(HOUSEHOLD_VIEW) if actor is not None else uow.scope
        with uow.scoped(scope):
            result = search(uow, q, keys=county.runtime.tenant_keys(uow), near=near)
    return [p["name"] for p in result.persons], [h["head_name"] for h in result.households]


def persons(county: County, q: str, **more: Any) -> list[str]:
    return found(county, q, **more)[0]


def households(county: County, q: str, **more: Any) -> list[str]:
    return found(county, q, **more)[1]


def test_the_name_itself_then_its_beginning_then_its_inside(county: County) -> None:
    assert persons(county, "德福") == ["德福", "李德福", "王德福"]
    assert persons(county, "德") == ["德福", "陈德", "李德福", "王德福"]
    assert persons(county, "df") == ["德福", "李德福", "王德福"]
    # Among equals what lies in the area that is looked at comes first.
    assert persons(county, "德福", near=TOWN) == ["德福", "王德福", "李德福"]
    assert persons(county, "德福", near=OTHER_TOWN) == ["德福", "李德福", "王德福"]


def test_of_many_with_one_name_the_lowest_number_comes_first(county: County) -> None:
    fill(county, tuple((VILLAGE, "德福", f"{n}号", "", "") for n in range(8)))
    with county.uow() as uow:
        codes = sorted(h.code for h in uow.session.scalars(select(Household).where(Household.head_name == "德福")))
        result = search(uow, "德福", 3)
        assert [h["code"] for h in result.households] == codes[:3]
        assert len(result.persons) == 3
        # Who has the relation of a head and is not the one by whom the household is called takes nobody's place.
        uow.session.execute(update(Household).where(Household.code.in_(codes[:4])).values(head_name="王德福"))
        assert [h["code"] for h in search(uow, "德福", 3).households] == codes[4:7]


def test_what_is_near_is_found_behind_the_cut(hanyin: County) -> None:
    family = [{"name": "军平", "relation": relation} for relation in ("02", "20", "20")]
    rows = [HouseholdRow(VILLAGE, f"610921100200{n:04}", f"共同巷{n}号", family) for n in range(350)]
    rows.append(HouseholdRow(OTHER_VILLAGE, "6109211012000001", "共同巷1号", family[:1]))
    try:
        with hanyin.uow() as uow:
            upsert_households(uow, hanyin.runtime.tenant_keys(uow), rows, source="2024年花名册")
        for word in ("军平", "共同巷"):
            for near in (0, OTHER_VILLAGE):
                with hanyin.uow() as uow:
                    result = search(uow, word, 3, near=near)
                places = [one["area_code"] for one in (*result.persons[:1], *result.households[:1])]
                assert set(places) == {near or VILLAGE}, (word, near)
    finally:
        empty(hanyin)


@pytest.mark.parametrize(
    ("q", "heads"),
    [
        ("花果", ["陈德", "李德福"]),
        ("果村", ["陈德", "李德福"]),
        ("南村三组12", ["王德福"]),
        ("三组1", ["德福", "王德福"]),
        ("组12号", ["李德福", "王德福"]),
        ("12号", ["李德福", "德福", "王德福"]),
        ("号附1", ["李德福"]),
        ("a栋3", ["陈德"]),
        ("Ａ 栋", ["陈德"]),
        ("村", []),
        ("三组9", []),
        ("%", []),
        ("南_三", []),
    ],
)
def test_any_two_characters_of_an_address(county: County, q: str, heads: list[str]) -> None:
    assert sorted(households(county, q)) == sorted(heads)


def test_an_address_begins_with_the_word_before_it_holds_it(county: County) -> None:
    assert households(county, "城关") == ["德福", "王德福"]
    fill(county, ((OTHER_VILLAGE, "阿里", "旧城关巷3号", "", ""),))
    assert households(county, "城关") == ["德福", "王德福", "阿里"]


def test_any_two_digits_of_a_code_and_the_exact_one_first(county: County) -> None:
    with county.uow() as uow:
        codes = {h.head_name: h.code for h in uow.session.scalars(select(Household))}
    mine = codes["王德福"]
    assert households(county, mine) == ["王德福"]
    assert households(county, mine[:12])[:2] == ["德福", "王德福"]
    for start in range(len(mine) - 1):
        assert "王德福" in households(county, mine[start : start + 2]), mine[start : start + 2]
        assert "王德福" in households(county, mine[start:])
    # By its number in the village, with and without its noughts, before those that only hold the digits.
    assert "王德福" in households(county, mine[12:])[:2]
    assert households(county, mine[8:]) == ["王德福"]


def test_the_last_four_of_a_citizen_number_and_a_phone(county: County) -> None:
    assert persons(county, "2091") == ["李德福", "王德福"]
    assert persons(county, "1123") == ["陈德", "王德福"]
    assert persons(county, "112x") == persons(county, "１１２Ｘ") == ["陈德"]
    assert persons(county, "0000") == []
    with county.uow() as uow:
        for person in uow.session.scalars(select(Person)):
            stored = (person.id_number_tail, person.phone_tail)
            assert all(value is None or len(value) == 8 for value in stored)
            assert b"2091" not in stored


def test_the_end_of_a_citizen_number_needs_the_right_to_look_it_up(county: County) -> None:
    viewer = county.actor(HOUSEHOLD_VIEW)
    assert persons(county, "4567", actor=viewer) == []
    # Of a phone everybody sees the last four anyway.
    assert persons(county, "1123", actor=viewer) == ["陈德"]
    assert persons(county, "4567", actor=county.actor(HOUSEHOLD_VIEW, IDENTIFIER_REVEAL)) == ["德福"]
    there = county.actor(HOUSEHOLD_VIEW, IDENTIFIER_REVEAL, area=OTHER_TOWN)
    both = replace(viewer, grants=(*viewer.grants, *there.grants))
    assert persons(county, "4567", actor=both) == []


def test_only_ones_own_area_and_county(county: County, tongyu: County) -> None:
    here = county.actor(HOUSEHOLD_VIEW, area=VILLAGE)
    assert found(county, "德福", actor=here) == (["德福", "王德福"], ["德福", "王德福"])
    assert sorted(households(county, "12号", actor=here)) == ["德福", "王德福"]
    assert households(county, "花果", actor=here) == []
    assert persons(county, "2091", actor=here) == ["王德福"]
    for q in ("德福", "12号", "2091", "花果", "6109211"):
        assert found(tongyu, q) == ([], []), q


def test_what_changes_is_found_as_it_stands(county: County) -> None:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        home = uow.session.scalars(select(Household).where(Household.head_name == "王德福")).one()
        changes = {"address": "城关镇东南村四组8号", "area_code": OTHER_VILLAGE}
        edit_household(uow, household_id=home.id, version=home.version, changes=changes)
        person = uow.session.scalars(select(Person).where(Person.name == "王德福")).one()
        edit_person(
            uow,
            keys=keys,
            person_id=person.id,
            version=person.version,
            changes={"phone": "15400007788", "id_number": ""},
            allow_synthetic=True,
        )
    assert households(county, "三组12") == []
    assert households(county, "四组8", actor=county.actor(HOUSEHOLD_VIEW, area=OTHER_VILLAGE)) == ["王德福"]
    assert persons(county, "2091") == ["李德福"]
    assert persons(county, "7788") == ["王德福"]
    assert persons(county, "1123") == ["陈德"]


def test_what_an_import_brings_and_changes_is_found(county: County) -> None:
    code = "6109211002009001"

    def write(address: str, phone: str, area: int = VILLAGE) -> None:
        head = {"name": "周永贵", "relation": "02", "id_number": "610921195505054321", "phone": phone}
        with county.uow() as uow:
            upsert_households(uow, county.runtime.tenant_keys(uow), [HouseholdRow(area, code, address, [head])])

    write("东坡上7号", "15400003344")
    assert households(county, "坡上7") == households(county, "9001") == ["周永贵"]
    assert persons(county, "3344") == persons(county, "4321") == ["周永贵"]
    write("西坡下8号", "15400005566", OTHER_VILLAGE)
    assert households(county, "坡上") == []
    assert persons(county, "3344") == []
    assert persons(county, "5566") == ["周永贵"]
    assert households(county, "坡下", actor=county.actor(HOUSEHOLD_VIEW, area=OTHER_TOWN)) == ["周永贵"]


def test_what_stood_before_is_made_findable_by_the_job(county: County) -> None:
    with county.uow() as uow:
        uow.session.execute(delete(HouseholdPiece))
        uow.session.execute(update(Person).values(id_number_tail=None, phone_tail=None))
    assert households(county, "花果") == persons(county, "2091") == []

    def run() -> dict[str, Any]:
        with county.uow() as uow:
            job = enqueue_job(uow, kind="households.searchable", params={})
        assert run_with(county.runtime, county.info.id, job.id) == "succeeded"
        with county.uow() as uow:
            return dict(uow.get(type(job), job.id).result or {})

    assert run() == {"households": 4, "persons": 4, "forgotten": 0}
    assert households(county, "花果") == ["陈德", "李德福"]
    assert persons(county, "2091") == ["李德福", "王德福"]
    # Nothing is left to do, and pieces that no household has any more are forgotten.
    with county.uow() as uow:
        uow.session.execute(delete(HouseholdPiece).where(HouseholdPiece.piece == "12号附"))
    assert run() == {"households": 0, "persons": 0, "forgotten": len("12号附")}


def test_the_api_finds_everything_by_kind_and_right(county: County) -> None:
    def ask(query: str, role: str = "county_admin", **place: Any) -> Any:
        account = county.account(role, **place)
        return county.client().get(f"/api/v1/search?{query}", headers=county.bearer(account)).get_json()

    everything = ask("q=城关")
    assert [h["head_name"] for h in everything["households"]] == ["德福", "王德福"]
    assert everything["areas"][0] == {"code": "610921100000", "name": "城关镇", "path": ["城关镇"]}
    assert everything["others"] == everything["persons"] == []
    assert ask("q=城关&kinds=areas,persons")["households"] == []
    assert len(ask("q=德福&kinds=persons&limit=1")["persons"]) == 1
    assert [p["name"] for p in ask("q=2091", "village", area=VILLAGE)["persons"]] == ["王德福"]
    assert ask("q=4567", "department")["persons"] == []
    assert [p["name"] for p in ask("q=4567")["persons"]] == ["德福"]
    person = ask("q=2091")["persons"][0]
    assert "phone" not in person
    assert "id_number" not in person


def test_search_rows_of_last_initials_go_with_the_migration_and_what_finds_people_stays(county: County) -> None:
    fill(county, ((VILLAGE, "鄂 Q", "", "", ""),))
    with county.uow() as uow:
        person = uow.session.scalars(select(Person).where(Person.name == "陈德")).one()
        before = set(uow.session.scalars(select(NameSuffix.suffix)))
        # As there was one before.
        row = {"suffix": "d", "id": person.id, "household_id": person.household_id, "area_code": person.area_code}
        uow.session.add(NameSuffix(**row))
    migration = import_module("migrations.versions.0041_last_initials")
    with psycopg.connect(county.runtime.settings.migration_database_url, autocommit=True) as owner:
        owner.execute(migration._DROP)
    with county.uow() as uow:
        left = set(uow.session.scalars(select(NameSuffix.suffix)))
    assert left == before
    assert {"鄂q", "q", "chende", "de", "cd"} <= left
    assert "d" not in left
    assert "陈德" in found(county, "d")[0]
