"""Rights of the plugin, who gets them by template, and the words of its audit entries."""

from __future__ import annotations

from xiangyue.sdk.access import Permission
from xiangyue.sdk.i18n import _l

NAME = "contact321"
#: Key of the classification (三色户).
COLOUR = "contact321.colour"

_GROUP = _l("Three-colour households")
VIEW = Permission("contact321.view", _l("See colours of households"), group=_GROUP)
CONFIRM_VILLAGE = Permission(
    "contact321.confirm_village", _l("Confirm colours of households for the village"), group=_GROUP
)
CONFIRM_TOWN = Permission("contact321.confirm_town", _l("Confirm colours of households for the town"), group=_GROUP)

PERMISSIONS = (VIEW, CONFIRM_VILLAGE, CONFIRM_TOWN)

ROLE_TEMPLATES = {
    "county_admin": frozenset({VIEW.name, CONFIRM_VILLAGE.name, CONFIRM_TOWN.name}),
    "department": frozenset({VIEW.name}),
    "town": frozenset({VIEW.name, CONFIRM_TOWN.name}),
    "village": frozenset({VIEW.name, CONFIRM_VILLAGE.name}),
    "grid_leader": frozenset({VIEW.name}),
}

ACTIONS = {
    "contact321.awards": _l("Safe-family awards taken from a roster"),
    "contact321.recompute": _l("Colours to be computed anew"),
}
