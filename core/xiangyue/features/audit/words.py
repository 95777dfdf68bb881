"""The trail in words: what an action, a thing and a field are called, and a change as before → after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from xiangyue.access.audit import EXPORTED
from xiangyue.access.models import AuditEntry
from xiangyue.features.audit import labels
from xiangyue.features.households.own_lists import PREFIX, condition_label
from xiangyue.i18n import format_datetime, join_words
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.chinese import has_han
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX

#: What an action is about, by the first part of its name; also what ``object_type`` is called.
THINGS: dict[str, Any] = {
    "household": _l("Household"),
    "person": _l("Person"),
    "register_act": _l("Change of the register"),
    "person_mark": _l("Mark"),
    "household_income": _l("Household income"),
    "household_award": _l("Household award"),
    "mark": _l("Mark"),
    "mark_kind": _l("Kind of mark"),
    "award_kind": _l("Kind of award"),
    "custom_field": _l("Custom field"),
    "area": _l("Area"),
    "area_change": _l("Change of areas"),
    "area_move": _l("Change of areas"),
    "account": _l("Account"),
    "account_session": _l("Session"),
    "api_token": _l("Access token"),
    "role": _l("Role"),
    "role_grant": _l("Role in an area"),
    "import": _l("Import"),
    "import_batch": _l("Import"),
    "stored_file": _l("File"),
    "job": _l("Background job"),
    "tenant": _l("County"),
    "audit": _l("Audit trail"),
    "audit_entry": _l("Audit trail"),
    "audit_seal": _l("Seal"),
    "list": _l("List"),
    "export": _l("Export"),
    "cockpit": _l("Overview"),
    "classification": _l("Classification"),
    "classifier": _l("Classification rule"),
    "identifier": _l("Identity number"),
    "saved_view": _l("Saved view"),
    "plugin": _l("Plugin"),
    "fact": _l("Conflicting value"),
    "duplicate": _l("Possible duplicate"),
    "duplicate_pair": _l("Possible duplicate"),
    "record_merge": _l("Merge"),
    "privacy_request": _l("Request about personal information"),
    "notice": _l("Notice or form of consent"),
    "person_access": _l("Access log"),
    "person_care": _l("Carers and helpers"),
    "care_referral": _l("Referral to the children's director"),
    "organisation": _l("Organisation"),
    "organisation_election": _l("Term of an organisation"),
    "post": _l("Post of an organisation"),
    "post_holder": _l("Who holds a post"),
    "grid": _l("Grid"),
    "grid_change": _l("Change of grids"),
    "grid_draft": _l("Draft of grids"),
    "grid_setting": _l("Rules for grids"),
    "grid_post": _l("Post in a grid"),
    "callout": _l("Call in an emergency"),
    "callout_group": _l("Group in a call"),
    "household_group": _l("Ten-household group"),
    "household_group_change": _l("Change of ten-household groups"),
    "household_group_head": _l("Head of a ten-household group"),
    "household_group_member": _l("Place in a ten-household group"),
    "grid_household": _l("Place in a grid"),
    "grid_draft_household": _l("Draft of grids"),
    "household_member": _l("Member of a household"),
    "person_consent": _l("Consent"),
    "custom_value": _l("Value of an own field"),
    "fact_conflict": _l("Conflicting value"),
}

#: What was done, by the rest of an action's name, where nobody registered words for the whole.
VERBS: dict[str, Any] = {
    "add": _l("added"),
    "create": _l("made"),
    "edit": _l("changed"),
    "remove": _l("taken away"),
    "delete": _l("deleted"),
    "close": _l("closed"),
    "reopen": _l("opened again"),
    "move": _l("moved"),
    "retire": _l("retired"),
    "restore": _l("in use again"),
    "reveal": _l("shown in full"),
    "read": _l("read"),
    "export": _l("exported"),
    "import": _l("imported"),
    "upload": _l("uploaded"),
    "check": _l("checked"),
    "commit": _l("taken over"),
    "cancel": _l("cancelled"),
    "download": _l("downloaded"),
}

FIELDS: dict[str, Any] = {
    "group_count": _l("Ten-household groups"),
    "drill": _l("Drill"),
    "reached": _l("Reached"),
    "not_reached": _l("Not reached"),
    "needs_help": _l("Needs help"),
    "without_answer": _l("Without an answer"),
    "unanswered": _l("Groups without an answer"),
    "on_behalf": _l("In the head's place"),
    "calls": _l("Calls in an emergency"),
    "message": _l("Message"),
    "plugin": _l("Plugin"),
    "name": _l("Called"),
    "name_en": _l("English name"),
    "former_names": _l("Former names"),
    "code": _l("Code"),
    "kind": _l("Kind"),
    "type": _l("Kind of value"),
    "state": _l("State"),
    "active": _l("In use"),
    "address": _l("Address"),
    "location": _l("Location"),
    "note": _l("Note"),
    "area_code": _l("Area"),
    "head_name": _l("Household head"),
    "person_count": _l("Number of persons"),
    "household_id": _l("Household"),
    "person_id": _l("Person"),
    "relation": _l("Relation to the head"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "id_number": _l("Identity number"),
    "phone": _l("Telephone"),
    "away": _l("Away"),
    "mark": _l("Mark"),
    "mark_key": _l("Mark"),
    "marks": _l("Marks"),
    "award_key": _l("Award"),
    "classifier": _l("Classification rule"),
    "outcome": _l("Outcome"),
    "step": _l("Step"),
    "awarded": _l("Awarded"),
    "year": _l("Year"),
    "amount": _l("Amount"),
    "source": _l("Source"),
    "valid_from": _l("Valid from"),
    "valid_to": _l("Valid to"),
    "sensitivity": _l("Sensitivity"),
    "follows_to_household": _l("Shown on the household too"),
    "help": _l("Help text"),
    "help_en": _l("English help text"),
    "required": _l("Must be filled in"),
    "options": _l("Choices"),
    "position": _l("Position"),
    "login": _l("Sign-in name"),
    "post": _l("Post"),
    "locale": _l("Language"),
    "role": _l("Role"),
    "roles": _l("Roles held"),
    "permissions": _l("Rights"),
    "requires_totp": _l("Second factor required"),
    "scopes": _l("Rights of the token"),
    "expires_at": _l("Valid until"),
    "file_name": _l("File"),
    "file": _l("File"),
    "rows": _l("Rows"),
    "filters": _l("Conditions"),
    "entries": _l("Entries"),
    "hash": _l("Hash"),
    "first_xact": _l("First transaction"),
    "end_xact": _l("End before transaction"),
    "changes": _l("Changes"),
    "counts": _l("Counts"),
    "reason": _l("Reason"),
    "format": _l("Format"),
    "fields": _l("Fields"),
}

FIELDS |= {key: label for key, label in labels.FIELDS.items() if key not in FIELDS}

_TABLES = {"relation": RELATIONS, "sex": SEX, "nationality": NATIONALITIES}
#: Keys under which keys of the county's own lists stand -> which list.
_LISTS = {
    "mark": "mark", "marks": "mark", "mark_key": "mark", "award": "award", "award_key": "award", "role": "role",
    "roles": "role", "classifier": "classifier", "ledger": "ledger", "household_id": "household",
    "person_id": "person",
}  # fmt: skip
#: The same where a key means something of its own.
_LISTS_OF = {
    ("job", "kind"): "job", ("job", "state"): "job state", ("import", "state"): "import state",
    ("person", "fields"): "erased", ("person", "loser_id"): "person", ("person", "survivor_id"): "person",
    ("household", "loser_id"): "household", ("household", "survivor_id"): "household",
    ("custom_field", "fields"): "custom",
}  # fmt: skip
#: Keys under which conditions of a list stand; what tells their values apart.
_CONDITIONS, _ASKED = {"filters", "query"}, "asked"
#: Keys under which keys of fields and columns stand.
_NAMES = {"fields", "field", "cols", "sort"}
_AMOUNTS = {"amount", "income"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

_AREA_FIELDS = {"area_code", "area", "current_area", "parent_code", "groups", "areas"}
#: Of longer lists the first ones are shown, with the number of the others.
MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for people; ``data``: it is the county's own text, Chinese on an English page too."""

    text: str
    data: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One line of a change. ``before`` or ``after`` is None where there was or is nothing."""

    key: str
    label: str
    before: Shown | None
    after: Shown | None


@dataclass(frozen=True, slots=True)
class Words:
    """What the trail's codes are called here: words of actions, names of areas by code, labels of rights by name."""

    actions: Mapping[str, Any]
    areas: Mapping[int, str]
    rights: Callable[[str], Any]
    #: (list, key) -> name: marks, awards, roles, rules of classification, kinds of jobs, what an erasure takes, records
    #: by their numbers ("household", "person"), the county's own fields ("custom") and the choices of each ("option
    #: <key of the field>").
    names: Mapping[tuple[str, str], Shown] = field(default_factory=dict)

    def label(self, key: str, of: Sequence[str] = ()) -> str:
        """What a field is called; a county's own by its name there, with what a condition asks of it. ``of``: what the
        entry is about, the nearest first (``_about``)."""
        if key.startswith(PREFIX):
            name, _dot, operator = key.removeprefix(PREFIX).partition(".")
            known = self.names.get(("custom", name))
            return key if known is None else str(condition_label(operator, known.text))
        found = next((labels.FIELDS_OF[one][key] for one in of if key in labels.FIELDS_OF.get(one, {})), None)
        if found is None:
            found = FIELDS.get(key)
        for list_ in ("column", "custom") if found is None else ():
            if (known := self.names.get((list_, key))) is not None:
                return known.text
        return str(key if found is None else found)

    def action(self, name: str) -> str:
        """``household.edit`` -> “Household changed”; an unknown action is shown as it is."""
        if (found := self.actions.get(name)) is not None:
            return str(found)
        thing, _dot, verb = name.rpartition(".")
        if thing in THINGS and verb in VERBS:
            return _("%(thing)s %(verb)s", thing=str(THINGS[thing]), verb=str(VERBS[verb]))
        return name

    def thing(self, object_type: str) -> str:
        return str(THINGS.get(object_type, object_type))

    def called(self, object_type: str, label: str) -> str:
        """What an object was called; what is known by its key (a rule of classification, a job), as it is called
        now."""
        known = self.names.get((object_type, label)) if object_type in ("classifier", "job") else None
        return label if known is None else known.text

    def area(self, code: int) -> str:
        return self.areas.get(code, "")

    def changes(self, entry: AuditEntry) -> list[FieldChange]:
        """The lines of an entry's before and after, by label."""
        before, after = entry.before or {}, entry.after or {}
        of = _about(entry)
        lines = [
            FieldChange(
                key,
                self.label(key, of),
                self._value(key, before[key], of) if key in before else None,
                self._value(key, after[key], of) if key in after else None,
            )
            for key in {**before, **after}
        ]
        return sorted(lines, key=lambda line: line.label)

    def _value(self, key: str, value: Any, of: Sequence[str]) -> Shown:
        if value is None or value in ("", [], {}):
            return Shown(_("empty"))
        if isinstance(value, bool):
            return Shown(_("yes") if value else _("no"))
        if key in _AREA_FIELDS and not isinstance(value, list) and (code := _area_code(value)) in self.areas:
            return Shown(self.areas[code], data=True)
        if key == "query":
            value = _conditions(value)
        if isinstance(value, list):
            return self._join([self._value(key, item, of) for item in value])
        if isinstance(value, dict):
            if key in _CONDITIONS:
                of = (_ASKED, *of)
            inner = [(self.label(k, of), self._value(k, v, of)) for k, v in value.items()]
            return Shown(join_words((f"{label}: {v.text}" for label, v in inner), "; "), any(v.data for _l, v in inner))
        if key in _AMOUNTS and isinstance(value, int):
            return Shown(f"{value:,}")
        return self._code(key, value, str(value), of)

    def _code(self, key: str, value: Any, text: str, of: Sequence[str]) -> Shown:
        if key in _TABLES and (code := _TABLES[key].get(text)) is not None:
            return Shown(code.label, data=has_han(code.label))
        if key == "first" and (line := labels.plan_line(text)) is not None:
            return Shown(line, data=has_han(text))
        if (known := self.names.get((_list_of(key, of), text))) is not None:
            return known
        if key in _NAMES:
            return Shown(self.label(text, of), data=has_han(text))
        if key == "action":
            thing, _dot, verb = text.rpartition(".")
            return Shown(self.action(text) if verb else self.thing(thing))
        if key == "object_type":
            return Shown(self.thing(text))
        tables = [labels.VALUES_OF.get((one, key), {}) for one in of]
        for table in (*tables, labels.VALUES.get(key, {}), labels.ASKED if _ASKED in of else {}):
            if text in table:
                return Shown(str(table[text]))
        if isinstance(value, str) and (right := self.rights(value)) is not None:
            return Shown(str(right))
        if isinstance(value, str) and _MOMENT.match(value):
            return Shown(format_datetime(datetime.fromisoformat(value)))
        return Shown(text, data=has_han(text))

    @staticmethod
    def _join(items: list[Shown]) -> Shown:
        text = join_words(item.text for item in items[:MOST_LISTED])
        if len(items) > MOST_LISTED:
            text = _("%(listed)s and %(n)s more", listed=text, n=f"{len(items) - MOST_LISTED:,}")
        return Shown(text, any(item.data for item in items))


