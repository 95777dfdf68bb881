"""What may stand in the condition of a list."""

from __future__ import annotations

from typing import Any

import pytest

from xiangyue.plugin.conditions import BadCondition, checked_condition, checked_select

KEY = "probe_colour"
GOOD = (
    "EXISTS (SELECT 1 FROM plugin_probe.colour c WHERE {tenant:c} AND c.household_id = h.id"
    " AND c.outcome = :probe_colour AND c.note <> 'it''s; -- (fine)')"
)


def test_a_condition_goes_through_as_it_is() -> None:
    assert checked_condition(KEY, (GOOD, {KEY: "red"})) == (GOOD, {KEY: "red"})
    assert checked_condition(KEY, ("h.person_count::int > :probe_colour_n", {"probe_colour_n": 3}))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (None, "pair"),
        ("true", "pair"),
        (("true", None), "pair"),
        ((GOOD, {}), "without a value: probe_colour"),
        (("h.id = :other", {"other": 1}), "'other' does not begin"),
        (("true", {"scope_tenant": 2}), "'scope_tenant' does not begin"),
        (("true", {"probe_colourful": 2}), "does not begin"),
        (("to_char(now(), 'HH24:mi') > ''", {}), "'mi' does not begin"),
        (("true) OR (true", {}), "brackets"),
        (("(true", {}), "brackets"),
        (("true -- the rest", {}), "'--'"),
        (("true /* the rest", {}), "'/*'"),
        (("true; DELETE FROM household", {}), "';'"),
        (("'x", {}), '"\'"'),
        (("E'\\'' OR true", {}), "'\\\\\\\\'"),
        (("$$x$$ = ''", {}), "'$'"),
        (("{area:h}", {}), "'{'"),
        (("h.id IN (SELECT c.id FROM plugin_probe.colour c)", {}), "sub-select"),
        ((" ", {}), "empty"),
    ],
)
def test_what_could_end_the_statement_or_its_scope_is_refused(made: Any, why: str) -> None:
    with pytest.raises(BadCondition, match=why.replace("(", r"\(").replace("$", r"\$").replace("*", r"\*")):
        checked_condition(KEY, made)


SELECT = "\nWITH a AS (SELECT 1) SELECT h.id, ' ) ; --' FROM household h WHERE {scope:h}\n"


def test_a_statement_goes_through_as_it_is() -> None:
    assert checked_select(SELECT) == SELECT


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (None, "no text"),
        (" ", "empty"),
        ("SELECT 1) q ), zz AS (DELETE FROM household h WHERE {scope:h} RETURNING (1", "brackets"),
        ("SELECT 1; DELETE FROM household", "';'"),
        ("SELECT 1 -- the rest", "'--'"),
        ("DELETE FROM household h WHERE {scope:h}", "not a SELECT"),
    ],
)
def test_a_statement_that_could_leave_its_brackets_is_refused(made: Any, why: str) -> None:
    with pytest.raises(BadCondition, match=why):
        checked_select(made)
