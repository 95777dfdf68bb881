"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.households import api, api_persons, pages, policy
from xiangyue.features.households.profile import apply_custom_fields, apply_kinds
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem, ProfileSection


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="households",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        navigation=(
            NavItem(
                "households",
                _l("All households"),
                "households.list_households",
                policy.HOUSEHOLD_VIEW,
                "people",
                "home",
                position=10,
                tab=True,
            ),
            NavItem(
                "persons",
                _l("All persons"),
                "households.list_persons",
                policy.HOUSEHOLD_VIEW,
                "people",
                "users",
                position=20,
            ),
        ),
        api_blueprints=(api.bp, api_persons.bp),
        actions=policy.ACTIONS,
        role_templates=policy.ROLE_TEMPLATES,
        profile_sections=(
            ProfileSection("kinds", 20, apply_kinds),
            ProfileSection("custom_fields", 30, apply_custom_fields),
        ),
        translations=Path(__file__).parent / "translations",
    )
