"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.organisations import api, api_posts, pages, points, policy, roster_import
from xiangyue.features.organisations.profile import apply_kinds
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.registry import Follows, NavItem, PersonPanel, ProfileSection, SearchKind, WorkProvider


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "organisations",
            _l("Organisations"),
            "organisations.list_organisations",
            policy.VIEW,
            group="people",
            icon="building-community",
            position=40,
        ),
    )


@hookimpl
def register_person_panels() -> Sequence[PersonPanel]:
    return (points.PANEL,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (points.WORK,)


@hookimpl
def register_search_kinds() -> Sequence[SearchKind]:
    return (points.SEARCH,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp, api_posts.bp)


@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    return (roster_import.REGISTER,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("organisations", 35, apply_kinds),)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES
