"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.features.duplicates import api, jobs, pages, points, policy, work
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import HouseholdPanel, JobKind, NavItem, PersonPanel, Schedule, WorkProvider


def list_url(_job: Job) -> str:
    """The list of what was found."""
    return url_for("duplicates.list_pairs")


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
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "duplicates",
            _l("Possible duplicates"),
            "duplicates.list_pairs",
            policy.DUPLICATE_MERGE,
            "people",
            "copy",
            position=60,
        ),
    )


@hookimpl
def register_person_panels() -> Sequence[PersonPanel]:
    return (points.PERSON_PANEL,)


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.HOUSEHOLD_PANEL,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.PROVIDER,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (replace(jobs.FIND, result_url=list_url),)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.SCHEDULE,)
