"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.settings import api, pages, policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="settings",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(
            NavItem(
                "settings",
                _l("County settings"),
                "settings.show_settings",
                policy.SETTINGS_VIEW,
                group="settings",
                icon="settings",
                position=90,
            ),
        ),
        role_templates=policy.ROLE_TEMPLATES,
        translations=Path(__file__).parent / "translations",
        actions=policy.ACTIONS,
    )
