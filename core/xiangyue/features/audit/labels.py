"""Words of keys and coded values in the trail that a feature writes and nobody else words."""

from __future__ import annotations

import re
from typing import Any

from xiangyue.access.lawful import BASES
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.features.organisations.policy import ENDS, WAYS
from xiangyue.features.privacy.policy_care import CONSENTS, LEFT_BEHIND
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.field_owners import DEPARTMENTS

#: A line of a plan as it is stored: sign, kind of thing, the rest.
_PLAN = re.compile(r"([+~-]) (custom field|[a-z]+) (.*)", re.DOTALL)
_SIGNS: dict[str, Any] = {"+": _l("new"), "~": _l("changed"), "-": _l("removed")}
_PLANNED: dict[str, Any] = {
    "tenant": _l("County"),
    "host": _l("Host name"),
    "plugin": _l("Plugin"),
    "area": _l("Area"),
    "role": _l("Role"),
    "mark": _l("Mark"),
    "award": _l("Award"),
    "custom field": _l("Custom field"),
}


def plan_line(text: str) -> str | None:
    """``+ area 漩涡镇`` in words; None for what is no line of a plan."""
    found = _PLAN.fullmatch(text)
    if found is None or found[2] not in _PLANNED:
        return None
    return _("%(sign)s %(thing)s %(rest)s", sign=str(_SIGNS[found[1]]), thing=str(_PLANNED[found[2]]), rest=found[3])


FIELDS: dict[str, Any] = {
    "action": _l("What"),
    "at": _l("When"),
    "who": _l("Who"),
    "thing": _l("Thing"),
    "place": _l("Village or group"),
    "list": _l("List"),
    "ledger": _l("Ledger"),
    "number": _l("Number on the file"),
    "full": _l("Numbers in full"),
    "query": _l("Conditions"),
    "shared": _l("For everybody in the county"),
    "updated": _l("Last change"),
    "left": _l("Left on"),
    "ip": _l("Address on the network"),
    "request_id": _l("Request"),
    "added": _l("Added"),
    "area": _l("Area"),
    "areas": _l("Areas"),
    "groups": _l("Villager groups"),
    "count": _l("Number"),
    "act": _l("Change of the register"),
    "registered": _l("By the household register"),
    "living": _l("By where they live"),
    "award": _l("Award"),
    "changed": _l("Changed"),
    "codes_left": _l("Recovery codes left"),
    "conflicts": _l("Rows that did not fit"),
    "counties": _l("Counties"),
    "demo": _l("Demonstration account"),
    "entity": _l("Field of"),
    "failures": _l("Wrong tries so far"),
    "first": _l("The first changes"),
    "groups_new": _l("New villager groups"),
    "households": _l("Households"),
    "grids": _l("Grids"),
    "size_reason": _l("Reason for the size"),
    "households_new": _l("New households"),
    "households_changed": _l("Changed households"),
    "households_unchanged": _l("Unchanged households"),
    "persons": _l("Persons"),
    "persons_found": _l("Pairs of persons"),
    "persons_written": _l("New pairs of persons"),
    "persons_gone": _l("Pairs of persons no longer alike"),
    "households_found": _l("Pairs of households"),
    "households_written": _l("New pairs of households"),
    "households_gone": _l("Pairs of households no longer alike"),
    "facts_waiting": _l("Values waiting for a decision"),
    "survivor_id": _l("Record that stays"),
    "loser_id": _l("Record that was merged"),
    "moved": _l("Rows that went along"),
    "persons_new": _l("New persons"),
    "records_changed": _l("Changed records"),
    "records_new": _l("New records"),
    "records_unchanged": _l("Unchanged records"),
    "register": _l("Register that was imported"),
    "persons_changed": _l("Changed persons"),
    "persons_unchanged": _l("Unchanged persons"),
    "ids": _l("Numbers of the records"),
    "income": _l("Income"),
    "income_year": _l("Income year"),
    "key": _l("Short name"),
    "lapsed": _l("Lapsed"),
    "large_text": _l("Large text"),
    "members": _l("Numbers of the members"),
    "on": _l("Day"),
    "purpose": _l("Purpose"),
    "session": _l("Number of the session"),
    "sessions": _l("Sessions ended"),
    "sessions_ended": _l("Sessions ended"),
    "size": _l("Size in bytes"),
    "taken": _l("Taken by plugins"),
    "token": _l("Number of the token"),
    "until": _l("Until"),
    "columns": _l("Columns"),
    "column": _l("Column"),
    "value": _l("Value"),
    "row": _l("Row of the sheet"),
    "left_out": _l("Rows left out"),
    "repairs": _l("Repairs"),
    "valid_only": _l("Only households without errors"),
    "why": _l("Why"),
    "left_on": _l("Left on"),
    "left_reason": _l("Reason for leaving"),
    "lawful_basis": _l("On what ground"),
    "department": _l("Speaks for which department"),
    "due_on": _l("Due"),
    "by_agent": _l("Asked by an agent"),
    "carer_name": _l("Carer"),
    "carer_relation": _l("Relation of the carer to the child"),
    "guardian_name": _l("Guardian"),
    "guardian_relation": _l("Relation of the guardian to the child"),
    "guardian_phone": _l("Phone of the guardian"),
    "consent_on": _l("Guardian consented on"),
    "consent_how": _l("How the guardian consented"),
    "left_behind": _l("Left behind"),
    "helper_name": _l("Helper"),
    "helper_relation": _l("Relation of the helper to the person"),
    "director": _l("Children's director"),
    "answer": _l("Answer"),
    "parent_id": _l("Organisation above"),
    "founded_on": _l("Founded on"),
    "term_years": _l("Years of a term"),
    "term_from": _l("Term from"),
    "term_until": _l("Term until"),
    "registration_code": _l("Unified social credit code"),
    "card_text": _l("Text of the public card"),
    "card_phone": _l("Phone on the public card"),
    "seats_min": _l("Seats that must be taken"),
    "seats_max": _l("Seats at most"),
    "lead": _l("Heads the organisation"),
    "way": _l("How it came"),
    "decided_on": _l("Decided on"),
    "votes": _l("Votes for"),
    "votes_cast": _l("Votes cast"),
    "document": _l("Number of the paper"),
    "outsider_name": _l("Name from outside the register"),
    "doubt_reason": _l("Why it is allowed"),
    "end_reason": _l("Why it ended"),
    "ended": _l("Terms that ended"),
    "file_expires_at": _l("File deleted on"),
}

