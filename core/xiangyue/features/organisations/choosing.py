"""Who is meant by a name that somebody typed: a person of the register, or somebody outside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import names
from xiangyue.features.organisations.queries_person import Candidate, candidates
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l

_NUMBER = re.compile(r"[#＃]\s*([0-9]{1,18})")


@dataclass(slots=True)
class Meant:
    """``values``: what the services take; ``problem``: why nobody is meant for certain; ``choices``: those to choose
    from, (number of the person, words)."""

    values: dict[str, Any] = field(default_factory=dict)
    problem: Any = None
    choices: list[tuple[str, str]] = field(default_factory=list)


def meant(uow: Uow, typed: Mapping[str, Any], area: int) -> Meant:
    """By ``who`` (a full name, or one with the person's number as 王建国 #12), ``person`` (chosen among several) and
    ``outside`` with ``unit``. Nothing typed means nobody, without a problem."""
    who = str(typed.get("who") or "").strip()
    if not who:
        return Meant()
    if typed.get("outside"):
        return Meant({"outsider_name": who, "outsider_unit": str(typed.get("unit") or "")})
    number = _NUMBER.search(who)
    found = candidates(uow, f"#{number[1]}" if number else who, area)
    chosen = str(typed.get("person") or "")
    for one in found:
        if str(one.id) == chosen:
            return Meant({"person_id": one.id})
    if len(found) == 1:
        return Meant({"person_id": found[0].id})
    if not found:
        text = _l(
            "Nobody on the register in your area is called “%(who)s”. Check the name, or tick that it is somebody from"
            " outside the register.",
            who=who,
        )
        return Meant(problem=text)
    return Meant(problem=_l("Several people are called “%(who)s”. Choose which.", who=who), choices=_words(uow, found))


def _words(uow: Uow, found: list[Candidate]) -> list[tuple[str, str]]:
    places = names(uow, {one.area_code for one in found} | {one.area_code - one.area_code % 1000 for one in found})
    said = []
    for one in found:
        village = places.get(one.area_code - one.area_code % 1000, "")
        group = places.get(one.area_code, "") if one.area_code % 1000 else ""
        born = one.birth_date.isoformat() if one.birth_date else _("birth unknown")
        said.append((str(one.id), f"{one.name} · {born} · {village}{group} · {one.head_name} · {one.household_code}"))
    return said
