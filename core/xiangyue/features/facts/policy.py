"""The right of the feature and who gets it by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

FACT_DECIDE = Permission("fact.decide", _l("Decide which of two values stands"), group=_l("Conflicting values"))
PERMISSIONS = (FACT_DECIDE,)
ROLE_TEMPLATES = {role: frozenset({FACT_DECIDE.name}) for role in ("county_admin", "town", "village")}
ACTIONS = {
    "fact.export": _l("Conflicting values exported"),
    "fact.keep": _l("Value kept against an import"),
    "fact.take": _l("Value taken from an import"),
}
STATES = {"open": _l("Waits for a decision"), "kept": _l("Kept"), "taken": _l("Taken")}
#: What may wait: of persons by its name, of households after ``household.``; besides, ``custom.<entity>.<key>``.
FIELDS = {
    "name": _l("Full name"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "id_number": _l("Citizen number"),
    "phone": _l("Phone"),
    "household.address": _l("Address"),
    "household.income": _l("Yearly income"),
}
#: Decided at once.
MOST_AT_ONCE = 500
