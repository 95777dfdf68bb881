"""Whether the SQL of a list's condition or of a classifier may stand in a statement of the core's.

A condition is one expression, a classifier's SQL one SELECT. Nothing in it may end the expression, the statement or the
scope around it, and its parameters must not meet the list's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"\{(?:scope|tenant):[a-z_][a-z0-9_]*\}")
_PARAMETER = re.compile(r"(?<!:):([A-Za-z_][A-Za-z0-9_]*)")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_FORBIDDEN = (";", "--", "/*", "\\", "$", '"', "'", "{", "}", "\x00")


class BadCondition(ValueError):
    """The condition is not one; the text says why, for the plugin's author."""


def checked_condition(key: str, made: Any) -> tuple[str, dict[str, Any]]:
    """(SQL, parameters) of what ``HouseholdFilter.condition`` returned. Raises BadCondition.

    ``{scope:alias}`` and ``{tenant:alias}`` are the only braces; a sub-select has at least one of them; parameters
    begin with ``key`` and are all given.
    """
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], str) and isinstance(made[1], Mapping)):
        raise BadCondition("condition() returns a pair: SQL and a mapping of its parameters")
    sql, given = made
    bare = _checked(sql, "condition")
    if re.search(r"\bselect\b", bare, re.IGNORECASE) and _PLACE.search(sql) is None:
        raise BadCondition("a sub-select without {tenant:alias} reads past the county")
    params = dict(given)
    used = set(_PARAMETER.findall(_PLACE.sub("", sql)))
    for name in {*params, *used}:
        if not isinstance(name, str) or not (name == key or name.startswith(f"{key}_")):
            raise BadCondition(f"parameter {name!r} does not begin with {key}")
    missing = sorted(used - set(params))
    if missing:
        raise BadCondition(f"parameters without a value: {', '.join(missing)}")
    return sql, params


def checked_select(sql: Any) -> str:
    """The SELECT of ``Proposals``, which the core sets in brackets. Raises BadCondition."""
    if not isinstance(sql, str):
        raise BadCondition("the statement is no text")
    if not re.match(r"\s*(?:select|with)\b", _checked(sql, "statement"), re.IGNORECASE):
        raise BadCondition("the statement is not a SELECT")
    return sql


def _checked(sql: str, what: str) -> str:
    """SQL without its literals and places, with nothing in it that ends it."""
    bare = _PLACE.sub("", _LITERAL.sub("", sql))
    found = next((mark for mark in _FORBIDDEN if mark in bare or (mark == "\\" and mark in sql)), None)
    if found is not None:
        raise BadCondition(f"{found!r} may not stand in a {what}")
    if not bare.strip():
        raise BadCondition(f"the {what} is empty")
    _check_brackets(bare)
    return bare


def _check_brackets(bare: str) -> None:
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    if depth:
        raise BadCondition("brackets do not match")
