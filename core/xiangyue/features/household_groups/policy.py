"""Rights, words and the county's size of a group."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GROUP_VIEW = Permission("household_group.view", _l("See ten-household groups"))
GROUP_EDIT = Permission("household_group.edit", _l("Make ten-household groups, change and undo them, name their heads"))
GROUP_EXPORT = Permission("household_group.export", _l("Export ten-household groups"))
GROUP_SETTINGS = Permission("household_group.settings", _l("Set how large a ten-household group should be"))
PERMISSIONS = (GROUP_VIEW, GROUP_EDIT, GROUP_EXPORT, GROUP_SETTINGS)

CHANGES = {
    "create": _l("Group made"),
    "divide": _l("Grid divided into groups"),
    "members": _l("Households of the group changed"),
    "rename": _l("Group renamed"),
    "close": _l("Group closed"),
    "explain": _l("Reason given for the group's size"),
    "follow": _l("Followed from a change of grids"),
}
STATES = {"done": _l("Done"), "undone": _l("Undone")}
PROBLEMS = {"died": _l("has died"), "moved": _l("has moved away"), "left": _l("does not live in the group any more")}
SIZES = {"out": _l("Outside the county's size"), "fits": _l("Within the county's size")}
HEADS = {"none": _l("Without a head"), "problem": _l("Head has died or moved away")}

ACTIONS = {
    "household_group.create": _l("Ten-household group made"),
    "household_group.divide": _l("Grid divided into ten-household groups"),
    "household_group.members": _l("Households of a ten-household group changed"),
    "household_group.rename": _l("Ten-household group renamed"),
    "household_group.close": _l("Ten-household group closed"),
    "household_group.explain": _l("Reason given for a ten-household group's size"),
    "household_group.follow": _l("Ten-household groups followed a change of grids"),
    "household_group.undo": _l("Change of ten-household groups undone"),
    "household_group.head": _l("Head of a ten-household group named"),
    "household_group.end_head": _l("Head of a ten-household group no longer"),
    "household_group.export": _l("Ten-household groups exported"),
}

_EDITORS = frozenset({GROUP_VIEW.name, GROUP_EDIT.name, GROUP_EXPORT.name})
ROLE_TEMPLATES = {
    "county_admin": _EDITORS | {GROUP_SETTINGS.name},
    "department": frozenset({GROUP_VIEW.name}),
    "town": _EDITORS,
    "village": frozenset({GROUP_VIEW.name, GROUP_EDIT.name}),
    "grid_leader": frozenset({GROUP_VIEW.name}),
    "auditor": frozenset({GROUP_VIEW.name}),
}

#: Key of the county's rule among those of grids (``grid_setting``).
SETTING = "ten_households"
MOST = 99


@dataclass(frozen=True, slots=True)
class GroupSize:
    """How many households a group should have. No paper gives a tolerance for the ten (domain.md §4.13, 5), so it is
    the county's. Outside of it takes a reason and never blocks."""

    min_households: int = 8
    max_households: int = 12

    def fits(self, households: int) -> bool:
        return self.min_households <= households <= self.max_households

    def plain(self) -> dict[str, Any]:
        return asdict(self)
