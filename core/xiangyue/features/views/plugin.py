"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.features.views import api, pages, policy
from xiangyue.plugin.hookspecs import hookimpl


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES
