"""Roles: bundles of rights of the whole county, made freely or from a template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.access.models import Role
from xiangyue.access.permissions import PermissionRegistry
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, Stale
from xiangyue.features.accounts import policy, records
from xiangyue.features.accounts.queries.roles import get_role, role_by_key
from xiangyue.features.accounts.roles import OWN
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class RoleInput:
    """What a role is made of; ``permissions`` are names."""

    name: str
    name_en: str
    permissions: Iterable[str]
    requires_totp: bool = False


@acts(policy.ROLE_MANAGE)
def create_role(uow: Uow, *, key: str, given: RoleInput, permissions: PermissionRegistry) -> Role:
    """A new role. Raises Invalid by field; Forbidden for who manages only a part of the county."""
    _require_whole(uow)
    key = key.strip().lower()
    errors = _errors(uow, given, permissions, held=frozenset())
    if not policy.ROLE_KEY.fullmatch(key):
        errors["key"] = [_l("2 to 40 small Latin letters, digits or underscores, beginning with a letter.")]
    elif role_by_key(uow, key) is not None:
        errors["key"] = [_l("There is a role with this key already.")]
    if errors:
        raise Invalid(errors)
    role = Role(key=key, template=OWN, **_columns(given))
    uow.session.add(role)
    uow.session.flush()
    audit(uow, action="role.create", obj=role, label=role.name, after={"key": key, **_columns(given)})
    return role


@acts(policy.ROLE_MANAGE)
def edit_role(uow: Uow, *, role_id: int, version: int, given: RoleInput, permissions: PermissionRegistry) -> Role:
    """Change a role for all who hold it. From then on it is the county's own: its profile leaves it alone.

    Nobody adds a right that he or she does not have. Raises Invalid by field, Stale, Forbidden, Conflict when nobody
    would be left who manages accounts.
    """
    _require_whole(uow)
    administrators = records.lock_administrators(uow)
    role = uow.get_for_update(Role, role_id)
    before = {
        "name": role.name,
        "name_en": role.name_en,
        "permissions": sorted(role.permissions),
        "requires_totp": role.requires_totp,
    }
    if role.version != version:
        raise Stale(_l("Somebody changed this role in between."), theirs={**before, "version": role.version})
    errors = _errors(uow, given, permissions, held=frozenset(role.permissions))
    if errors:
        raise Invalid(errors)
    old, new = changed(before, _columns(given))
    if not new:
        return role
    for column, value in _columns(given).items():
        setattr(role, column, value)
    role.template = OWN
    role.version += 1
    records.require_administrator_left(uow, administrators)
    if "permissions" in new:
        was, now = set(before["permissions"]), set(new["permissions"])  # type: ignore[call-overload]
        old["permissions"], new["permissions"] = sorted(was - now), sorted(now - was)
    audit(uow, action="role.edit", obj=role, label=role.name, before=old, after=new)
    return role


@acts(policy.ROLE_MANAGE)
def delete_role(uow: Uow, *, role_id: int) -> None:
    """Delete a role nobody holds. Raises Conflict when it is held, NotFound."""
    _require_whole(uow)
    row = get_role(uow, role_id)
    role = uow.get_for_update(Role, role_id)
    if row.accounts:
        raise Conflict(_l("%(n)d accounts hold this role. Take it away from them first.", n=row.accounts))
    if role.template != OWN:
        raise Conflict(_l("This role comes from the county's profile. Take it out there."))
    audit(
        uow, action="role.delete", obj=role, label=role.name, before={"key": role.key, "permissions": role.permissions}
    )
    uow.session.delete(role)


def _require_whole(uow: Uow) -> None:
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Roles hold for the whole county; only who manages all of it may change them."))


def _columns(given: RoleInput) -> dict[str, object]:
    return {
        "name": given.name.strip(),
        "name_en": given.name_en.strip(),
        "permissions": sorted(set(given.permissions)),
        "requires_totp": given.requires_totp,
    }


def _errors(
    uow: Uow, given: RoleInput, permissions: PermissionRegistry, *, held: frozenset[str]
) -> dict[str, list[object]]:
    errors: dict[str, list[object]] = {}
    if not given.name.strip():
        errors["name"] = [_l("Give the role a name.")]
    elif len(given.name.strip()) > 40 or len(given.name_en.strip()) > 60:
        errors["name"] = [_l("This name is too long.")]
    labels = {p.name: str(p.label) for p in permissions.all(records.tenant_of(uow).kind)}
    chosen = set(given.permissions)
    if not chosen:
        errors["permissions"] = [_l("Choose at least one right.")]
    elif unknown := sorted(chosen - set(labels) - held):
        errors["permissions"] = [_l("There is no such right: %(names)s.", names=", ".join(unknown))]
    elif missing := policy.missing_rights(uow.actor, chosen - held, 0):
        names = join_words(labels.get(name, name) for name in missing)
        errors["permissions"] = [_l("You can only add rights that you have yourself. Missing: %(names)s.", names=names)]
    return errors
