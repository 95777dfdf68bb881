"""Writes and reads of households and persons."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, PurposeNeeded, Stale
from xiangyue.features.households import policy, queries, service, service_persons, service_records
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter, household_filter, person_filter
from xiangyue.features.households.list_query import (
    HOUSEHOLD_FIELDS,
    HOUSEHOLD_SORTS,
    PERSON_FIELDS,
    PERSON_SORTS,
    count_households,
    count_persons,
    each_household,
    list_households,
    list_persons,
)
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdAward,
    HouseholdIncome,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import person_view
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
OTHER = 610921101200_000
ROSTER = ("王德福", "陈桂兰", "欧阳小明", "单雄", "吴·木子", "王小德")


@pytest.fixture
def county(hanyin: County) -> Iterator[County]:
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CustomValue, HouseholdAward, HouseholdIncome, NameSuffix, PersonMark, Person, Household):
            uow.session.execute(delete(model))


def register(county: County, name: str, *, area: int = VILLAGE, actor: Any = None, **more: Any) -> Household:
    head = more.pop("head", {"name": name})
    with county.uow(actor) as uow:
        return service.register_household(
            uow, keys=county.runtime.tenant_keys(uow), area_code=area, head=head, allow_synthetic=True, **more
        )


def add(county: County, household_id: int, actor: Any = None, *, synthetic: bool = True, **values: Any) -> Person:
    with county.uow(actor) as uow:
        keys = county.runtime.tenant_keys(uow)
        return service_persons.add_person(
            uow, keys=keys, household_id=household_id, values=values, allow_synthetic=synthetic
        )


def edit(county: County, person_id: int, version: int, actor: Any = None, **changes: Any) -> Person:
    with county.uow(actor) as uow:
        keys = county.runtime.tenant_keys(uow)
        return service_persons.edit_person(
            uow, keys=keys, person_id=person_id, version=version, changes=changes, allow_synthetic=True
        )


def head_of(county: County, household: Household) -> Person:
    with county.uow() as uow:
        return uow.session.scalars(
            select(Person).where(Person.household_id == household.id, Person.relation == "02")
        ).one()


def names(county: County, filter: HouseholdFilter | None = None, **options: Any) -> list[str]:
    actor = options.pop("actor", None)
    with county.uow(actor, purpose=options.pop("purpose", "")) as uow:
        options.setdefault("keys", county.runtime.tenant_keys(uow))
        page = list_households(uow, filter or HouseholdFilter(), **options)
        return [row["head_name"] for row in page.items]


def actions(county: County, object_type: str, id: int) -> list[str]:
    with county.uow() as uow:
        statement = select(AuditEntry.action).where(AuditEntry.object_type == object_type, AuditEntry.object_id == id)
        return list(uow.session.scalars(statement.order_by(AuditEntry.id)))


def test_registering_gives_the_villages_next_number_and_a_head(county: County) -> None:
    first = register(county, "王德福", address=" 三组 1号 ", custom={"housing": "own"})
    second = register(county, "陈桂兰")
    assert (first.code, second.code) == ("6109211002000001", "6109211002000002")
    assert (first.head_name, first.person_count, first.address) == ("王德福", 1, "三组 1号")
    assert head_of(county, first).relation == "02"
    assert actions(county, "household", first.id) == ["household.add"]
    assert names(county, HouseholdFilter(q="defu")) == ["王德福"]


def test_the_same_form_twice_is_one_household(county: County) -> None:
    client_id = uuid.uuid4()
    first = register(county, "王德福", client_id=client_id)
    again = register(county, "王德福", client_id=client_id)
    assert first.id == again.id
    assert names(county) == ["王德福"]


def test_registering_says_all_that_is_wrong(county: County) -> None:
    with pytest.raises(Invalid) as error:
        register(county, "", head={"name": "王2", "phone": "12", "sex": "?", "birth_date": "2999-01-01"})
    assert set(error.value.fields) == {"head.name", "head.phone", "head.sex", "head.birth_date"}
    with pytest.raises(Invalid) as error:
        register(county, "王德福", area=610921100_000_000, custom={"housing": "castle", "nope": 1})
    assert set(error.value.fields) == {"area_code", "custom.housing", "custom.nope"}
    assert names(county) == []


def test_outside_my_area_nothing_can_be_registered_or_reached(county: County) -> None:
    clerk = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT, area=VILLAGE)
    with pytest.raises(Invalid) as error:
        register(county, "王德福", area=OTHER, actor=clerk)
    assert set(error.value.fields) == {"area_code"}
    there = register(county, "王德福", area=OTHER)
    with pytest.raises(NotFound):
        add(county, there.id, clerk, name="陈桂兰")
    with county.uow(clerk) as uow, pytest.raises(NotFound):
        service.edit_household(uow, household_id=there.id, version=1, changes={"note": "x"})
    with county.uow(county.actor(policy.HOUSEHOLD_VIEW)) as uow, pytest.raises(Forbidden):
        service.edit_household(uow, household_id=there.id, version=1, changes={"note": "x"})


def test_a_lost_update_is_refused_with_what_now_stands(county: County) -> None:
    household = register(county, "王德福")
    with county.uow() as uow:
        service.edit_household(uow, household_id=household.id, version=1, changes={"address": "二组"})
    with county.uow() as uow, pytest.raises(Stale) as error:
        service.edit_household(uow, household_id=household.id, version=1, changes={"address": "四组"})
    assert error.value.theirs == {"area_code": VILLAGE, "address": "二组", "location": "", "note": "", "version": 2}
    person = head_of(county, household)
    edit(county, person.id, 1, name="王德富")
    with pytest.raises(Stale) as error:
        edit(county, person.id, 1, name="王得福")
    assert (error.value.theirs["name"], error.value.theirs["version"]) == ("王德富", 2)
    assert names(county) == ["王德富"]


def test_a_household_moves_with_everything(county: County) -> None:
    household = register(county, "王德福", custom={"courtyard": "李家院子"})
    person = head_of(county, household)
    with county.uow() as uow:
        service_records.add_mark(uow, person_id=person.id, key="party_member")
        service_records.set_income(uow, household_id=household.id, year=2024, amount=30000)
        service.edit_household(uow, household_id=household.id, version=1, changes={"area_code": OTHER})
    with county.uow(county.actor(policy.HOUSEHOLD_VIEW, area=OTHER)) as uow:
        view = queries.household_view(uow, county.runtime.tenant_keys(uow), household.id)
        assert [g.kind.key for g in view.marks] == ["party_member"]
        assert [i.amount for i in view.incomes] == [30000]
        assert {v.field.key: v.value for v in view.custom}["courtyard"] == "李家院子"
    assert names(county, HouseholdFilter(q="王", area=OTHER)) == ["王德福"]
    assert actions(county, "household", household.id)[-1] == "household.move"


def test_persons_come_and_go_and_the_household_follows(county: County) -> None:
    household = register(county, "王德福")
    head = head_of(county, household)
    wife = add(county, household.id, name="陈桂兰", relation="妻", birth_date="1960.3.1", sex="女", away=True)
    assert (wife.relation, wife.sex, wife.birth_date, wife.away) == ("12", 2, date(1960, 3, 1), True)
    with pytest.raises(Invalid) as error:
        add(county, household.id, name="王强", relation="02")
    assert set(error.value.fields) == {"relation"}
    with county.uow() as uow:
        service_records.add_mark(uow, person_id=head.id, key="party_member")
        service_persons.person_left(uow, person_id=head.id, version=1, state="deceased", on=today(), reason="")
    with county.uow() as uow:
        row = uow.get(Household, household.id)
        assert (row.head_name, row.person_count) == ("陈桂兰", 1)
        assert uow.session.scalars(select(PersonMark.valid_to)).all() == [today()]
    assert names(county, HouseholdFilter(q="王德福")) == []
    edit(county, wife.id, 1, relation="02")
    with county.uow() as uow:
        service_persons.person_back(uow, person_id=head.id, version=2, reason="登记错误")
    with county.uow() as uow:
        assert uow.get(Person, head.id).relation == ""
        assert uow.get(Household, household.id).person_count == 2
    assert actions(county, "person", head.id) == ["person.add", "mark.add", "person.leave", "person.return"]


def test_a_closed_household_is_out_of_the_list_and_can_be_opened_again(county: County) -> None:
    household = register(county, "王德福")
    with county.uow() as uow, pytest.raises(Invalid):
        service.close_household(uow, household_id=household.id, version=1, on=today(), reason=" ")
    tomorrow = today() + timedelta(1)
    with county.uow() as uow, pytest.raises(Invalid):
        service.close_household(uow, household_id=household.id, version=1, on=tomorrow, reason="搬走")
    with county.uow() as uow:
        service.close_household(uow, household_id=household.id, version=1, on=today(), reason="搬走")
    assert names(county) == []
    assert names(county, HouseholdFilter(state="closed")) == ["王德福"]
    with pytest.raises(Conflict):
        add(county, household.id, name="陈桂兰")
    with county.uow() as uow:
        service.reopen_household(uow, household_id=household.id, version=2, reason="登记错误")
        assert uow.get(Household, household.id).person_count == 0


def test_a_person_moves_into_another_household(county: County) -> None:
    first, second = register(county, "王德福"), register(county, "陈桂兰", area=OTHER)
    son = add(county, first.id, name="王强", relation="20")
    with county.uow() as uow:
        service_records.add_mark(uow, person_id=son.id, key="veteran")
    edit(county, son.id, 1, household_id=second.id, relation="99")
    with county.uow() as uow:
        assert [uow.get(Household, h.id).person_count for h in (first, second)] == [1, 2]
        mark = uow.session.scalars(select(PersonMark)).one()
        assert (mark.household_id, mark.area_code) == (second.id, OTHER)
    assert names(county, HouseholdFilter(q="王强")) == ["陈桂兰"]


def test_citizen_numbers(county: County) -> None:
    household = register(county, "王德福", head={"name": "王德福", "id_number": "610921198001310011"})
    head = head_of(county, household)
    assert (head.sex, head.birth_date) == (1, date(1980, 1, 31))
    with pytest.raises(Invalid) as error:
        add(county, household.id, synthetic=False, name="王强", id_number="610921198001310022")
    assert set(error.value.fields) == {"id_number"}
    with pytest.raises(Invalid) as error:
        add(county, household.id, name="王强", id_number="610921198001310022", sex="1", birth_date="1980-02-01")
    assert set(error.value.fields) == {"sex", "birth_date"}
    with pytest.raises(Conflict) as conflict:
        add(county, household.id, name="王强", id_number="610921198001310011")
    assert conflict.value.details == {"person_id": head.id, "household_id": household.id}
    elsewhere = register(county, "陈桂兰", area=OTHER)
    clerk = county.actor(policy.HOUSEHOLD_EDIT, area=OTHER)
    with pytest.raises(Conflict) as conflict:
        add(county, elsewhere.id, clerk, name="王强", id_number="610921198001310011")
    assert conflict.value.details == {}
    assert "王德福" not in str(conflict.value)


def test_an_identifier_is_shown_in_full_for_a_purpose(county: County) -> None:
    household = register(
        county, "王德福", head={"name": "王德福", "id_number": "610921198001310011", "phone": "154 0000 0017"}
    )
    person = head_of(county, household)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        view = person_view(uow, keys, person.id)
        assert (view.id_number, view.phone) == ("610921********11", "154****0017")
        with pytest.raises(Invalid):
            service_persons.reveal_identifier(uow, keys=keys, person_id=person.id, purpose="x")
        shown = service_persons.reveal_identifier(uow, keys=keys, person_id=person.id, purpose="核对医保")
        assert shown == ("610921198001310011", "15400000017")
    with county.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "identifier.reveal")).one()
        assert (entry.purpose, entry.object_id) == ("核对医保", person.id)
        with_numbers = [e.after for e in uow.session.scalars(select(AuditEntry)) if "1310011" in str(e.after)]
        assert with_numbers == []
    clerk = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT)
    with county.uow(clerk) as uow, pytest.raises(Forbidden):
        service_persons.reveal_identifier(uow, keys=keys, person_id=person.id, purpose="核对医保")


def test_sensitive_marks_need_their_own_rights(county: County) -> None:
    household = register(county, "王德福")
    person = head_of(county, household)
    editor = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT)
    reader = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT, policy.SENSITIVE_VIEW)
    with county.uow(editor) as uow, pytest.raises(Invalid):
        service_records.add_mark(uow, person_id=person.id, key="disabled")
    with county.uow(reader) as uow, pytest.raises(Forbidden):
        service_records.add_mark(uow, person_id=person.id, key="disabled")
    with county.uow() as uow:
        mark = service_records.add_mark(uow, person_id=person.id, key="disabled", source="残联")
    with county.uow() as uow, pytest.raises(Conflict):
        service_records.add_mark(uow, person_id=person.id, key="disabled")
    seen = {}
    for name, actor, purpose in (("editor", editor, "入户"), ("silent", reader, ""), ("reader", reader, "入户")):
        with county.uow(actor, purpose=purpose) as uow:
            keys = county.runtime.tenant_keys(uow)
            view = queries.household_view(uow, keys, household.id)
            rows = list_households(uow, HouseholdFilter(), fields=("marks",)).items
            kinds = [k.key for k in queries.mark_kinds(uow)]
            trail = [e.action for e in queries.history(uow, "household", household.id)]
            seen[name] = ([g.kind.key for g in view.marks], rows[0]["marks"], "disabled" in kinds, "mark.add" in trail)
    assert seen == {
        "editor": ([], [], False, False),
        "silent": ([], [], True, False),
        "reader": (["disabled"], ["disabled"], True, True),
    }
    with pytest.raises(PurposeNeeded):
        names(county, HouseholdFilter(marks=("disabled",)), actor=reader)
    assert names(county, HouseholdFilter(marks=("disabled",)), actor=reader, purpose="入户") == ["王德福"]
    with pytest.raises(Invalid):
        names(county, HouseholdFilter(marks=("disabled",)), actor=editor)
    here = county.actor(policy.HOUSEHOLD_VIEW)
    elsewhere = county.actor(policy.SENSITIVE_VIEW, area=OTHER)
    mixed = type(here)(**{**_fields(here), "grants": (*here.grants, *elsewhere.grants)})
    assert names(county, HouseholdFilter(marks=("disabled",)), actor=mixed, purpose="入户") == []
    with county.uow(editor) as uow, pytest.raises(NotFound):
        service_records.end_mark(uow, mark_id=mark.id)
    with county.uow(reader) as uow, pytest.raises(Forbidden):
        service_records.end_mark(uow, mark_id=mark.id)
    with county.uow() as uow:
        service_records.end_mark(uow, mark_id=mark.id, reason="证件注销")
    assert names(county, HouseholdFilter(marks=("disabled",))) == []


def _fields(actor: Any) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in actor.__dataclass_fields__}


def test_incomes_and_awards_tell_missing_from_no(county: County) -> None:
    rich, poor, unknown = register(county, "王德福"), register(county, "陈桂兰"), register(county, "吴木子")
    with county.uow() as uow:
        for year, amount in ((2022, 90000), (2024, 20000)):
            service_records.set_income(uow, household_id=poor.id, year=year, amount=amount)
        service_records.set_income(uow, household_id=rich.id, year=2024, amount=80000)
        service_records.set_award(uow, household_id=rich.id, key="safe_family", year=2024, awarded=True)
        service_records.set_award(uow, household_id=poor.id, key="safe_family", year=2024, awarded=False)
        with pytest.raises(Stale):
            service_records.set_income(uow, household_id=rich.id, year=2024, amount=1, version=0)
        with pytest.raises(Invalid):
            service_records.set_income(uow, household_id=rich.id, year=1890, amount=1)
        with pytest.raises(Invalid):
            service_records.set_award(uow, household_id=rich.id, key="nope", year=2024, awarded=True)
    assert names(county, HouseholdFilter(income_min=50000)) == ["王德福"]
    assert names(county, HouseholdFilter(income_year=2022, income_min=50000)) == ["陈桂兰"]
    for awarded, expected in (("yes", ["王德福"]), ("no", ["陈桂兰"]), ("none", ["吴木子"])):
        assert names(county, HouseholdFilter(award="safe_family", award_year=2024, awarded=awarded)) == expected
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        row = next(r for r in queries.household_view(uow, keys, poor.id).awards if r.kind.key == "safe_family")
        assert {y: a and a.awarded for y, a in row.years.items()} == {today().year - 1: None, 2024: False}
        rows = queries.household_view(uow, keys, unknown.id).awards
        assert [r.years for r in rows] == [{today().year - 1: None}] * len(rows)
        service_records.set_award(uow, household_id=poor.id, key="safe_family", year=2024, awarded=None)
    assert names(county, HouseholdFilter(award="safe_family", awarded="none")) == ["陈桂兰", "吴木子"]


def test_own_fields_are_typed_and_filtered(county: County) -> None:
    first, _second = register(county, "王德福", custom={"housing": "own"}), register(county, "陈桂兰")
    with county.uow() as uow:
        service_records.set_custom_values(
            uow, entity="household", owner_id=first.id, values={"courtyard": "李家院子", "housing": "rented"}, version=1
        )
        with pytest.raises(Stale):
            service_records.set_custom_values(uow, entity="household", owner_id=first.id, values={}, version=1)
        person = head_of(county, first)
        service_records.set_custom_values(
            uow, entity="person", owner_id=person.id, values={"works_away_since": "2024.3.1"}, version=1
        )
    assert names(county, household_filter({"custom.housing": "rented"})) == ["王德福"]
    assert names(county, household_filter({"custom.courtyard": "李家"})) == ["王德福"]
    with county.uow() as uow:
        found = list_persons(uow, person_filter({"custom.works_away_since": "2024-03-01"})).items
        assert [p["name"] for p in found] == ["王德福"]
    for key, value in (("housing", "castle"), ("nope", "1")):
        with pytest.raises(Invalid) as error:
            names(county, household_filter({f"custom.{key}": value}))
        assert set(error.value.fields) == {f"custom.{key}"}


@pytest.mark.parametrize("sort", [s for key in HOUSEHOLD_SORTS for s in (key, f"-{key}")])
def test_pages_of_households_meet_without_gap_or_overlap(county: County, sort: str) -> None:
    for name in ROSTER:
        register(county, name)
    with county.uow() as uow:
        whole = [row["id"] for row in list_households(uow, HouseholdFilter(), sort=sort).items]
        walked, after, pages = [], None, []
        while True:
            page = list_households(uow, HouseholdFilter(), sort=sort, limit=2, after=after)
            pages.append(page)
            walked += [row["id"] for row in page.items]
            after = page.next
            if after is None:
                break
        assert walked == whole
        assert (pages[0].back, pages[-1].next) == (None, None)
        back = list_households(uow, HouseholdFilter(), sort=sort, limit=2, before=pages[2].back)
        assert back.items == pages[1].items
        assert list(each_household(uow, HouseholdFilter(), sort=sort, chunk=4)) == [i for p in pages for i in p.items]
        other = "code" if sort.endswith("name") else "name"
        with pytest.raises(Invalid) as error:
            list_households(uow, HouseholdFilter(), sort=other, after=pages[0].next)
        assert set(error.value.fields) == {"cursor"}


@pytest.mark.parametrize("sort", [s for key in PERSON_SORTS for s in (key, f"-{key}")])
def test_pages_of_persons_meet_without_gap_or_overlap(county: County, sort: str) -> None:
    for number, name in enumerate(ROSTER[:3]):
        household = register(county, name)
        add(county, household.id, name="吴" + name[1], relation="12", birth_date=f"19{50 + number}-01-01")
    with county.uow() as uow:
        whole = [row["id"] for row in list_persons(uow, PersonFilter(), sort=sort).items]
        first = list_persons(uow, PersonFilter(), sort=sort, limit=4)
        rest = list_persons(uow, PersonFilter(), sort=sort, limit=4, after=first.next)
        assert [row["id"] for row in first.items + rest.items] == whole
        assert list_persons(uow, PersonFilter(), sort=sort, limit=4, before=rest.back).items == first.items


def test_lists_are_in_the_order_of_pinyin(county: County) -> None:
    for name in ROSTER:
        register(county, name)
    assert names(county) == ["陈桂兰", "欧阳小明", "单雄", "王德福", "王小德", "吴·木子"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("王", ["王德福", "王小德"]),
        ("德福", ["王德福"]),
        ("wdf", ["王德福"]),
        ("shanx", ["单雄"]),
        ("吴木", ["吴·木子"]),
        ("OUYANG", ["欧阳小明"]),
        ("61092110020000", list(ROSTER)),
        ("6109211002000002", ["陈桂兰"]),
        ("%", []),
    ],
)
def test_search_words(county: County, q: str, expected: list[str]) -> None:
    for name in ROSTER:
        register(county, name)
    assert names(county, household_filter({"q": q}), sort="code") == expected
    with county.uow() as uow:
        assert count_households(uow, household_filter({"q": q})) == len(expected)


def test_a_citizen_number_finds_only_where_one_may_look_it_up(county: County) -> None:
    register(county, "王德福", head={"name": "王德福", "id_number": "610921198001310011"})
    wanted = HouseholdFilter(q="610921198001310011")
    assert names(county, wanted) == ["王德福"]
    assert names(county, wanted, actor=county.actor(policy.HOUSEHOLD_VIEW)) == []
    view_all, edit_there = county.actor(policy.HOUSEHOLD_VIEW), county.actor(policy.HOUSEHOLD_EDIT, area=OTHER)
    mixed = type(view_all)(**{**_fields(view_all), "grants": (*view_all.grants, *edit_there.grants)})
    assert names(county, wanted, actor=mixed) == []
    with county.uow(mixed) as uow:
        found = queries.search(uow, "610921198001310011", keys=county.runtime.tenant_keys(uow))
        assert (found.households, found.persons) == ([], [])


def test_filters_of_size_and_absence(county: County) -> None:
    big, _small = register(county, "王德福"), register(county, "陈桂兰")
    add(county, big.id, name="王强", relation="20", away=True, birth_date=today() - timedelta(days=400))
    assert names(county, household_filter({"min_persons": "2"})) == ["王德福"]
    assert names(county, household_filter({"max_persons": "1"})) == ["陈桂兰"]
    assert names(county, household_filter({"away": "yes"})) == ["王德福"]
    assert names(county, household_filter({"away": "no"})) == ["陈桂兰"]
    with county.uow() as uow:
        young = [p["name"] for p in list_persons(uow, person_filter({"max_age": "1", "min_age": "1"})).items]
        assert young == ["王强"]
        assert count_persons(uow, person_filter({"household": str(big.id)})) == 2
        assert count_households(uow, HouseholdFilter(), cap=1) == 2


def test_wrong_parameters_are_named(county: County) -> None:
    for args in ({"area": "61"}, {"state": "lost"}, {"min_persons": "many"}, {"away": "maybe"}, {"batch": "-1"}):
        with pytest.raises(Invalid) as error:
            household_filter(args)
        assert set(error.value.fields) == set(args)
    with pytest.raises(Invalid):
        names(county, household_filter({"mark": "nope"}))
    assert household_filter({"sort": "name", "cols": "x", "min_persons": " ", "q": " 王 "}) == HouseholdFilter(q="王")


def test_the_area_narrows_and_never_widens(county: County) -> None:
    register(county, "王德福")
    register(county, "陈桂兰", area=OTHER)
    clerk = county.actor(policy.HOUSEHOLD_VIEW, area=VILLAGE)
    with county.uow(clerk) as uow:
        uow.set_scope(clerk.scope(policy.HOUSEHOLD_VIEW))
        assert [h["head_name"] for h in list_households(uow, HouseholdFilter()).items] == ["王德福"]
        assert list_households(uow, HouseholdFilter(area=OTHER)).items == []
        assert list_persons(uow, PersonFilter(area=OTHER)).items == []
    assert names(county, household_filter({"area": "610921101"})) == ["陈桂兰"]


def test_search_ranks_the_name_itself_before_what_holds_it(county: County) -> None:
    for name in ("王德", "王德福", "李王德", "汪得"):
        register(county, name)
    with county.uow() as uow:
        assert [p["name"] for p in queries.search(uow, "王德").persons] == ["王德", "王德福", "李王德"]
        assert [p["name"] for p in queries.search(uow, "wd").persons][:2] == ["汪得", "王德"]
        assert [h["head_name"] for h in queries.search(uow, "王德", 1).households] == ["王德"]
        assert queries.search(uow, "6109211").households[0]["code"].startswith("6109211")
        assert queries.search(uow, " ").persons == []


def statements(county: County, run: Any) -> int:
    from sqlalchemy import event

    seen: list[str] = []
    engine = county.runtime.engine

    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        with county.uow() as uow:
            run(uow)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def test_a_household_is_read_in_as_many_statements_with_one_member_as_with_three(county: County) -> None:
    household = register(county, "王德福")
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
    one = statements(county, lambda uow: queries.household_view(uow, keys, household.id))
    for name in ("陈桂兰", "王强"):
        person = add(county, household.id, name=name, custom={"works_away_since": "2024-01-01"})
        with county.uow() as uow:
            service_records.add_mark(uow, person_id=person.id, key="veteran")
            service_records.set_income(uow, household_id=household.id, year=2024, amount=1)
    assert statements(county, lambda uow: queries.household_view(uow, keys, household.id)) == one


def test_every_field_of_a_list_can_be_asked_for(county: County) -> None:
    household = register(county, "王德福")
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        service_records.add_mark(uow, person_id=head_of(county, household).id, key="party_member")
        row = list_households(uow, HouseholdFilter(), fields=tuple(HOUSEHOLD_FIELDS)).items[0]
        assert list(row) == [*HOUSEHOLD_FIELDS]
        assert (row["marks"], row["away_count"], row["income"]) == (["party_member"], 0, None)
        assert row["area_name"]
        person = list_persons(uow, PersonFilter(), fields=tuple(PERSON_FIELDS), keys=keys).items[0]
        assert set(person) == set(PERSON_FIELDS)
        assert (person["household_code"], person["id_number"]) == (household.code, "")
