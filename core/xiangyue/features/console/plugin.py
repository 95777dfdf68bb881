"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.console import policy
from xiangyue.features.console.api import api
from xiangyue.features.console.commands import tenant
from xiangyue.features.console.pages import bp
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import NavItem


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "counties",
            _l("Counties"),
            "console.list_counties",
            policy.OPERATOR_VIEW,
            "today",
            "building-community",
            position=10,
            site="operator",
            tab=True,
        ),
        NavItem(
            "provision",
            _l("Bring a county aboard"),
            "console.find_new",
            policy.OPERATOR_MANAGE,
            "today",
            "plus",
            position=20,
            site="operator",
            tab=True,
        ),
        NavItem(
            "profiles",
            _l("Profiles"),
            "console.list_profiles",
            policy.OPERATOR_MANAGE,
            "today",
            "folder",
            position=30,
            site="operator",
            tab=True,
        ),
    )


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (tenant,)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
