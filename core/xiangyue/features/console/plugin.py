"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.console import policy
from xiangyue.features.console.api import api
from xiangyue.features.console.commands import tenant
from xiangyue.features.console.pages import bp
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="console",
        permissions=policy.PERMISSIONS,
        role_templates=policy.ROLE_TEMPLATES,
        actions=policy.ACTIONS,
        blueprints=(bp,),
        api_blueprints=(api,),
        navigation=(
            NavItem(
                "counties",
                _l("Counties"),
                "console.list_counties",
                policy.OPERATOR_VIEW,
                "today",
                "building-community",
                position=10,
                site="operator",
                tab=True,
            ),
            NavItem(
                "provision",
                _l("Bring a county aboard"),
                "console.find_new",
                policy.OPERATOR_MANAGE,
                "today",
                "plus",
                position=20,
                site="operator",
                tab=True,
            ),
            NavItem(
                "profiles",
                _l("Profiles"),
                "console.list_profiles",
                policy.OPERATOR_MANAGE,
                "today",
                "folder",
                position=30,
                site="operator",
                tab=True,
            ),
            NavItem(
                "plugins",
                _l("Plugins"),
                "console.list_plugins",
                policy.OPERATOR_VIEW,
                "today",
                "plug",
                position=40,
                site="operator",
            ),
        ),
        commands=(tenant,),
        translations=Path(__file__).parent / "translations",
    )
