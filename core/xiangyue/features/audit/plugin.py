"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click
from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.features.audit import api, commands, jobs, pages, policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, Schedule


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
    return (
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
    )


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.SEAL, replace(jobs.VERIFY, result_url=lambda _job: url_for("audit.check")))


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.EVERY_MINUTE,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (commands.group,)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
