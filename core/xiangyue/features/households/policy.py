"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

HOUSEHOLD_VIEW = Permission("household.view", _l("See households and persons"))
HOUSEHOLD_EDIT = Permission("household.edit", _l("Register and change households and persons"))
REGISTER_REPORT = Permission(
    "register.report", _l("Report births, deaths, leaving and coming, for the village to confirm")
)
HOUSEHOLD_EXPORT = Permission("household.export", _l("Export households and persons"))
IDENTIFIER_REVEAL = Permission("identifier.reveal", _l("Show full identity and phone numbers"), sensitive=True)
SENSITIVE_VIEW = Permission("mark.sensitive.view", _l("See sensitive marks"), sensitive=True)
SENSITIVE_EDIT = Permission("mark.sensitive.edit", _l("Change sensitive marks"), sensitive=True)

PERMISSIONS = (
    HOUSEHOLD_VIEW,
    HOUSEHOLD_EDIT,
    REGISTER_REPORT,
    HOUSEHOLD_EXPORT,
    IDENTIFIER_REVEAL,
    SENSITIVE_VIEW,
    SENSITIVE_EDIT,
)

ACTIONS = {
    "household.add": _l("Household registered"),
    "household.edit": _l("Household changed"),
    "household.move": _l("Household moved to another area"),
    "household.close": _l("Household closed"),
    "household.reopen": _l("Household opened again"),
    "household.import": _l("Household changed by an import"),
    "household.import_undo": _l("Household put back by the undo of an import"),
    "household.export": _l("Households exported"),
    "household.income": _l("Yearly income recorded"),
    "household.award": _l("Yearly award recorded"),
    "person.add": _l("Person registered"),
    "person.edit": _l("Person changed"),
    "person.move": _l("Person moved to another household"),
    "person.leave": _l("Person left"),
    "person.return": _l("Person came back"),
    "person.away": _l("Person left for elsewhere"),
    "person.back": _l("Person lives here again"),
    "household.head": _l("Head of the household changed"),
    "household.split": _l("Household split"),
    "household.merge": _l("Household merged into another"),
    "register.export": _l("Changes of the register exported"),
    "register.report": _l("Change of the register reported"),
    "register.confirm": _l("Report confirmed"),
    "register.refuse": _l("Report refused"),
    "register.undo": _l("Change of the register undone"),
    "person.import": _l("Person changed by an import"),
    "person.import_undo": _l("Person put back by the undo of an import"),
    "person.export": _l("Persons exported"),
    "ledger.export": _l("Ledger made"),
    "mark.add": _l("Mark added"),
    "mark.end": _l("Mark ended"),
    "mark.read": _l("Sensitive marks shown"),
    "identifier.reveal": _l("Identity and phone number shown in full"),
}

ROLE_TEMPLATES = {
    "county_admin": frozenset(
        {
            HOUSEHOLD_VIEW.name,
            HOUSEHOLD_EDIT.name,
            REGISTER_REPORT.name,
            HOUSEHOLD_EXPORT.name,
            IDENTIFIER_REVEAL.name,
            SENSITIVE_VIEW.name,
            SENSITIVE_EDIT.name,
        }
    ),
    "department": frozenset({HOUSEHOLD_VIEW.name}),
    "town": frozenset({HOUSEHOLD_VIEW.name, HOUSEHOLD_EDIT.name, REGISTER_REPORT.name, HOUSEHOLD_EXPORT.name}),
    "village": frozenset({HOUSEHOLD_VIEW.name, HOUSEHOLD_EDIT.name, REGISTER_REPORT.name}),
    "grid_leader": frozenset({HOUSEHOLD_VIEW.name, REGISTER_REPORT.name}),
}