#: Codes by the key they stand under.
VALUES: dict[str, dict[str, Any]] = {
    "act": KIND_LABELS,
    "state": {
        **STATE_LABELS,
        "active": _l("in use"),
        "closed": _l("closed"),
        "moved": _l("moved away"),
        "merged": _l("merged"),
        "deceased": _l("died"),
        "disabled": _l("disabled"),
        "suspended": _l("suspended"),
        "proposed": _l("proposed"),
        "confirmed": _l("confirmed"),
        "received": _l("received"),
        "in_work": _l("in work"),
        "done": _l("answered"),
        "refused": _l("turned down"),
        "withdrawn": _l("withdrawn"),
    },
    "sensitivity": {
        "normal": _l("ordinary"),
        "sensitive": _l("sensitive"),
    },
    "entity": {
        "household": _l("Household"),
        "person": _l("Person"),
    },
    "type": {
        "text": _l("Text"),
        "integer": _l("Whole number"),
        "boolean": _l("Yes or no"),
        "date": _l("Date"),
        "choice": _l("One of several choices"),
    },
    "way": WAYS,
    "end_reason": ENDS,
    "why": {
        "locked": _l("locked after wrong passwords"),
        "disabled": _l("the account is disabled"),
        "unknown": _l("unknown sign-in name"),
        "password": _l("wrong password"),
        "code": _l("wrong code"),
    },
    "locale": {
        "zh": _l("Chinese"),
        "en": _l("English"),
    },
    "format": {
        "xlsx": _l("Excel"),
    },
    "lawful_basis": BASES,
    "department": DEPARTMENTS,
    "left_behind": LEFT_BEHIND,
    "consent_how": CONSENTS,
    "purpose": {
        "first": _l("first password"),
        "reset": _l("new password"),
    },
}
