"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.areas import policy
from xiangyue.features.areas.service import apply_divisions
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, ProfileSection


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="areas",
        permissions=policy.PERMISSIONS,
        role_templates=policy.ROLE_TEMPLATES,
        profile_sections=(ProfileSection("divisions", 10, apply_divisions),),
        translations=Path(__file__).parent / "translations",
    )
