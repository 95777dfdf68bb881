"""The trail in words: what an action, a thing and a field are called, and a change as before → after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.models import AuditEntry
from xiangyue.features.audit import labels
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
    "household_id": _l("Number of the household"),
    "person_id": _l("Number of the person"),
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
    "roles": "role", "classifier": "classifier",
}  # fmt: skip

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

    label: str
    before: Shown | None
    after: Shown | None


@dataclass(frozen=True, slots=True)
class Words:
    """What the trail's codes are called here: words of actions, names of areas by code, labels of rights by name."""

    actions: Mapping[str, Any]
    areas: Mapping[int, str]
    rights: Callable[[str], Any]
    #: (list, key) -> name: marks, awards, roles, rules of classification, the county's own fields ("custom") and the
    #: choices of each ("option <key of the field>").
    names: Mapping[tuple[str, str], Shown] = field(default_factory=dict)

    def label(self, key: str) -> str:
        """What a field is called; a county's own by its name there."""
        if key.startswith("custom.") and (known := self.names.get(("custom", key.removeprefix("custom.")))):
            return known.text
        return str(FIELDS.get(key, key))

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
        """What an object was called; a rule of classification, which is known by its key, as it is called now."""
        known = self.names.get((object_type, label)) if object_type == "classifier" else None
        return label if known is None else known.text

    def area(self, code: int) -> str:
        return self.areas.get(code, "")

    def changes(self, entry: AuditEntry) -> list[FieldChange]:
        """The lines of an entry's before and after, by label."""
        before, after = entry.before or {}, entry.after or {}
        lines = [
            FieldChange(
                self.label(key),
                self._value(key, before[key]) if key in before else None,
                self._value(key, after[key]) if key in after else None,
            )
            for key in {**before, **after}
        ]
        return sorted(lines, key=lambda line: line.label)

    def _value(self, key: str, value: Any) -> Shown:
        if value is None or value in ("", [], {}):
            return Shown(_("empty"))
        if isinstance(value, bool):
            return Shown(_("yes") if value else _("no"))
        if key in _AREA_FIELDS and isinstance(value, int) and value in self.areas:
            return Shown(self.areas[value], data=True)
        if isinstance(value, list):
            return self._join([self._value(key, item) for item in value])
        if isinstance(value, dict):
            inner = [(self.label(k), self._value(k, v)) for k, v in value.items()]
            return Shown("; ".join(f"{label}: {v.text}" for label, v in inner), any(v.data for _l, v in inner))
        text = str(value)
        if key in _TABLES and (code := _TABLES[key].get(text)) is not None:
            return Shown(code.label, data=has_han(code.label))
        if key == "first" and (line := labels.plan_line(text)) is not None:
            return Shown(line, data=has_han(text))
        if key == "fields":
            return Shown(self.label(text))
        if (said := labels.VALUES.get(key, {}).get(text)) is not None:
            return Shown(str(said))
        list_ = f"option {key.removeprefix('custom.')}" if key.startswith("custom.") else _LISTS.get(key, "")
        if (known := self.names.get((list_, text))) is not None:
            return known
        if isinstance(value, str) and (right := self.rights(value)) is not None:
            return Shown(str(right))
        return Shown(text, data=has_han(text))

    @staticmethod
    def _join(items: list[Shown]) -> Shown:
        text = ", ".join(item.text for item in items[:MOST_LISTED])
        if len(items) > MOST_LISTED:
            text = _("%(listed)s and %(n)s more", listed=text, n=f"{len(items) - MOST_LISTED:,}")
        return Shown(text, any(item.data for item in items))


def area_codes(entries: list[AuditEntry]) -> set[int]:
    """Every area code that a list of entries speaks of."""
    found = {entry.area_code for entry in entries if entry.area_code}
    for entry in entries:
        for values in (entry.before or {}, entry.after or {}):
            for key, value in values.items():
                if key in _AREA_FIELDS:
                    listed = value[:MOST_LISTED] if isinstance(value, list) else [value]
                    found |= {code for code in listed if isinstance(code, int)}
    return found
