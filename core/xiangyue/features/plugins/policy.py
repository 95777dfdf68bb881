"""Rights of the feature, who gets them by template, and the words of its audit entries."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

PLUGIN_VIEW = Permission("plugin.view", _l("See the county's plugins and what went wrong in them"))
PLUGIN_MANAGE = Permission("plugin.manage", _l("Switch plugins on and off, set them, delete their data"))

PERMISSIONS = (PLUGIN_VIEW, PLUGIN_MANAGE)

ROLE_TEMPLATES = {
    "county_admin": frozenset({PLUGIN_VIEW.name, PLUGIN_MANAGE.name}),
    "auditor": frozenset({PLUGIN_VIEW.name}),
}

#: What entries of this feature say to people.
ACTIONS = {
    "plugin.on": _l("Plugin switched on"),
    "plugin.off": _l("Plugin switched off"),
    "plugin.settings": _l("Settings of a plugin changed"),
    "plugin.purge": _l("Data of a plugin deleted"),
}
