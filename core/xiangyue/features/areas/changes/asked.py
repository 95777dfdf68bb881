"""What somebody asked for, as it is kept: codes as numbers of 15 digits, names without spaces.

``request`` of a change, by its kind:

- rename: area, name, kind (of a group) · recode: area, code, name · move: area, parent, code, name
- merge: areas (that go), into (that stays, or with name a new one), name, children: {code: {code, name}} of what lies
  below those that go
- split: area, keep (whether it stays), parts: [{code, name, kind, children: [codes]}]
- create: parent, code, name, kind · close: area
- merge and split: rules: [{groups: [codes], first, last, to}] by villager group and house number, households:
  {household id: code}

A code may be left out where the next free one will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.errors import Invalid, NotFound
from xiangyue.features.areas.queries import parse_code
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import without_spaces

Request = dict[str, Any]
Errors = dict[str, list[Any]]
MOST_PARTS = 20
MOST_RULES = 200
#: Codes that each kind needs.
NEEDED = {
    "rename": ("area",),
    "recode": ("area",),
    "move": ("area", "parent"),
    "merge": ("into",),
    "split": ("area",),
    "create": ("parent",),
    "close": ("area",),
}


def clean(kind: str, given: Mapping[str, Any]) -> Request:
    """The request as it is kept. Raises Invalid."""
    errors: Errors = {}
    found: Request = {}
    for name in ("area", "parent", "into", "code"):
        found[name] = _code(given.get(name), name, errors)
    found["areas"] = list(dict.fromkeys(filter(None, (_code(c, "areas", errors) for c in _many(given.get("areas"))))))
    found["name"] = _name(given.get("name"), "name", errors)
    found["kind"] = str(given.get("kind") or "")
    found["keep"] = bool(given.get("keep", True))
    found["parts"] = [_part(n, part, errors) for n, part in enumerate(_many(given.get("parts"))[:MOST_PARTS])]
    found["rules"] = [_rule(n, rule, errors) for n, rule in enumerate(_many(given.get("rules"))[:MOST_RULES])]
    found["children"] = {
        str(_code(old, "children", errors)): {
            "code": _code(new.get("code"), f"children.{old}", errors),
            "name": _name(new.get("name"), f"children.{old}", errors),
        }
        for old, new in (given.get("children") or {}).items()
    }
    found["households"] = {
        str(int(id)): _code(code, "households", errors) for id, code in (given.get("households") or {}).items()
    }
    for name in NEEDED[kind]:
        if not found[name] and name not in errors:
            errors[name] = [_l("Choose an area.")]
    if kind == "merge" and not found["areas"] and "areas" not in errors:
        errors["areas"] = [_l("Choose which areas go into another.")]
    if kind == "split" and not found["parts"]:
        errors["parts"] = [_l("Say what it is split into.")]
    if kind in ("rename", "create") and not found["name"] and "name" not in errors:
        errors["name"] = [_l("Enter a name of at most 60 characters.")]
    if errors:
        raise Invalid(errors)
    return {name: value for name, value in found.items() if value not in ("", 0, [], {}) or name == "keep"}


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def _code(value: Any, name: str, errors: Errors) -> int:
    if value in (None, "", 0):
        return 0
    try:
        return parse_code(str(value))
    except NotFound:
        errors[name] = [_l("A code has 9, 12 or 15 digits; “%(code)s” has not.", code=str(value)[:20])]
        return 0


def _name(value: Any, name: str, errors: Errors) -> str:
    text = without_spaces(str(value or ""))
    if len(text) > 60 or not text.isprintable():
        errors[name] = [_l("Enter a name of at most 60 characters.")]
    return text


def _part(number: int, given: Mapping[str, Any], errors: Errors) -> Request:
    name = _name(given.get("name"), f"parts.{number}.name", errors)
    if not name:
        errors.setdefault(f"parts.{number}.name", [_l("Enter a name of at most 60 characters.")])
    children = [_code(code, f"parts.{number}.children", errors) for code in _many(given.get("children"))]
    return {
        "code": _code(given.get("code"), f"parts.{number}.code", errors),
        "name": name,
        "kind": str(given.get("kind") or ""),
        "children": [code for code in dict.fromkeys(children) if code],
    }


def _rule(number: int, given: Mapping[str, Any], errors: Errors) -> Request:
    first, last = (_whole(given.get(name), f"rules.{number}.{name}", errors) for name in ("first", "last"))
    if first and last and first > last:
        errors[f"rules.{number}.last"] = [_l("The last number is smaller than the first.")]
    groups = [_code(code, f"rules.{number}.groups", errors) for code in _many(given.get("groups"))]
    to = _code(given.get("to"), f"rules.{number}.to", errors)
    if not to:
        errors.setdefault(f"rules.{number}.to", [_l("Say where these households go.")])
    return {"groups": [code for code in groups if code], "first": first, "last": last, "to": to}


def _whole(value: Any, name: str, errors: Errors) -> int:
    if value in (None, ""):
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if not 1 <= number <= 99_999:
        errors[name] = [_l("Enter a whole number.")]
    return number
