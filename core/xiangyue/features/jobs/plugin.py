"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.features.jobs import api, commands, jobs, pages_export, policy, queries, view
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, Schedule, WorkItem, WorkProvider


def find_failed(uow: Uow) -> list[WorkItem]:
    """My work that failed and waits for me to look at it."""
    return [
        WorkItem(
            title=view.label_of(job),
            detail=_l("It failed and nothing of it was kept."),
            url=url_for("jobs.show_job", id=job.id),
            act=_l("See why"),
            state="late",
        )
        for job in queries.failed_lately(uow)
    ]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages_export.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "jobs",
            _l("Background work"),
            "jobs.list_jobs",
            None,
            group="settings",
            icon="list-check",
            position=80,
            site="both",
        ),
    )


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (WorkProvider("jobs.failed", find_failed),)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.TIDY,)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (commands.worker, commands.scheduler)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return {
        "job.cancel": _l("Cancelled work"),
        "job.repeat": _l("Repeated work"),
        "job.export": _l("Background work exported"),
    }
