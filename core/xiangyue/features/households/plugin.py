"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.households import api, api_persons, policy
from xiangyue.features.households.profile import apply_custom_fields, apply_kinds
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, ProfileSection


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="households",
        permissions=policy.PERMISSIONS,
        api_blueprints=(api.bp, api_persons.bp),
        actions=policy.ACTIONS,
        role_templates=policy.ROLE_TEMPLATES,
        profile_sections=(
            ProfileSection("kinds", 20, apply_kinds),
            ProfileSection("custom_fields", 30, apply_custom_fields),
        ),
        translations=Path(__file__).parent / "translations",
    )
