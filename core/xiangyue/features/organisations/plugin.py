"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.features.organisations import api, api_posts, points, policy
from xiangyue.features.organisations.profile import apply_kinds
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Follows, ProfileSection


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp, api_posts.bp)


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
