"""Who is a near relative of whom, by the relations to the head of a household."""

from __future__ import annotations

import pytest

from xiangyue.features.organisations.relatives import CLEAR, DOUBT, LABELS, kinship
from xiangyue.text.codes import RELATIONS


@pytest.mark.parametrize(
    ("one", "other", "label"),
    [
        ("02", "12", "spouses"), ("51", "52", "spouses"), ("02", "20", "child"), ("12", "30", "child"),
        ("51", "02", "child"), ("71", "51", "child"), ("12", "55", "child"), ("22", "33", "siblings"),
        ("02", "73", "siblings"), ("41", "02", "grandchild"), ("52", "20", "grandchild"), ("02", "62", "grandchild"),
    ],
)  # fmt: skip
def test_near_relatives_of_the_civil_code_are_certain(one: str, other: str, label: str) -> None:
    found = kinship(one, other)
    assert found is not None
    assert (found.verdict, found.label) == (CLEAR, label)


@pytest.mark.parametrize(
    ("one", "other", "label"),
    [
        ("02", "38", "in_laws"), ("12", "51", "in_laws"), ("02", "72", "in_laws"), ("02", "27", "unclear"),
        ("20", "41", "unclear"), ("20", "38", "unclear"), ("41", "42", "unclear"), ("", "20", "unclear"),
        ("80", "02", "unclear"), ("97", "02", "unclear"),
    ],
)  # fmt: skip
def test_what_the_register_does_not_settle_is_a_doubt(one: str, other: str, label: str) -> None:
    found = kinship(one, other)
    assert found is not None
    assert (found.verdict, found.label) == (DOUBT, label)


@pytest.mark.parametrize(("one", "other"), [("02", "93"), ("02", "99"), ("20", "71"), ("02", "47"), ("02", "98")])
def test_uncles_great_grandchildren_and_strangers_are_none(one: str, other: str) -> None:
    assert kinship(one, other) is None


def test_spouses_of_former_days_are_a_doubt_and_blood_stays() -> None:
    former = kinship("02", "12", standing=False)
    assert former is not None
    assert (former.verdict, former.label) == (DOUBT, "was_married")
    child = kinship("02", "20", standing=False)
    assert child is not None
    assert child.verdict == CLEAR


def test_it_is_the_same_from_both_sides_and_says_something_for_every_code() -> None:
    codes = ["", *(code.code for code in RELATIONS)]
    for one in codes:
        for other in codes:
            found = kinship(one, other)
            assert found == kinship(other, one)
            assert found is None or found.label in LABELS
