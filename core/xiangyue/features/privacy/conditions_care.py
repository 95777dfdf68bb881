"""Conditions of the lists of persons and households on age, company and care, as SQL.

Who lives in a household: its present members who are not away. ``living_count`` says how many.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.features.privacy.policy_care import CARE_VIEW, CARED, CHILD, ELDERS, LIVING, OLD, YOUNG

_ALONE = "p.household_id IN (SELECT c.id FROM household c WHERE {tenant:c} AND c.living_count = 1)"
_YOUNGER = (
    "EXISTS (SELECT 1 FROM person y WHERE {tenant:y} AND y.household_id = %s AND y.state = 'active' AND NOT y.away"
    " AND (y.birth_date IS NULL OR y.birth_date > :%s))"
)
_RECORD = "EXISTS (SELECT 1 FROM person_care r WHERE {tenant:r} AND r.person_id = p.id AND %s)"
_FORM = "SELECT 1 FROM person_consent g WHERE {tenant:g} AND g.person_id = p.id AND g.kind = 'guardian' AND g.current"
#: A form that still counts: its notice stands, and no later version asks again.
_HOLDS = (
    "EXISTS (SELECT 1 FROM notice n JOIN notice_version v ON v.tenant_id = n.tenant_id AND v.notice_id = n.id"
    " WHERE {tenant:n} AND {tenant:v} AND n.id = g.notice_id AND n.state <> 'withdrawn' AND v.id = g.version_id"
    " AND NOT EXISTS (SELECT 1 FROM notice_version w WHERE {tenant:w} AND w.notice_id = n.id AND w.again"
    " AND w.state <> 'draft' AND w.number > v.number))"
)
#: A guardian consented to sensitive data of the child ``p``: the last word counts, in a form of consent of that kind
#: or, where none was answered since, with the child's care.
CONSENTED = (
    f"(EXISTS ({_FORM} AND g.answer = 'given' AND {_HOLDS}) OR "
    + _RECORD % f"r.consent_on IS NOT NULL AND NOT EXISTS ({_FORM} AND g.said_on >= r.consent_on)"
    + ")"
)
_OPEN = "EXISTS (SELECT 1 FROM care_referral f WHERE {tenant:f} AND f.person_id = p.id AND f.state = 'open')"


def born_until(age: int, on: date) -> date:
    """The last birthday of those who are ``age`` full years old; 29 February becomes the 28th."""
    try:
        return on.replace(year=on.year - age)
    except ValueError:
        return on.replace(year=on.year - age, day=28)


def right_of(value: str) -> Permission | None:
    """What a condition needs besides seeing persons."""
    return CARE_VIEW if value in CARED else None


def person_condition(value: str, on: date) -> tuple[str, Mapping[str, Any]]:
    """SQL on the person ``p`` and its parameters (``care_…``). KeyError for one there is not."""
    if value not in LIVING and value not in CARED:
        raise KeyError(value)
    old = {"care_old": born_until(OLD, on)}
    child, young = {"care_child": born_until(CHILD, on)}, {"care_young": born_until(YOUNG, on)}
    if value.startswith("alone_"):
        age = {"care_old": born_until(int(value.removeprefix("alone_")), on)}
        return f"p.birth_date <= :care_old AND NOT p.away AND {_ALONE}", age
    if value == "old_only":
        several = _ALONE.replace("= 1", ">= 2")
        younger = _YOUNGER % ("p.household_id", "care_old")
        return f"p.birth_date <= :care_old AND NOT p.away AND {several} AND NOT {younger}", old
    if value == "no_phone":
        return "p.birth_date <= :care_old AND p.phone IS NULL", old
    if value == "no_helper":
        record = _RECORD % "r.helper_name <> ''"
        return f"p.birth_date <= :care_old AND p.phone IS NULL AND NOT {record}", old
    if value == "no_carer":
        return f"p.birth_date > :care_child AND NOT {_RECORD % _filled('carer_name')}", child
    if value == "left_behind":
        return f"p.birth_date > :care_child AND {_RECORD % _away()}", child
    if value == "no_consent":
        return f"p.birth_date > :care_young AND p.phone IS NOT NULL AND NOT {CONSENTED}", young
    return _OPEN, {}


def _filled(column: str) -> str:
    return f"r.{column} <> ''"


def _away() -> str:
    # By the State Council's definition (2016, No. 13): both away, or one and the other cannot care.
    return "r.left_behind = 'both'"


def household_condition(value: str, on: date, prefix: str) -> tuple[str, Mapping[str, Any]]:
    """SQL on the household ``h`` and its parameters, which begin with ``prefix``. KeyError for one there is not."""
    if value not in ELDERS:
        raise KeyError(value)
    name = f"{prefix}_old"
    if value == "old_only":
        younger = _YOUNGER % ("h.id", name)
        return f"h.living_count >= 2 AND NOT {younger}", {name: born_until(OLD, on)}
    age = int(value.removeprefix("alone_"))
    return f"h.living_count = 1 AND NOT {_YOUNGER % ('h.id', name)}", {name: born_until(age, on)}
