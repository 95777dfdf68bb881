"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.areas import api_changes, pages_households, policy, work
from xiangyue.features.areas.changes.ahead import AHEAD, HOURLY
from xiangyue.features.areas.changes.job import CHANGE, UNDO
from xiangyue.features.areas.service import apply_divisions
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, ProfileSection, Schedule, WorkProvider


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages_households.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api_changes.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (NavItem("areas", _l("Areas"), "areas.list_areas", policy.AREA_VIEW, "people", "map", position=30),)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("divisions", 10, apply_divisions),)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (CHANGE, UNDO, AHEAD)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (HOURLY,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.WORK,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
