"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.console.policy import OPERATOR_VIEW
from xiangyue.features.plugins import api, jobs, policy
from xiangyue.features.plugins.commands import plugin
from xiangyue.features.plugins.pages import bp
from xiangyue.features.plugins.profile import apply_plugins
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, ProfileSection


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "plugins",
            _l("Plugins"),
            "plugins.list_plugins",
            policy.PLUGIN_VIEW,
            group="settings",
            icon="plug",
            position=95,
        ),
        NavItem(
            "installed_plugins",
            _l("Plugins"),
            "plugins.list_installed",
            OPERATOR_VIEW,
            group="today",
            icon="plug",
            position=40,
            site="operator",
        ),
    )


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.KIND,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    # Before the roles: those made from templates get what the county's plugins give them.
    return (ProfileSection("plugins", 3, apply_plugins),)


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (plugin,)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
