"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.console import policy
from xiangyue.features.console.commands import tenant
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="console",
        permissions=policy.PERMISSIONS,
        role_templates=policy.ROLE_TEMPLATES,
        commands=(tenant,),
        translations=Path(__file__).parent / "translations",
    )
