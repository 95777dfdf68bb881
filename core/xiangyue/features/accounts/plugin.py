"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.accounts import api, commands, jobs, pages, policy
from xiangyue.features.accounts.roles import apply_roles
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, ProfileSection, Schedule

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
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return NAVIGATION


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.SWEEP,)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.SWEEP_DAILY,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("roles", 5, apply_roles),)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return commands.COMMANDS


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
