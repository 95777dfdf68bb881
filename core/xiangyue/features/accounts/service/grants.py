"""Grants: a role in an area, given and taken away; nobody gives what he or she does not have."""

from __future__ import annotations

from sqlalchemy import func, select

from xiangyue.access.acts import acts
from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.access.permissions import PermissionRegistry
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.accounts import policy, records
from xiangyue.features.accounts.queries.areas import area_names
from xiangyue.features.accounts.queries.roles import role_by_key
from xiangyue.features.areas.models import Area
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l


@acts(policy.ACCOUNT_MANAGE)
def add_grant(uow: Uow, *, account_id: int, role: str, area_code: int, permissions: PermissionRegistry) -> RoleGrant:
    """Give a role (key) in an area (15 digits, 0 the whole tenant). Raises Invalid by field, Forbidden, NotFound."""
    account = records.account_to_manage(uow, account_id)
    return insert_grant(uow, account, role, area_code, permissions)


@acts(policy.ACCOUNT_MANAGE)
def insert_grant(
    uow: Uow, account: Account, role_key: str, area_code: int, permissions: PermissionRegistry
) -> RoleGrant:
    """The same for an account that the caller has already checked or just made."""
    role = role_by_key(uow, role_key)
    if role is None:
        raise Invalid({"role": [_l("Choose a role.")]})
    code = _checked_area(uow, area_code)
    missing = policy.missing_rights(uow.actor, role.permissions, code)
    if missing:
        known = {p.name: str(p.label) for p in permissions.all()}
        names = join_words(known.get(name, name) for name in missing)
        raise Invalid({"role": [_l("You can only give rights that you have there. Missing: %(names)s.", names=names)]})
    same = select(RoleGrant.id).where(
        RoleGrant.account_id == account.id, RoleGrant.role_id == role.id, RoleGrant.area_code == code
    )
    if uow.session.scalars(same).one_or_none() is not None:
        raise Invalid({"role": [_l("This account already has this role in this area.")]})
    grant = RoleGrant(account_id=account.id, role_id=role.id, area_code=code, granted_by=uow.actor.account_id)
    uow.session.add(grant)
    uow.session.flush()
    records.record(uow, "grant.add", account, after=_told(uow, role, code))
    return grant


def _told(uow: Uow, role: Role, code: int) -> dict[str, object]:
    return {"role": role.key, "area_code": code, "area": area_names(uow, [code])[code].path}


def _checked_area(uow: Uow, area_code: int) -> int:
    """The code as it is stored: the tenant's own code for the whole. Raises Invalid outside the actor's areas."""
    whole = records.tenant_of(uow).area_code
    code = area_code or whole
    if code == whole == 0 and uow.scope.ranges is None:
        return 0  # the operator has no areas
    known = uow.session.scalars(select(Area.id).where(Area.area_code == code)).one_or_none()
    low, high = area_range(code)
    if known is None or not (uow.scope.contains(low) and uow.scope.contains(high)):
        raise Invalid({"area_code": [_l("Choose an area inside your own.")]})
    return code


@acts(policy.ACCOUNT_MANAGE)
def remove_grant(uow: Uow, *, account_id: int, grant_id: int) -> None:
    """Take a role away. Raises NotFound, Forbidden, and Conflict for the last administrator's or an area manager's
    last hold on an account."""
    administrators = records.lock_administrators(uow)
    account = records.account_to_manage(uow, account_id)
    grant = uow.get_for_update(RoleGrant, grant_id)
    if grant.account_id != account.id:
        raise NotFound(_l("There is no such grant."))
    left = select(func.count()).select_from(RoleGrant).where(RoleGrant.account_id == account.id)
    if uow.scope.ranges is not None and uow.session.scalar(left) == 1:
        raise Conflict(_l("This is the account's last role. Disable the account instead."))
    role = uow.get(Role, grant.role_id)
    before = _told(uow, role, grant.area_code)
    uow.session.delete(grant)
    records.require_administrator_left(uow, administrators)
    records.record(uow, "grant.remove", account, before=before)
