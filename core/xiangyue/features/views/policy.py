"""The lists that can be saved, who may share a view, and the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.i18n import lazy_gettext as _l

VIEW_SHARE = Permission("saved_view.share", _l("Share saved views with the county"), group=_l("Saved views"))

PERMISSIONS = (VIEW_SHARE,)

ROLE_TEMPLATES = {role: frozenset({VIEW_SHARE.name}) for role in ("county_admin", "department", "town")}


@dataclass(frozen=True, slots=True)
class SavableList:
    """A list of which views can be saved: where it is, of what (household or person), and the right by which one sees
    it."""

    path: str
    entity: str
    label: Any
    permission: Permission


LISTS = {
    "households": SavableList("/households", "household", _l("All households"), HOUSEHOLD_VIEW),
    "persons": SavableList("/persons", "person", _l("All persons"), HOUSEHOLD_VIEW),
}

#: Of one person and list; a strip of views that cannot be taken in at a glance helps nobody.
MOST_VIEWS = 20
NAME_LENGTH = 30
QUERY_LENGTH = 2000
#: Where one is in a list is no part of a view.
PASSING = ("after", "before")
#: The parameter that says in which area one looks; a view may leave it open.
AREA = "area"
