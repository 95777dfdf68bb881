"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.audit import api, commands, jobs, pages, policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="audit",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(
            NavItem(
                "audit",
                _l("Audit trail"),
                "audit.list_entries",
                policy.AUDIT_VIEW,
                group="settings",
                icon="history",
                position=70,
                site="both",
            ),
        ),
        jobs=(jobs.SEAL,),
        schedules=(jobs.EVERY_MINUTE,),
        role_templates=policy.ROLE_TEMPLATES,
        translations=Path(__file__).parent / "translations",
        commands=(commands.group,),
        actions=policy.ACTIONS,
    )