def _conditions(query: Any) -> dict[str, Any]:
    """The conditions of a saved view, which keeps them as they stand in an address."""
    found: dict[str, Any] = dict(parse_qsl(str(query)))
    if "cols" in found:
        found["cols"] = found["cols"].split(",")
    if "sort" in found:
        found["sort"] = found["sort"].removeprefix("-")
    return found


def _area_code(value: Any) -> int:
    """The code of an area, of which an address has the beginning; 0 for what is none."""
    text = str(value)
    return int(text.ljust(15, "0")) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _about(entry: AuditEntry) -> tuple[str, ...]:
    """What an entry is about: the first part of its action, which says more of what is about a person's or household's
    consents, and the kind of thing; of an export the list."""
    first = entry.action.rpartition(".")[0]
    return (first,) if entry.object_type == EXPORTED else (first, entry.object_type)


def _list_of(key: str, of: Sequence[str]) -> str:
    """Which of the county's lists a value is a key of."""
    if key.startswith(PREFIX):
        return f"option {key.removeprefix(PREFIX)}"
    return next((_LISTS_OF[one, key] for one in of if (one, key) in _LISTS_OF), _LISTS.get(key, ""))


def records(entries: Iterable[AuditEntry], kind: str) -> set[int]:
    """Numbers of other records (household, person) that entries speak of."""
    told = [(entry, values) for entry in entries for values in (entry.before, entry.after)]
    return {
        value
        for entry, values in told
        for key, value in (values or {}).items()
        if isinstance(value, int) and _list_of(key, _about(entry)) == kind
    }


def area_codes(entries: list[AuditEntry]) -> set[int]:
    """Every area code that a list of entries speaks of."""
    found = {entry.area_code for entry in entries if entry.area_code}
    for entry in entries:
        for values in (entry.before or {}, entry.after or {}):
            told = {**values, **_conditions(values["query"])} if "query" in values else values
            for key, value in told.items():
                if key in _AREA_FIELDS:
                    listed = value[:MOST_LISTED] if isinstance(value, list) else [value]
                    found |= {code for one in listed if (code := _area_code(one))}
    return found
