"""Rules in words: inputs as people read them, what says something, which version holds, when a review is due."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.integration.classifications_kit import CLASSIFIER

from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Scope
from xiangyue.errors import Conflict
from xiangyue.features.classifications.rules import (
    Reader,
    clause_of,
    in_words,
    months_later,
    next_step,
    outcome_view,
    telling,
    version_on,
)
from xiangyue.i18n import in_locale
from xiangyue.plugin.registry import Classifier, Input


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("money", 20000, ("20,000 yuan", False)),
        ("number", 1234, ("1,234", False)),
        ("boolean", True, ("yes", False)),
        ("boolean", False, ("no", False)),
        ("money", None, ("no data", False)),
        ("years", [2023, 2024], ("2023, 2024", False)),
        ("years", {"2023": True, "2024": None}, ("2023: yes, 2024: no data", False)),
        ("list", [], ("none", False)),
        ("list", ["留守老人", "残疾"], ("留守老人, 残疾", True)),
        ("text", "东南村", ("东南村", True)),
    ],
)
def test_inputs_in_words(kind: str, value: Any, words: tuple[str, bool]) -> None:
    with in_locale("en"):
        assert in_words(kind, value) == words


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [("list", [], False), ("list", ["x"], True), ("boolean", False, False), ("number", 0, False), ("money", 0, True),
     ("text", "", False), ("text", None, False), ("years", {}, False)],
)  # fmt: skip
def test_of_nothing_there_is_nothing_to_hide(kind: str, value: Any, says: bool) -> None:
    assert telling(kind, value) is says


def reader(right: Scope, opened: Scope) -> Reader:
    secret = Permission("x.secret", "x", sensitive=True)
    inputs = (Input("income", "Income", "money"), Input("ill", "Ill", "list", secret))
    classifier = Classifier(
        "x.y", "Y", secret, CLASSIFIER.outcomes, inputs, CLASSIFIER.versions, CLASSIFIER.steps, CLASSIFIER.propose
    )
    return Reader(classifier, {"ill": (right, opened)})


HERE, THERE = 610921100200_000, 610921101200_000
IN = Scope(1, ((HERE, HERE + 999),))
NOWHERE = Scope(1, ())
STORED = {"income": 1, "ill": ["a"], "undeclared": "b"}


@pytest.mark.parametrize(
    ("right", "opened", "area", "sensitive", "shown", "flags"),
    [
        (IN, IN, HERE, True, ["income", "ill"], (False, False, True)),
        (IN, IN, HERE, False, ["income"], (False, True, False)),
        (IN, NOWHERE, HERE, True, ["income"], (False, True, False)),
        (IN, IN, THERE, True, ["income"], (True, False, False)),
        (NOWHERE, NOWHERE, HERE, True, ["income"], (True, False, False)),
    ],
)
def test_a_ground_is_open_by_right_place_and_purpose(
    right: Scope, opened: Scope, area: int, sensitive: bool, shown: list[str], flags: tuple[bool, bool, bool]
) -> None:
    found = reader(right, opened).grounds(STORED, area, sensitive=sensitive)
    assert [g.key for g in found.shown] == shown
    assert (found.restricted, found.closed, found.sensitive) == flags
    assert not reader(right, opened).grounds({"income": 1, "ill": []}, area).restricted
    assert reader(right, opened).grounds("nonsense", area).shown == []


def test_versions_clauses_and_steps() -> None:
    assert version_on(CLASSIFIER, date(2099, 12, 31)).key == "2021"
    assert version_on(CLASSIFIER, date(2100, 1, 1)).key == "2100"
    with pytest.raises(Conflict):
        version_on(CLASSIFIER, date(2020, 12, 31))
    found = clause_of(CLASSIFIER, "2100", "income")
    assert found is not None
    assert found.source == "县发〔2021〕1号 一", "a clause the newest version lost is still found"
    assert clause_of(CLASSIFIER, "2021", "no such") is None
    steps = [next_step(CLASSIFIER, done) for done in (0, 1, 5)]
    assert [s.key for s in steps if s] == ["village", "town", "town"]


def test_outcomes_say_when_grounds_are_restricted() -> None:
    with in_locale("en"):
        assert str(outcome_view(CLASSIFIER, "red", True)) == "Red · grounds restricted"
        assert str(outcome_view(CLASSIFIER, "red")) == "Red"
    assert outcome_view(CLASSIFIER, "open").chip == "undetermined"
    assert (outcome_view(CLASSIFIER, "gone").label, outcome_view(CLASSIFIER, "gone").chip) == ("gone", "grey")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 11, 22), 12, date(2027, 11, 22)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_months_later(day: date, months: int, then: date) -> None:
    assert months_later(day, months) == then
