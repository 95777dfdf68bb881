# data: zh
"""Roles of a county: made from its profile or from templates."""

from __future__ import annotations

from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.models import Role
from xiangyue.db.uow import Uow
from xiangyue.features.accounts import policy
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change
from xiangyue.tenancy.sync import sync_rows

#: Names of the role templates (zh, en). Terms of domain vocabulary: 县级管理员 county_admin, 县直部门 department …
TEMPLATE_NAMES = {
    "county_admin": ("县级管理员", "County administrator"),
    "department": ("县直部门", "County department"),
    "town": ("镇办干部", "Town officer"),
    "village": ("村干部", "Village officer"),
    "grid_leader": ("网格长", "Grid leader"),
    "auditor": ("审计员", "Auditor"),
    "operator_admin": ("运营管理员", "Operations administrator"),
    "operator_support": ("运营支持", "Operations support"),
}
OPERATOR_TEMPLATES = ("operator_admin", "operator_support")


@acts(policy.ROLE_MANAGE)
def apply_roles(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """The roles of the profile; without any, one role for each county template."""
    wanted: dict[Any, dict[str, Any]] = {}
    specs = [(r.key, r.name_zh, r.name_en, r.template, r.permissions) for r in profile.roles] or [
        (key, "", "", key, ()) for key in TEMPLATE_NAMES if key not in OPERATOR_TEMPLATES
    ]
    for key, name, name_en, template, permissions in specs:
        template_name, template_name_en = TEMPLATE_NAMES.get(template or "", ("", ""))
        rights = registry.role_template(template) if template else frozenset(permissions)
        wanted[key] = {
            "name": name or template_name or key,
            "name_en": name_en or template_name_en or key,
            "permissions": sorted(rights),
            "template": template or "",
            "requires_totp": key in profile.settings.require_totp_roles,
        }
    return sync_rows(uow, Role, "key", wanted, label="role", retire=False)
