"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.grids.following import add_follower, add_panel
from xiangyue.features.household_groups import api, file_groups, pages, points, policy
from xiangyue.features.household_groups.following import follow_grids
from xiangyue.features.household_groups.profile import apply_size
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.registry import Follows, HouseholdPanel, NavItem, ProfileSection, SearchKind

add_follower(follow_grids)
add_panel(points.grid_panel)


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
        NavItem("household_groups", _l("Ten-household groups"), "household_groups.list_groups", policy.GROUP_VIEW,
                "grids", "users-group", position=20),
        NavItem("household_group_size", _l("Size of ten-household groups"), "household_groups.set_size",
                policy.GROUP_SETTINGS, "settings", "settings", position=41),
    )  # fmt: skip


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.PANEL,)


@hookimpl
def register_search_kinds() -> Sequence[SearchKind]:
    return (points.SEARCH,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS,)


@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    return (file_groups.REGISTER,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("household_groups", 36, apply_size),)
