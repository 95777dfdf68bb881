"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.features.classifications import api, export_job, jobs, pages, points, policy
from xiangyue.features.classifications.models import Classification
from xiangyue.features.classifications.policy import OPEN_STATES
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import (
    DashboardCard,
    Follows,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    JobKind,
    NavItem,
    Schedule,
    WorkProvider,
)

#: Classifications go where their household goes; its own stays where both have one by the same rule.
FOLLOWS = Follows(
    "classification",
    _l("Classifications"),
    "household",
    Classification,
    "household_id",
    open=Classification.state.in_(OPEN_STATES),
    unique=("classifier",),
)


def list_url(job: Job) -> str:
    """The list of what a job computed."""
    return url_for("classifications.list_classifications", classifier=job.params.get("classifier"))


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


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
            "classifications",
            _l("Classifications"),
            "classifications.list_classifications",
            policy.CLASSIFICATION_VIEW,
            group="people",
            icon="tags",
            position=40,
            needs="classifiers",
        ),
    )


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.PANEL,)


@hookimpl
def register_household_filters() -> Sequence[HouseholdFilter]:
    return (points.FILTER,)


@hookimpl
def register_household_columns() -> Sequence[HouseholdColumn]:
    return (points.COLUMN,)


@hookimpl
def register_dashboard_cards() -> Sequence[DashboardCard]:
    return (points.CARD,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (FOLLOWS,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (points.WORK,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (replace(jobs.COMPUTE, result_url=list_url), jobs.REVIEW, export_job.EXPORT)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return jobs.SCHEDULES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS
