"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.cockpit import api, pages, policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="cockpit",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(
            NavItem(
                "cockpit",
                _l("Cockpit"),
                "cockpit.show_cockpit",
                policy.COCKPIT_VIEW,
                group="cockpit",
                icon="chart-bar",
                position=10,
            ),
        ),
        role_templates=policy.ROLE_TEMPLATES,
        translations=Path(__file__).parent / "translations",
        actions=policy.ACTIONS,
    )
