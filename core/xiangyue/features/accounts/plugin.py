"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.accounts import policy
from xiangyue.features.accounts.roles import apply_roles
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, ProfileSection


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="accounts",
        permissions=policy.PERMISSIONS,
        role_templates=policy.ROLE_TEMPLATES,
        profile_sections=(ProfileSection("roles", 5, apply_roles),),
        translations=Path(__file__).parent / "translations",
    )
