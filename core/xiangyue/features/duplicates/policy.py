"""The right of the feature, who gets it by template, and why two records are taken for one."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

DUPLICATE_MERGE = Permission(
    "duplicate.merge", _l("Look through possible duplicates and merge them"), group=_l("Duplicates")
)
PERMISSIONS = (DUPLICATE_MERGE,)
ROLE_TEMPLATES = {role: frozenset({DUPLICATE_MERGE.name}) for role in ("county_admin", "town", "village")}

ACTIONS = {
    "duplicate.different": _l("Said to be two, no duplicate"),
    "duplicate.open": _l("Taken up as a possible duplicate"),
    "duplicate.merge": _l("Records merged"),
    "duplicate.undo": _l("Merge undone"),
    "duplicate.find": _l("Looked for duplicates"),
    "duplicate.export": _l("Possible duplicates exported"),
    "person.fold": _l("Person merged into another record"),
    "person.unfold": _l("Merge of the person undone"),
    "household.fold": _l("Household merged into another record"),
    "household.unfold": _l("Merge of the household undone"),
}

PERSON, HOUSEHOLD = "person", "household"
KINDS = {PERSON: _l("Persons"), HOUSEHOLD: _l("Households")}
STATES = {"open": _l("To be looked at"), "different": _l("Different"), "merged": _l("Merged")}

#: Why two records may be one, with what each reason counts; the sum is at most 100.
WEIGHTS = {
    "id_number": 60,
    "name_birth": 50,
    "phone_name": 40,
    "name_address": 35,
    "head_address": 50,
    "heads": 45,
    "members": 10,
    "by_hand": 50,
}
REASONS = {
    "id_number": _l("citizen numbers differ in one character"),
    "name_birth": _l("same name and date of birth"),
    "phone_name": _l("same phone and name"),
    "name_address": _l("same name and relation at the same address"),
    "head_address": _l("same head and address"),
    "heads": _l("the heads may be one person"),
    "members": _l("members of the same names"),
    "by_hand": _l("named by a colleague"),
}
#: What speaks against it.
OTHER_NUMBER, OTHER_BIRTH, OTHER_SEX, NOBODY_SHARED = 40, 30, 20, 20
#: From this sum on two persons, two households are shown.
LEAST = {PERSON: 30, HOUSEHOLD: 40}

FIND_KIND = "duplicates.find"
NOTE_LENGTH = 500


def person_score(reasons: set[str], *, other_number: bool, other_birth: bool, other_sex: bool) -> int:
    """0–100: what speaks for one person less what speaks against; numbers that differ in one character only do not."""
    score = sum(WEIGHTS[reason] for reason in reasons)
    if other_number and "id_number" not in reasons:
        score -= OTHER_NUMBER
    if other_birth and "id_number" not in reasons:
        score -= OTHER_BIRTH
    return max(0, min(100, score - OTHER_SEX * other_sex))


def household_score(reasons: set[str], *, shared: int, both_several: bool) -> int:
    """0–100. ``shared``: names, besides the head's, of which both have a member."""
    score = sum(WEIGHTS[reason] for reason in reasons if reason != "members") + min(30, WEIGHTS["members"] * shared)
    return max(0, min(100, score - NOBODY_SHARED * (both_several and not shared)))
