"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.households import (
    api,
    api_export,
    api_persons,
    api_register,
    api_search,
    export_job,
    jobs,
    pages,
    policy,
)
from xiangyue.features.households.following import FOLLOWS
from xiangyue.features.households.location_import import LOCATIONS
from xiangyue.features.households.profile import apply_custom_fields, apply_kinds
from xiangyue.features.households.queries_register import waiting_count
from xiangyue.features.households.register_work import PROVIDER as register_work_lines
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.registry import Follows, JobKind, NavItem, ProfileSection, Schedule, WorkProvider


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp, api_persons.bp, api_register.bp, api_export.bp, api_search.bp)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "households",
            _l("All households"),
            "households.list_households",
            policy.HOUSEHOLD_VIEW,
            "people",
            "home",
            position=10,
            tab=True,
        ),
        NavItem(
            "persons",
            _l("All persons"),
            "households.list_persons",
            policy.HOUSEHOLD_VIEW,
            "people",
            "users",
            position=20,
        ),
        NavItem(
            "acts",
            _l("Changes of the register"),
            "households.list_acts",
            policy.HOUSEHOLD_VIEW,
            "people",
            "history",
            position=30,
        ),
        NavItem(
            "reports",
            _l("Reports of changes"),
            "households.list_reports",
            policy.HOUSEHOLD_VIEW,
            "people",
            "message-report",
            position=31,
            count=waiting_count,
        ),
        NavItem(
            "ledgers",
            _l("Ledgers"),
            "households.choose_ledger",
            policy.HOUSEHOLD_EXPORT,
            "people",
            "printer",
            position=90,
        ),
    )


@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    return (LOCATIONS,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (register_work_lines,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (
        ProfileSection("kinds", 20, apply_kinds),
        ProfileSection("custom_fields", 30, apply_custom_fields),
    )


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.SEARCHABLE, export_job.EXPORT, export_job.LEDGER, export_job.ACTS)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.SCHEDULE,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return FOLLOWS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
