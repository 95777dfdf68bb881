"""Whole numbers as somebody typed them."""

from __future__ import annotations

import pytest

from xiangyue.errors import Invalid
from xiangyue.features.audit.view import wanted
from xiangyue.features.grids.rules import checked_rule, checked_template
from xiangyue.features.households.custom import parse_value
from xiangyue.features.organisations.inputs import Errors, whole
from xiangyue.text.whole import whole_number
from xiangyue.web.components import Filter

#: Too wide for a column, and too long for Python to read at all.
WIDE = ("9" * 25, "9" * 5000)


def test_digits_are_a_number_and_nothing_else_is() -> None:
    assert [whole_number(text) for text in ("0", " 12 ", "9" * 18, 7)] == [0, 12, 10**18 - 1, 7]
    assert [whole_number(text) for text in ("", "-1", "1.5", "\u00b2", "\uff11", "9" * 19, None, *WIDE)] == [None] * 9


@pytest.mark.parametrize("given", [*WIDE, "--5", "5-", "\u00b2"])
def test_what_is_no_number_is_refused_by_the_fields(given: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|整数"):
        parse_value("integer", [], given)
    with pytest.raises(Invalid) as rule:
        checked_rule({"min_households": given})
    assert set(rule.value.fields) == {"min_households"}
    with pytest.raises(Invalid) as template:
        checked_template({"template": "{village}{level}{serial}", "width": given})
    assert set(template.value.fields) == {"width"}
    errors: Errors = {}
    assert whole({"n": given}, "n", errors, most=10) is None
    assert set(errors) == {"n"}


@pytest.mark.parametrize("given", [*WIDE, "5-", "\u00b2"])
def test_a_tampered_address_has_a_condition_that_cannot_be_used(given: str) -> None:
    assert Filter("n", "n", kind="number").problem(given)
    assert wanted({"object_id": given}).object_id is None


def test_an_own_field_takes_what_its_column_takes() -> None:
    assert [parse_value("integer", [], text) for text in ("-12", str(2**63 - 1))] == [-12, 2**63 - 1]
    with pytest.raises(ValueError, match=r"whole number|整数"):
        parse_value("integer", [], str(2**63))
