"""Which department answers for which field of the register, and by which law it is kept.

The table here holds for every county; a county's profile may say otherwise (``[settings.field_owners]``). A mark has
its own department (``source``); the county's own fields have none unless the profile says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xiangyue.i18n import lazy_gettext as _l

DEPARTMENTS: dict[str, Any] = {
    "police": _l("Public security (police)"),
    "civil_affairs": _l("Civil affairs"),
    "disabled_persons": _l("Disabled persons' federation"),
    "health": _l("Health"),
    "education": _l("Education"),
    "agriculture": _l("Agriculture and rural affairs"),
    "human_resources": _l("Human resources and social security"),
    "housing": _l("Housing and construction"),
    "veterans": _l("Veterans affairs"),
    "political_legal": _l("Political and legal affairs commission"),
    "township": _l("Town or township government"),
    "village": _l("Village committee"),
}

REGISTRATION = _l("Household Registration Regulations (1958), articles 3 and 4")
VILLAGE_LAW = _l("Organic Law of Villagers' Committees, articles 2 and 5")
RELAPSE = _l("Rural Revitalization Promotion Law (monitoring against a return to poverty)")


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """``department``: a key of DEPARTMENTS, "" for none said. ``basis``: a key of ``access.lawful.BASES``; ``law``:
    what it rests on. ``stays``: the law keeps it as long as the person is on the register, whoever asks for erasure."""

    label: Any
    department: str
    basis: str = "duty"
    law: Any = ""
    stays: bool = False


#: ``household.<field>`` or ``person.<field>``, in the order of the forms.
STANDARD: dict[str, FieldOwner] = {
    "person.name": FieldOwner(_l("Full name"), "police", law=REGISTRATION, stays=True),
    "person.relation": FieldOwner(_l("Relation to the head"), "police", law=REGISTRATION, stays=True),
    "person.id_number": FieldOwner(_l("Citizen number"), "police", law=REGISTRATION, stays=True),
    "person.birth_date": FieldOwner(_l("Date of birth"), "police", law=REGISTRATION, stays=True),
    "person.sex": FieldOwner(_l("Sex"), "police", law=REGISTRATION, stays=True),
    "person.nationality": FieldOwner(_l("Nationality"), "police", law=REGISTRATION, stays=True),
    "person.phone": FieldOwner(_l("Phone"), "village", law=VILLAGE_LAW),
    "person.away": FieldOwner(_l("Away"), "village", law=VILLAGE_LAW, stays=True),
    "person.note": FieldOwner(_l("Note on the person"), "village", law=VILLAGE_LAW),
    "household.address": FieldOwner(_l("Address"), "police", law=REGISTRATION, stays=True),
    "household.income": FieldOwner(_l("Yearly income"), "agriculture", law=RELAPSE, stays=True),
    "household.award": FieldOwner(_l("Yearly awards"), "political_legal", law=VILLAGE_LAW, stays=True),
    "household.note": FieldOwner(_l("Note on the household"), "village", law=VILLAGE_LAW, stays=True),
}


def department_of(field: str, overrides: Mapping[str, str]) -> str:
    """Key of the department that answers for ``person.phone``, ``custom.household.water`` …; "" when nobody said."""
    known = STANDARD.get(field)
    return overrides.get(field) or (known.department if known is not None else "")
