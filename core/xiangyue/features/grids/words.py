"""Grids in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.features.grids.policy import LEVELS, PROBLEMS, SPECIAL_KINDS
from xiangyue.features.grids.sizes import rule_text
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

_BREACHES = {
    "households_below": _l("fewer households than the rule"),
    "households_above": _l("more households than the rule"),
    "persons_below": _l("fewer persons than the rule"),
    "persons_above": _l("more persons than the rule"),
}


def kind_words(row: Mapping[str, Any]) -> Any:
    """Level 2; of a special grid its kind."""
    if row["kind"] == "special":
        return SPECIAL_KINDS.get(row["special_kind"]) or row["special_kind"] or _l("Special grid")
    return LEVELS.get(row["level"], "")


def breach_words(row: Mapping[str, Any]) -> str:
    """What is outside the rule, "" for nothing."""
    return join_words(str(_BREACHES[what]) for what in row["breaches"])


def rule_words(row: Mapping[str, Any]) -> Any:
    return rule_text(row["rule"])


def leader_words(row: Mapping[str, Any]) -> str:
    """Who leads the grid, with what stands against it; of several the principal one and how many others there are."""
    lead = row["lead"]
    if lead is None:
        return ""
    more = f" +{lead['others']}" if lead["others"] else ""
    return str(lead["name"]) + more + (f" ({PROBLEMS[lead['problem']]})" if lead["problem"] else "")
