"""Rows that hang on a person or household go along when another takes its place, and come back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from households_kit import OTHER_VILLAGE, VILLAGE, filled_county, id_of
from sqlalchemy import select

from plugins_kit import planted, switch
from xiangyue.errors import Refused
from xiangyue.features.classifications.models import Classification
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdAward,
    HouseholdIncome,
    Person,
    PersonMark,
)
from xiangyue.features.privacy.models_care import PersonCare
from xiangyue.plugin.follows import follow_rows, followers, missing_rows, unfollow_rows
from xiangyue.plugin.registry import Follows
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]


def rows(county: County, model: Any, *columns: str) -> list[tuple[Any, ...]]:
    """Every row of a table in the county, in order."""
    names = columns or tuple(c.key for c in model.__table__.columns)
    with county.uow() as uow:
        found = uow.session.execute(select(*(getattr(model, name) for name in names)).order_by(model.id))
        return [tuple(row) for row in found]


def households(county: County) -> tuple[int, int]:
    return id_of(county, Household, code="6109211002000001"), id_of(county, Household, code="6109211012000001")


def test_all_goes_along_but_what_the_survivor_has(county: County) -> None:
    old, new = households(county)
    with county.uow() as uow:
        uow.session.add_all(
            [
                HouseholdIncome(household_id=new, area_code=OTHER_VILLAGE, year=2024, amount=1),
                HouseholdIncome(household_id=old, area_code=VILLAGE + 3, year=2023, amount=2),
                HouseholdAward(household_id=old, area_code=VILLAGE + 3, award_key="x", year=2023, awarded=True),
                Classification(household_id=old, area_code=VILLAGE + 3, classifier="a.b", proposed="x"),
            ]
        )
    before = {model: rows(county, model) for model in (HouseholdIncome, HouseholdAward, CustomValue, Classification)}
    with county.uow() as uow:
        found = {f.follows.key: (len(f.move), len(f.stay)) for f in followers(uow, of="household", old=old, new=new)}
        assert found == {
            "household_income": (1, 1),
            "household_award": (1, 0),
            "household_value": (1, 0),
            "classification": (1, 0),
        }
        moved = follow_rows(uow, of="household", old=old, new=new)
        assert {key: len(ids) for key, ids in moved.items()} == {key: go for key, (go, _stay) in found.items()}
    incomes = rows(county, HouseholdIncome, "household_id", "area_code", "year", "amount")
    assert sorted(incomes) == [
        (old, VILLAGE + 3, 2024, 32000),
        (new, OTHER_VILLAGE, 2023, 2),
        (new, OTHER_VILLAGE, 2024, 1),
    ]
    with county.uow() as uow:
        assert missing_rows(uow, of="household", new=new, moved=moved) == {}
        assert unfollow_rows(uow, of="household", old=old, new=new, moved=moved) == {}
    assert {model: rows(county, model) for model in before} == before
    with county.uow() as uow:
        uow.session.delete(uow.session.scalars(select(Classification)).one())


def test_a_succession_takes_open_work_only(county: County) -> None:
    old, new = households(county)
    with county.uow() as uow:
        for key, state in (("a.open", "due"), ("a.done", "in_force")):
            uow.session.add(
                Classification(household_id=old, area_code=VILLAGE + 3, classifier=key, proposed="x", state=state)
            )
    with county.uow() as uow:
        moved = follow_rows(uow, of="household", old=old, new=new, only_open=True)
        assert list(moved) == ["classification"]
    assert sorted(rows(county, Classification, "classifier", "household_id", "area_code")) == [
        ("a.done", old, VILLAGE + 3),
        ("a.open", new, OTHER_VILLAGE),
    ]
    with county.uow() as uow:
        for row in uow.session.scalars(select(Classification)):
            uow.session.delete(row)


def test_marks_of_a_person_go_to_the_household_too(county: County) -> None:
    old, new = id_of(county, Person, name="王德福"), id_of(county, Person, name="周永贵")
    other = id_of(county, Household, code="6109211012000001")
    with county.uow() as uow:
        for day in (None, date(2020, 1, 1)):
            mark = PersonMark(person_id=new, household_id=other, area_code=OTHER_VILLAGE, mark_key="disabled")
            mark.valid_to = day
            uow.session.add(mark)
    with county.uow() as uow:
        (found,) = followers(uow, of="person", old=old, new=new)
        assert (found.follows.key, len(found.move), len(found.stay)) == ("person_mark", 1, 1)
        moved = follow_rows(uow, of="person", old=old, new=new)
    marks = rows(county, PersonMark, "id", "mark_key", "person_id", "household_id", "area_code")
    assert [m for m in marks if m[0] in moved["person_mark"]] == [
        (moved["person_mark"][0], "party_member", new, other, OTHER_VILLAGE)
    ]
    with county.uow() as uow:
        uow.session.delete(uow.get(PersonMark, moved["person_mark"][0]))
    with county.uow() as uow:
        assert missing_rows(uow, of="person", new=new, moved=moved) == {"person_mark": 1}
        assert unfollow_rows(uow, of="person", old=old, new=new, moved=moved) == moved


def test_where_an_owner_has_one_row_at_most_the_survivors_stays(county: County) -> None:
    old, new = id_of(county, Person, name="王德福"), id_of(county, Person, name="周永贵")
    with county.uow() as uow:
        uow.session.add_all([PersonCare(person_id=old), PersonCare(person_id=new)])
    with county.uow() as uow:
        found = next(f for f in followers(uow, of="person", old=old, new=new) if f.follows.key == "person_care")
        assert (len(found.move), len(found.stay)) == (0, 1)
        assert "person_care" not in follow_rows(uow, of="person", old=old, new=new)
        uow.rollback()
    with county.uow() as uow:
        uow.session.delete(uow.session.scalars(select(PersonCare).where(PersonCare.person_id == new)).one())
    with county.uow() as uow:
        assert len(follow_rows(uow, of="person", old=old, new=new)["person_care"]) == 1
        uow.rollback()
    with county.uow() as uow:
        uow.session.delete(uow.session.scalars(select(PersonCare)).one())


def own(county: County, **changes: Any) -> dict[str, Any]:
    values = {"key": "probe_rows", "label": "Rows", "of": "household", "model": HouseholdIncome}
    return {"register_follows": (Follows(**{**values, "column": "household_id", **changes}),)}


def test_a_plugin_names_rows_of_its_own_tables_only(county: County) -> None:
    with planted(county.runtime, "probe", **own(county)) as found:
        assert not found.ready
        assert "not its own" in str(found.reason) or "不属于" in str(found.reason)
    with planted(county.runtime, "probe", **own(county, of="village")) as found:
        assert not found.ready


def test_nothing_goes_when_a_plugins_rows_cannot(county: County) -> None:
    old, new = households(county)
    with planted(county.runtime, "probe") as found:
        assert found.contributor is not None
        # What no claim lets in: a column that is not there any more.
        broken = Follows("probe_rows", "Rows", "household", HouseholdIncome, "gone")
        object.__setattr__(found.contributor, "offered", {**found.contributor.offered, "follows": (broken,)})
        county.runtime.registry.take(county.runtime.registry.contributors)
        switch(county, "probe")
        before = rows(county, HouseholdIncome)
        with pytest.raises(Refused, match="probe"), county.uow() as uow:
            follow_rows(uow, of="household", old=old, new=new)
        assert rows(county, HouseholdIncome) == before
