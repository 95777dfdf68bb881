# data: zh
"""Roles of a county: made from its profile or from templates."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.models import Role
from xiangyue.db.uow import Uow
from xiangyue.features.accounts import policy
from xiangyue.plugin.manager import Registry
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy.models import OPERATOR
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change, ensure_operator
from xiangyue.tenancy.sync import sync_rows

#: Names of the role templates (zh, en). Terms of domain vocabulary: 县级管理员 county_admin, 县直部门 department …
TEMPLATE_NAMES = {
    "county_admin": ("县级管理员", "County administrator"),
    "department": ("县直部门", "County department"),
    "town": ("镇办干部", "Town officer"),
    "village": ("村干部", "Village officer"),
    "grid_leader": ("网格长", "Grid leader"),
    "group_head": ("十户长", "Head of ten households"),
    "auditor": ("审计员", "Auditor"),
    "operator_admin": ("运营管理员", "Operations administrator"),
    "operator_support": ("运营支持", "Operations support"),
}
OPERATOR_TEMPLATES = ("operator_admin", "operator_support")

#: ``Role.template`` of a role that the county changed itself: applying the profile again leaves it alone.
OWN = "own"


def templates_for(site: str) -> list[str]:
    """Keys of the role templates of a county or of the operator, in the order they are offered."""
    return [key for key in TEMPLATE_NAMES if (key in OPERATOR_TEMPLATES) == (site == OPERATOR)]


@acts(policy.ROLE_MANAGE)
def apply_roles(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """The roles of the profile; without any, one role for each county template.

    Roles the county changed itself keep their rights; a second factor the profile demands is demanded of them too.
    """
    own = set(uow.session.scalars(select(Role.key).where(Role.template == OWN)))
    wanted: dict[Any, dict[str, Any]] = {}
    templates = offer_of(uow).role_templates
    specs = [(r.key, r.name_zh, r.name_en, r.template, r.permissions) for r in profile.roles] or [
        (key, "", "", key, ()) for key in templates_for("county")
    ]
    for key, name, name_en, template, permissions in specs:
        strict = key in profile.settings.require_totp_roles
        if key in own:
            wanted[key] = {"requires_totp": True} if strict else {}
            continue
        template_name, template_name_en = TEMPLATE_NAMES.get(template or "", ("", ""))
        rights = templates.get(template, frozenset()) if template else frozenset(permissions)
        wanted[key] = {
            "name": name or template_name or key,
            "name_en": name_en or template_name_en or key,
            "permissions": sorted(rights),
            "template": template or "",
            "requires_totp": strict,
        }
    return sync_rows(uow, Role, "key", wanted, label="role", retire=False)


@acts(None)
def follow_templates(uow: Uow) -> list[str]:
    """Give roles that were made from a template the rights it holds now: a plugin was switched on or off.

    The caller has checked the right to do that. Returns the keys of roles that changed; the county's own are left.
    """
    templates = offer_of(uow).role_templates
    followed = []
    for role in uow.session.scalars(select(Role).where(Role.template.in_(TEMPLATE_NAMES)).order_by(Role.key)):
        rights = sorted(templates.get(role.template, frozenset()))
        if role.permissions != rights:
            role.permissions = rights
            followed.append(role.key)
    uow.session.flush()
    return followed


def ensure_operator_roles(runtime: Runtime) -> int:
    """The operator's tenant with a role for each operator template; idempotent. Returns the tenant's id."""
    tenant_id = ensure_operator(runtime)
    with runtime.uow(tenant_id) as uow:
        _apply_operator_roles(uow, runtime.registry)
    return tenant_id


@acts(policy.ROLE_MANAGE)
def _apply_operator_roles(uow: Uow, registry: Registry) -> None:
    own = set(uow.session.scalars(select(Role.key).where(Role.template == OWN)))
    wanted = {
        key: {
            "name": TEMPLATE_NAMES[key][0],
            "name_en": TEMPLATE_NAMES[key][1],
            "permissions": sorted(registry.role_templates.get(key, frozenset())),
            "template": key,
        }
        for key in OPERATOR_TEMPLATES
        if key not in own
    }
    sync_rows(uow, Role, "key", wanted, label="role", retire=False)
