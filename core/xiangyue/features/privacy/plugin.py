"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.privacy import api, api_care, api_requests, pages, points, points_care, policy, policy_care
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Follows, HouseholdFilter, NavItem, PersonPanel, WorkProvider


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return (*policy.PERMISSIONS, *policy_care.PERMISSIONS)


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp, api_requests.bp, api_care.bp)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "privacy",
            _l("Personal information"),
            "privacy.show_privacy",
            policy.FIELDS_VIEW,
            group="people",
            icon="shield-lock",
            position=70,
        ),
    )


@hookimpl
def register_person_panels() -> Sequence[PersonPanel]:
    return (points_care.PANEL, points.PANEL, points.LOG_PANEL)


@hookimpl
def register_household_filters() -> Sequence[HouseholdFilter]:
    return (points_care.FILTER,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS, *points_care.FOLLOWS)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (points.WORK, points_care.WORK)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return {**policy.ACTIONS, **policy_care.ACTIONS}


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    care = policy_care.ROLE_TEMPLATES
    return {role: names | care.get(role, frozenset()) for role, names in policy.ROLE_TEMPLATES.items()}
