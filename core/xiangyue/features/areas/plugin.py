"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.areas import api, pages, policy, switch
from xiangyue.features.areas.service import apply_divisions
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem, ProfileSection


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="areas",
        permissions=policy.PERMISSIONS,
        role_templates=policy.ROLE_TEMPLATES,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(NavItem("areas", _l("Areas"), "areas.list_areas", policy.AREA_VIEW, "people", "map", position=30),),
        profile_sections=(ProfileSection("divisions", 10, apply_divisions),),
        translations=Path(__file__).parent / "translations",
        actions=policy.ACTIONS,
        area_switch=switch.area_switch,
    )
