"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.privacy import (
    api,
    api_care,
    api_notices,
    api_requests,
    pages,
    points,
    points_care,
    points_consent,
    policy,
    policy_care,
    policy_consent,
)
from xiangyue.features.privacy.profile import apply_notices
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Follows, HouseholdFilter, NavItem, PersonPanel, ProfileSection, WorkProvider


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return (*policy.PERMISSIONS, *policy_care.PERMISSIONS, *policy_consent.PERMISSIONS)


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp, api_requests.bp, api_care.bp, api_notices.bp)


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
    return (points_care.PANEL, points_consent.PANEL, points.PANEL, points.LOG_PANEL)


@hookimpl
def register_household_filters() -> Sequence[HouseholdFilter]:
    return (points_care.FILTER,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS, *points_care.FOLLOWS, points_consent.FOLLOWS)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (points.WORK, points_care.WORK)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return {**policy.ACTIONS, **policy_care.ACTIONS, **policy_consent.ACTIONS}


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    care, consent = policy_care.ROLE_TEMPLATES, policy_consent.ROLE_TEMPLATES
    none: frozenset[str] = frozenset()
    return {
        role: names | care.get(role, none) | consent.get(role, none) for role, names in policy.ROLE_TEMPLATES.items()
    }


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("notices", 40, apply_notices),)
