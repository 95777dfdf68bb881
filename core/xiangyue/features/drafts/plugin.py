"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.features.drafts import api, jobs, pages, policy, work
from xiangyue.features.drafts.deciding import follow_grids
from xiangyue.features.grids.following import add_follower
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, WorkProvider

add_follower(follow_grids)


def list_url(_job: Job) -> str:
    """The list of drafts."""
    return url_for("drafts.list_drafts")


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
            "drafts", _l("Drafts of grids"), "drafts.list_drafts", policy.GRID_PLAN, "grids", "layout-grid", position=50
        ),
    )


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.PROVIDER,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (replace(jobs.PLAN, result_url=list_url),)
