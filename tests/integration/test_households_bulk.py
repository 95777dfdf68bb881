"""The set-based write behind imports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.crypto import column_context, decrypt_text
from xiangyue.access.models import AuditEntry
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.policy import AREA_EDIT
from xiangyue.features.households import bulk, policy
from xiangyue.features.households.bulk import BulkCounts, HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdIncome,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
OTHER_TOWN_VILLAGE = 610921101200_000


def person(name: str, number: str = "", **more: Any) -> Any:
    return {"name": name, "id_number": number, "relation": "02", "sex": 1, "birth_date": date(1980, 1, 31), **more}


def household(number: int, *persons: Any, area: int = VILLAGE + 3, **more: Any) -> HouseholdRow:
    more.setdefault("row_no", number)
    return HouseholdRow(area, f"610921100200{number:04}", "三组1号", persons, **more)


FIRST = household(
    1,
    person("王德福", "610921198001310011", phone="15400000017", marks=["party_member"]),
    person("陈桂兰", "610921198001310022", relation="12", sex=2, marks=["disabled"]),
    income=(2024, 32000),
    custom={"housing": "own"},
)
SECOND = household(2, person("吴·木子"))


@pytest.fixture
def clean(hanyin: County) -> Iterator[County]:
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CustomValue, HouseholdIncome, NameSuffix, PersonMark, Person, Household):
            uow.session.execute(delete(model))


def run(county: County, *rows: HouseholdRow, actor: Any = None, **options: Any) -> BulkCounts:
    with county.uow(actor) as uow:
        return upsert_households(uow, county.runtime.tenant_keys(uow), rows, **options)


def count(county: County, model: Any) -> int:
    with county.uow() as uow:
        return uow.session.scalar(select(func.count()).select_from(model)) or 0


def test_new_households_with_everything_that_hangs_on_them(clean: County) -> None:
    counts = run(clean, FIRST, SECOND, batch_id=None, source="花名册")
    assert counts.numbers() == {
        "households_new": 2, "households_changed": 0, "households_unchanged": 0, "persons_new": 3,
        "persons_changed": 0, "persons_unchanged": 0, "households_emptied": 0, "groups_new": 1, "facts_waiting": 0,
        "conflicts": 0,
    }  # fmt: skip
    with clean.uow() as uow:
        first = uow.session.scalars(select(Household).where(Household.code == FIRST.code)).one()
        assert (first.head_name, first.person_count, first.area_code) == ("王德福", 2, VILLAGE + 3)
        assert first.sort_key.startswith("wang")
        head = uow.session.scalars(select(Person).where(Person.name == "王德福")).one()
        keys = clean.runtime.tenant_keys(uow)
        assert head.id_number is not None
        context = column_context(uow.tenant_id, "person.id_number")
        assert decrypt_text(keys, head.id_number, context) == "610921198001310011"
        marks = uow.session.execute(select(PersonMark.mark_key, PersonMark.source).order_by("mark_key")).all()
        assert marks == [("disabled", "花名册"), ("party_member", "花名册")]
        assert uow.session.scalars(select(HouseholdIncome.amount)).all() == [32000]
        assert uow.session.scalars(select(CustomValue.text_value)).all() == ["own"]
        found = uow.session.scalars(select(NameSuffix.suffix).where(NameSuffix.id == head.id)).all()
        assert {"德福", "wdf", "wangdefu"} <= set(found)
        assert uow.session.scalars(select(Area.name).where(Area.area_code == VILLAGE + 3)).one() == "3组"


def test_the_same_roster_again_changes_nothing(clean: County) -> None:
    run(clean, FIRST, SECOND)
    counts = run(clean, FIRST, SECOND)
    assert (counts.households_unchanged, counts.persons_unchanged) == (2, 3)
    assert (counts.households_new, counts.households_changed, counts.persons_new, counts.persons_changed) == (0,) * 4
    assert (count(clean, Person), count(clean, PersonMark), count(clean, CustomValue)) == (3, 2, 1)


@pytest.mark.parametrize(
    ("stands", "new"),
    [(FIRST, (6, 6)), (household(9, person("王德福", "610921198001310011")), (7, 7))],
    ids=["a household", "a person"],
)
def test_a_chunk_of_which_something_stands_is_compared_and_the_others_are_new(
    clean: County, monkeypatch: pytest.MonkeyPatch, stands: HouseholdRow, new: tuple[int, int]
) -> None:
    run(clean, stands)
    others = [household(number, person(f"周{name}")) for number, name in enumerate("一二三四五六", 11)]
    monkeypatch.setattr(bulk, "CHUNK", 1)
    counts = run(clean, *others[:3], FIRST, *others[3:])
    assert (counts.households_new, counts.persons_new) == new
    assert count(clean, Person) == 8
    with clean.uow() as uow:
        rows = uow.session.execute(select(NameSuffix.id, func.count()).group_by(NameSuffix.id)).all()
        head = uow.session.scalars(select(Person).where(Person.name == "王德福")).one()
        assert uow.get(Household, head.household_id).code == FIRST.code
    assert sorted(number for _id, number in rows) == [5] * 6 + [8, 8]


def test_changes_are_counted_written_and_audited_and_blanks_keep_what_stands(clean: County) -> None:
    run(clean, FIRST, SECOND)
    changed = household(
        1,
        person("王德福", "610921198001310011", away=True, marks=["veteran"]),
        person("陈桂蓝", "610921198001310022", relation="", sex=0, birth_date=None),
        income=(2024, 40000),
    )
    before = count(clean, AuditEntry)
    counts = run(clean, changed, source="更正")
    assert (counts.households_changed, counts.persons_changed) == (1, 2)
    assert {s.label: (s.before, s.after) for s in counts.samples} == {
        "王德福": ({"income": 32000}, {"income": 40000, "income_year": 2024}),
    } | {s.label: (s.before, s.after) for s in counts.samples if s.entity == "person"}
    with clean.uow() as uow:
        wife = uow.session.scalars(select(Person).where(Person.name == "陈桂蓝")).one()
        assert (wife.relation, wife.sex, wife.birth_date, wife.version) == ("12", 2, date(1980, 1, 31), 2)
        head = uow.session.scalars(select(Person).where(Person.name == "王德福")).one()
        assert head.away
        assert head.phone is not None
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.object_id == wife.id)).all()[-1]
        assert (entry.action, entry.before, entry.after, entry.purpose) == (
            "person.import", {"name": "陈桂兰"}, {"name": "陈桂蓝"}, "更正",
        )  # fmt: skip
        found = uow.session.scalars(select(NameSuffix.suffix).where(NameSuffix.id == wife.id)).all()
        assert "陈桂蓝" in found
        assert "陈桂兰" not in found
        assert {"party_member", "veteran"} <= set(uow.session.scalars(select(PersonMark.mark_key)))
    assert count(clean, AuditEntry) == before + 3


def test_a_dry_run_counts_the_same_and_writes_nothing(clean: County) -> None:
    areas = count(clean, Area)
    row = household(9, person("李长青"), area=VILLAGE + 8)
    dry = run(clean, row, dry_run=True)
    assert (count(clean, Household), count(clean, Person), count(clean, Area)) == (0, 0, areas)
    assert dry.numbers() == run(clean, row).numbers()


def test_a_person_found_in_another_household_moves_with_marks_and_both_households_follow(clean: County) -> None:
    run(clean, FIRST, SECOND)
    moved = household(2, person("吴·木子"), person("陈桂兰", "610921198001310022", relation="12", sex=2))
    counts = run(clean, moved)
    assert (counts.persons_changed, counts.persons_unchanged) == (1, 1)
    with clean.uow() as uow:
        sizes = uow.session.execute(select(Household.code, Household.person_count).order_by("code")).all()
        assert sizes == [("6109211002000001", 1), ("6109211002000002", 2)]
        second = uow.session.scalars(select(Household.id).where(Household.code == SECOND.code)).one()
        owners = uow.session.scalars(select(PersonMark.household_id).where(PersonMark.mark_key == "disabled"))
        assert owners.all() == [second]
        rows = uow.session.scalars(select(NameSuffix.household_id).where(NameSuffix.suffix == "陈桂兰"))
        assert rows.all() == [second]


def test_another_family_under_the_same_number_is_not_mixed_in(clean: County) -> None:
    run(clean, FIRST)
    strangers = household(1, person("陈祥亮", row_no=5), person("张小妹", relation="12", sex=2, row_no=6))
    assert [(c.row_no, c.kind) for c in run(clean, strangers, dry_run=True).conflicts] == [(5, "head_other")]
    husband, wife = FIRST.persons
    changed = household(1, {**wife, "relation": "02"}, {**husband, "relation": "11"})
    assert run(clean, changed).conflicts == []
    with clean.uow() as uow:
        heads = uow.session.scalars(select(Person.name).where(Person.relation == "02", Person.state == "active"))
        assert heads.all() == ["陈桂兰"]


def test_a_household_that_moves_takes_everything_along(clean: County) -> None:
    run(clean, FIRST)
    elsewhere = household(1, *FIRST.persons, area=VILLAGE + 5)
    assert run(clean, elsewhere).households_changed == 1
    with clean.uow() as uow:
        for model in (Household, Person, PersonMark, HouseholdIncome, CustomValue, NameSuffix):
            assert set(uow.session.scalars(select(model.area_code))) == {VILLAGE + 5}, model


def test_what_lies_outside_the_area_is_left_alone_and_named(clean: County) -> None:
    run(clean, FIRST)
    run(clean, HouseholdRow(OTHER_TOWN_VILLAGE, "6109211012000001", "", [person("周永贵", "610921198001310033")]))
    town = clean.actor(policy.HOUSEHOLD_EDIT, AREA_EDIT, area=610921101000_000)
    counts = run(
        clean,
        household(1, person("别人"), row_no=1),
        HouseholdRow(VILLAGE, "6109211002000077", "", [person("新人")], row_no=2),
        HouseholdRow(OTHER_TOWN_VILLAGE, "6109211012000002", "", [person("王德福", "610921198001310011", row_no=3)]),
        HouseholdRow(610921101999_000, "6109211019990001", "", [person("无村")], row_no=4),
        actor=town,
    )
    assert sorted((c.row_no, c.kind) for c in counts.conflicts) == [
        (1, "household_elsewhere"), (2, "area_outside"), (3, "person_elsewhere"), (4, "area_unknown"),
    ]  # fmt: skip
    assert (counts.households_new, counts.persons_new, counts.persons_changed) == (1, 0, 0)
    with clean.uow() as uow:
        assert uow.session.scalars(select(Person.area_code).where(Person.name == "王德福")).one() == VILLAGE + 3


def test_sensitive_marks_need_their_right(clean: County) -> None:
    actor = clean.actor(policy.HOUSEHOLD_EDIT, AREA_EDIT)
    counts = run(clean, FIRST, actor=actor)
    assert [(c.kind, c.detail) for c in counts.conflicts] == [("mark_forbidden", "disabled")]
    assert (counts.persons_new, count(clean, PersonMark)) == (2, 1)


def test_a_household_with_members_is_not_deleted(clean: County) -> None:
    run(clean, FIRST)
    with pytest.raises(IntegrityError), clean.uow() as uow:
        uow.session.execute(delete(Household))
    assert count(clean, Household) == 1


def test_repeats_inside_one_import_are_named(clean: County) -> None:
    again = household(3, person("王德福", "610921198001310011", row_no=7))
    counts = run(clean, FIRST, FIRST, again)
    assert [(c.row_no, c.kind) for c in counts.conflicts] == [(1, "household_twice"), (7, "person_twice")]


def test_the_other_county_stays_empty(clean: County, tongyu: County) -> None:
    run(clean, FIRST, SECOND)
    for model in (Household, Person, PersonMark, NameSuffix, CustomValue, HouseholdIncome):
        assert count(tongyu, model) == 0


def test_new_groups_are_one_entry_that_names_its_places(clean: County) -> None:
    rows = [
        HouseholdRow(VILLAGE + n, f"61092110020010{n:02}", "", [{"name": "周永贵", "relation": "02"}])
        for n in range(50, 70)
    ]
    run(clean, *rows, source="花名册")
    with clean.uow() as uow:
        found = select(AuditEntry).where(AuditEntry.action == "area.add_groups").order_by(AuditEntry.id.desc())
        entry = uow.session.scalars(found).first()
        assert entry is not None
        assert (entry.area_code, entry.purpose) == (VILLAGE, "花名册")
        assert entry.after == {"count": 20, "groups": [VILLAGE + n for n in range(50, 70)]}
        assert uow.session.scalar(select(func.count()).where(AuditEntry.action == "area.add")) == 0
    page = clean.client("auditor").get(f"/audit/{entry.id}").text
    assert "· 50组、" in page
    assert "等，另有 8 个" in page


def test_a_changed_income_says_its_year_on_both_sides(clean: County) -> None:
    run(clean, household(1, person("王德福"), income=(2024, 1000)))
    counts = run(clean, household(1, person("王德福"), income=(2024, 2000)))
    sample = next(s for s in counts.samples if s.entity == "household")
    assert (sample.before, sample.after) == (
        {"income": 1000, "income_year": 2024}, {"income": 2000, "income_year": 2024},
    )  # fmt: skip
    counts = run(clean, household(1, person("王德福"), income=(2025, 3000)))
    assert next(s for s in counts.samples if s.entity == "household").before == {}
