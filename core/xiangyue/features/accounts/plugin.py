"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.accounts import api, commands, jobs, pages, policy
from xiangyue.features.accounts.roles import apply_roles
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem, ProfileSection

NAVIGATION = (
    NavItem(
        key="accounts",
        label=_l("Accounts"),
        endpoint="accounts.list_accounts",
        permission=policy.ACCOUNT_VIEW,
        group="settings",
        icon="users",
        position=10,
        site="both",
    ),
    NavItem(
        key="roles",
        label=_l("Roles"),
        endpoint="accounts.list_roles",
        permission=policy.ACCOUNT_VIEW,
        group="settings",
        icon="shield",
        position=11,
        site="both",
    ),
)


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="accounts",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=NAVIGATION,
        jobs=(jobs.SWEEP,),
        schedules=(jobs.SWEEP_DAILY,),
        role_templates=policy.ROLE_TEMPLATES,
        profile_sections=(ProfileSection("roles", 5, apply_roles),),
        translations=Path(__file__).parent / "translations",
        commands=commands.COMMANDS,
        actions=policy.ACTIONS,
    )
