"""The rule word for word: the county's own example, the open cells, missing data, coverage, and each setting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from contact321_kit import (
    OTHER_VILLAGE,
    SAFE,
    SIX,
    VILLAGE,
    YEAR,
    Home,
    colours,
    compute,
    empty,
    fill,
    home_of,
    judge,
    row_of,
    set_rule,
    switch,
)
from sqlalchemy import update

from xiangyue.sdk.errors import Invalid
from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import Household, HouseholdAward, HouseholdIncome, PersonMark
from xiangyue.sdk.testing import County
from xiangyue_contact321.law import GREEN, RED, SOURCE, YELLOW
from xiangyue_contact321.rule import CLASSIFIER, REASONS

ALL, NONE = (True, True, True), (False, False, None)


@pytest.fixture(name="county")
def switched_on(hanyin: County) -> Iterator[County]:
    switch(hanyin)
    yield hanyin
    empty(hanyin)


def proposed(county: County, homes: dict[str, Home], **rule: Any) -> dict[str, str]:
    fill(county, homes)
    if rule:
        set_rule(county, **rule)
    compute(county)
    return colours(county)


def others(n: int, income: int | None, *, start: int = 1) -> dict[str, Home]:
    """So many further households with this income."""
    return {f"户{i}": (income, (None, None, None), ()) for i in range(start, start + n)}


def test_the_example_of_the_county(county: County) -> None:
    assert proposed(county, SIX) == {
        "甲持平": "green",
        "乙略低": "yellow",
        "丙较高": "open_above",
        "丁去年": "open_below",
        "戊残疾": "red",
        "己缺档": "no_awards",
    }
    first = row_of(county, "甲持平")
    assert (first.clause, first.rule_version) == ("green", "2021")
    assert first.inputs == {
        "income": 20_000, "income_year": YEAR, "mean": 20_000, "coverage": 100,
        "awards": {str(YEAR): True, str(YEAR - 1): True, str(YEAR - 2): True},
    }  # fmt: skip
    assert row_of(county, "戊残疾").inputs["marks"] == ["残疾人"]
    assert "marks" not in row_of(county, "丙较高").inputs
    assert row_of(county, "己缺档").inputs["awards"] == dict.fromkeys((str(YEAR), str(YEAR - 1), str(YEAR - 2)))


def test_every_clause_is_the_documents() -> None:
    (version,) = CLASSIFIER.versions
    assert version.valid_from == date(2021, 9, 7)
    assert {clause.source for clause in version.clauses} == {"汉办发〔2021〕11号 四(二)2"} == {SOURCE}
    words = {clause.key: clause.text for clause in version.clauses}
    assert (words["green"], words["yellow"], words["red"]) == (GREEN, YELLOW, RED)
    assert set(words) == {"green", "yellow", "red", *REASONS}


@pytest.mark.parametrize(
    ("income", "awards", "colour"),
    [
        (30_000, (True, True, True), "green"),
        (30_000, (True, True, False), "open_above"),
        (30_000, (False, None, None), "open_above"),
        (30_000, (True, True, None), "no_awards"),
        (30_000, (None, True, True), "no_awards"),
        (10_000, (False, False, True), "yellow"),
        (10_000, (False, False, None), "yellow"),
        (10_000, (False, True, False), "open_below"),
        (10_000, (True, None, None), "open_below"),
        (10_000, (False, None, False), "no_awards"),
        (10_000, (None, False, False), "no_awards"),
        (10_000, (None, None, True), "no_awards"),
        (None, (True, True, True), "no_income"),
    ],
)
def test_each_cell(county: County, income: int | None, awards: Any, colour: str) -> None:
    # Nine neighbours whose incomes keep the mean near 20,000; one of them was rated, so the year is the last.
    homes = others(8, 20_000) | {"邻": (20_000, NONE, ()), "此": (income, awards, ())}
    assert proposed(county, homes)["此"] == colour


@pytest.mark.parametrize(("income", "colour"), [(20_000, "yellow"), (20_001, "open_above")])
def test_equal_reaches_the_mean_and_nothing_is_rounded(county: County, income: int, colour: str) -> None:
    # 60,001 yuan over three households: a third of a yuan is missing to 20,000.
    fill(county, {"此": (income, NONE, ()), "甲": (60_001 - income, NONE, ()), "乙": (0, NONE, ())})
    compute(county)
    assert colours(county)["此"] == colour
    assert row_of(county, "此").inputs["mean"] == 20_001


def test_any_mark_makes_red_and_an_ended_one_or_one_of_somebody_who_left_does_not(county: County) -> None:
    homes: dict[str, Home] = {
        "留守": (20_000, ALL, ("left_behind_elder",)),
        "监测": (20_000, ALL, ("monitored", "out_of_poverty")),
        "退役": (20_000, ALL, ("veteran",)),
        "已止": (20_000, ALL, ("disabled",)),
    }
    fill(county, homes)
    with county.uow() as uow:
        uow.session.execute(update(PersonMark).where(PersonMark.mark_key == "disabled").values(valid_to=today()))
    compute(county)
    assert colours(county) == {"留守": "red", "监测": "red", "退役": "green", "已止": "green"}
    assert row_of(county, "监测").inputs["marks"] == ["脱贫人口", "防返贫监测对象"]


def test_marks_of_the_county_itself(county: County) -> None:
    homes: dict[str, Home] = {"退役": (20_000, ALL, ("veteran",)), "残疾": (20_000, ALL, ("disabled",))}
    assert proposed(county, homes, red_marks=["veteran", "released"]) == {"退役": "red", "残疾": "green"}


def test_where_red_does_not_go_first_people_decide(county: County) -> None:
    homes: dict[str, Home] = {
        "绿且红": (30_000, ALL, ("disabled",)),
        "黄且红": (10_000, NONE, ("disabled",)),
        "空且红": (30_000, (True, False, True), ("disabled",)),
        "缺且红": (None, ALL, ("disabled",)),
        "邻": (20_000, NONE, ()),
    }
    found = proposed(county, homes, red_first=False)
    assert found == {
        "绿且红": "together", "黄且红": "together", "空且红": "red", "缺且红": "red", "邻": "yellow",
    }  # fmt: skip
    assert row_of(county, "绿且红").clause == "together"
    set_rule(county, red_first=True)
    compute(county)
    assert {name for name, colour in colours(county).items() if colour == "red"} == set(homes) - {"邻"}


def test_too_few_incomes_leave_the_whole_village_open_and_red_stands(county: County) -> None:
    rich: dict[str, Home] = {"富": (50_000, ALL, ()), "残": (50_000, ALL, ("disabled",)), "贫": (1_000, NONE, ())}
    homes = rich | others(4, 20_000) | {"无": (None, ALL, ())} | others(2, None, start=5)
    assert len([h for h in homes.values() if h[0] is not None]) == 7  # of ten
    found = proposed(county, homes)
    assert found.pop("残") == "red"
    assert set(found.values()) == {"coverage"}
    assert row_of(county, "富").inputs["coverage"] == 70
    set_rule(county, coverage_percent=70)
    compute(county)
    found = colours(county)
    assert (found["富"], found["残"], found["贫"], found["无"]) == ("green", "red", "yellow", "no_income")


def test_exactly_the_share_is_enough(county: County) -> None:
    homes: dict[str, Home] = {"富": (50_000, ALL, ())} | others(3, 20_000) | others(1, None, start=4)
    assert proposed(county, homes)["富"] == "green"


def test_a_village_without_any_data(county: County) -> None:
    homes: dict[str, Home] = {"残": (None, (None, None, None), ("disabled",))} | others(2, None)
    assert proposed(county, homes) == {"残": "red", "户1": "coverage", "户2": "coverage"}
    inputs = row_of(county, "户1").inputs
    assert (inputs["income"], inputs["income_year"], inputs["mean"], inputs["coverage"]) == (None, None, None, 0)


def test_villages_are_compared_each_with_itself(county: County) -> None:
    fill(county, {"此富": (20_000, ALL, ()), "此贫": (10_000, NONE, ())})
    fill(county, {"彼富": (90_000, ALL, ()), "彼贫": (21_000, NONE, ())}, area=OTHER_VILLAGE)
    compute(county)
    assert colours(county) == {"此富": "green", "此贫": "yellow", "彼富": "green", "彼贫": "yellow"}


def test_income_per_member(county: County) -> None:
    fill(county, {"多口": (40_000, NONE, ()), "空户": (9_000, NONE, ())}, members=4)
    with county.uow() as uow:
        uow.session.execute(update(Household).where(Household.head_name == "空户").values(person_count=0))
    fill(county, {"少口": (20_000, ALL, ())}, area=OTHER_VILLAGE)
    with county.uow() as uow:  # of one village, with one member against four
        one = Household.head_name == "少口"
        uow.session.execute(update(Household).where(one).values(area_code=VILLAGE))
    set_rule(county, measure="head", coverage_percent=60)
    compute(county)
    # 60,000 yuan over five members: 12,000 a head. 10,000 in the large household, 20,000 in the small one.
    assert colours(county) == {"多口": "yellow", "少口": "green", "空户": "no_income"}
    inputs = row_of(county, "多口").inputs
    assert (inputs["persons"], inputs["per_head"], inputs["mean"]) == (4, 10_000, 12_000)
    set_rule(county, measure="household")
    compute(county)
    assert colours(county)["多口"] == "open_above"  # 40,000 against a mean of 23,000


def test_the_newest_year_with_enough_incomes_is_compared(county: County) -> None:
    fill(county, {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())}, year=YEAR)
    with county.uow() as uow:
        rich = home_of(county, "富")
        uow.session.add(HouseholdIncome(area_code=VILLAGE, household_id=rich, year=YEAR + 1, amount=1))
    compute(county)
    assert (colours(county)["富"], row_of(county, "富").inputs["income_year"]) == ("green", YEAR)
    set_rule(county, year=YEAR + 1)
    compute(county)
    assert set(colours(county).values()) == {"coverage"}


def test_while_a_new_year_is_being_rated_nobody_counts_as_not_awarded(county: County) -> None:
    fill(county, {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())})
    with county.uow() as uow:
        rich = home_of(county, "富")
        award = HouseholdAward(area_code=VILLAGE, household_id=rich, award_key=SAFE, year=YEAR + 1)
        award.awarded = True
        uow.session.add(award)
    compute(county)
    assert colours(county) == {"富": "green", "贫": "no_awards"}
    set_rule(county, rating_year=YEAR)
    compute(county)
    assert colours(county) == {"富": "green", "贫": "yellow"}


def test_awards_of_long_ago_settle_nothing(county: County) -> None:
    fill(county, {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())}, year=YEAR - 6)
    compute(county)
    assert colours(county) == {"富": "no_awards", "贫": "no_awards"}


def test_another_award_is_not_this_one(county: County) -> None:
    homes: dict[str, Home] = {"富": (30_000, ALL, ()), "贫": (10_000, NONE, ())}
    assert proposed(county, homes, award="five_good") == {"富": "no_awards", "贫": "no_awards"}


def test_months_until_the_review_are_the_countys(county: County) -> None:
    proposed(county, SIX, valid_months=6)
    judge(county, "乙略低", "village", "yellow")
    row = judge(county, "乙略低", "town", "yellow")
    assert (row.state, row.outcome) == ("in_force", "yellow")
    assert row.review_due is not None
    assert 181 <= (row.review_due - today()).days <= 184


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("measure", "person"), ("year", 1899), ("year", -1), ("coverage_percent", 0), ("coverage_percent", 101),
        ("rating_year", 99), ("red_marks", ["Disabled"]), ("red_marks", [""]), ("award", "平安"), ("valid_months", 0),
        ("red_first", "sometimes"), ("hue", "pink"),
    ],
)  # fmt: skip
def test_settings_that_the_schema_refuses_are_named(county: County, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        set_rule(county, **{field: value})
    assert [key.split(".")[0] for key in caught.value.fields] == [field]
