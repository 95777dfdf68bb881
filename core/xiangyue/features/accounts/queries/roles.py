"""Roles and how many hold them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from xiangyue.access.models import Role, RoleGrant
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class RoleRow:
    role: Role
    accounts: int


def all_roles(uow: Uow) -> list[RoleRow]:
    """Every role of the tenant in the order they were made, with the number of accounts that hold it."""
    counted = select(RoleGrant.role_id, func.count(RoleGrant.account_id.distinct())).group_by(RoleGrant.role_id)
    held = {row[0]: row[1] for row in uow.session.execute(counted)}
    return [RoleRow(role, held.get(role.id, 0)) for role in uow.session.scalars(select(Role).order_by(Role.id))]


def get_role(uow: Uow, role_id: int) -> RoleRow:
    """One role. Raises NotFound."""
    row = next((r for r in all_roles(uow) if r.role.id == role_id), None)
    if row is None:
        raise NotFound(_l("There is no such role."))
    return row


def role_by_key(uow: Uow, key: str) -> Role | None:
    return uow.session.scalars(select(Role).where(Role.key == key)).one_or_none()
