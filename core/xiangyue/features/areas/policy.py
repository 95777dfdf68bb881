"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

#: Levels of an area, from the top.
COUNTY, TOWN, VILLAGE, GROUP = "county", "town", "village", "group"
LEVELS = (COUNTY, TOWN, VILLAGE, GROUP)

AREA_VIEW = Permission("area.view", _l("See areas"))
AREA_EDIT = Permission("area.edit", _l("Change areas"))
AREA_RESTRUCTURE = Permission("area.restructure", _l("Merge, split, rename and re-code areas"))

PERMISSIONS = (
    AREA_VIEW,
    AREA_EDIT,
    AREA_RESTRUCTURE,
)

CHANGE_KIND = "areas.change"
UNDO_KIND = "areas.undo"
AHEAD_KIND = "areas.put_in_force"

#: What a kind of area is called; kinds follow from the code's range (统计用区划代码编制规则).
KIND_LABELS = {
    "county": _l("County"),
    "town": _l("Town"),
    "township": _l("Township"),
    "subdistrict": _l("Subdistrict"),
    "village_committee": _l("Village"),
    "community": _l("Community"),
    "group": _l("Villager group"),
    "hamlet": _l("Natural village"),
}
#: Divisions that are none of these by law (开发区, 农场 …), by level.
OTHER_LABELS = {"town": _l("Like a township"), "village": _l("Like a village")}

ACTIONS = {
    "area.add_groups": _l("Villager groups added"),
    "area.drop_groups": _l("Villager groups of an undone import taken away"),
    "area.add": _l("Villager group added"),
    "area.edit": _l("Area changed"),
    "area.retire": _l("Villager group retired"),
    "area.restore": _l("Villager group in use again"),
    "area.change_draft": _l("Drafted a change of areas"),
    "area.change_edit": _l("Edited a draft of a change of areas"),
    "area.change_sheet": _l("Downloaded the households of a change of areas"),
    "area.change_drop": _l("Threw a draft of a change of areas away"),
    "area.change_start": _l("Started a change of areas"),
    "area.change_arrange": _l("Arranged a change of areas for its day"),
    "area.change_call_back": _l("Called an arranged change of areas back"),
    "area.change_refused": _l("A change of areas could not be put in force on its day"),
    "area.change": _l("Changed areas"),
    "area.change_undo_start": _l("Started undoing a change of areas"),
    "area.change_undo": _l("Undid a change of areas"),
    "area.change_export": _l("Changes of areas exported"),
    "area.grant": _l("Role follows its area"),
}

ROLE_TEMPLATES = {
    "county_admin": frozenset({AREA_VIEW.name, AREA_EDIT.name, AREA_RESTRUCTURE.name}),
    "department": frozenset({AREA_VIEW.name}),
    "town": frozenset({AREA_VIEW.name, AREA_EDIT.name}),
    "village": frozenset({AREA_VIEW.name}),
    "grid_leader": frozenset({AREA_VIEW.name}),
    "auditor": frozenset({AREA_VIEW.name}),
}


def kind_label(level: str, kind: str) -> Any:
    """What an area of this level and kind is called."""
    return KIND_LABELS.get(kind) or OTHER_LABELS.get(level, kind)
