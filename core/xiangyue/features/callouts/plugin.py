"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.callouts import api, jobs, pages, policy, work
from xiangyue.features.callouts.models import CalloutGroup
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Follows, JobKind, NavItem, Schedule, WorkProvider

#: The head in a call; the name is the register's, and goes when it goes there.
FOLLOWS = Follows(
    "callout_group", _l("Calls to the head of a ten-household group"), "person", CalloutGroup, "head_person_id",
    erase={}, own_place=True,
)  # fmt: skip


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (FOLLOWS,)


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem("callouts", _l("Calls in an emergency"), "callouts.list_calls", policy.CALLOUT_VIEW, "grids",
                "speakerphone", position=25),
        NavItem("callouts_mine", _l("Calls to my group"), "callouts.my_calls", policy.CALLOUT_ANSWER, "today",
                "speakerphone", position=60),
        NavItem("callout_rule", _l("Rules for calls"), "callouts.set_rule", policy.CALLOUT_SETTINGS, "settings",
                "settings", position=42),
    )  # fmt: skip


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.PROVIDER,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.PASS_ON, jobs.FORGET)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)
