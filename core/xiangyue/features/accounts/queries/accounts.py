"""Accounts with their grants, seen only where the viewer has the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select

from xiangyue.access.models import Account, AuditEntry, Role, RoleGrant
from xiangyue.access.permissions import Permission
from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.queries.areas import AreaName, area_names
from xiangyue.i18n import lazy_gettext as _l

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One role in one area, with the names to show. ``area.code`` 0 is the whole tenant."""

    id: int
    account_id: int
    role_id: int
    role_key: str
    name: str
    name_en: str
    permissions: frozenset[str]
    requires_totp: bool
    area: AreaName
    granted_by: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of a list with its grants."""

    account: Account
    grants: tuple[GrantRow, ...]

    @property
    def id(self) -> int:
        return self.account.id

    @property
    def state(self) -> str:
        return state_of(self.account)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What a list is narrowed to; empty means all. ``area``: 15 digits, grants in its subtree."""

    q: str = ""
    role: str = ""
    area: int = 0
    state: str = ""
    second_factor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[AccountRow]
    next: str | None
    back: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Order:
    """Sort key (name, login, last_sign_in_at), its direction, and where a page begins."""

    key: str = "name"
    descending: bool = False
    after: str | None = None
    before: str | None = None
    limit: int = 50


def state_of(account: Account) -> str:
    """active, invited (no password yet), locked, disabled."""
    if account.state != policy.ACTIVE:
        return policy.DISABLED
    if not account.password_hash:
        return "invited"
    if account.locked_until is not None and account.locked_until > datetime.now(UTC):
        return "locked"
    return policy.ACTIVE


def visible(uow: Uow, permission: Permission = policy.ACCOUNT_VIEW) -> list[ColumnElement[bool]]:
    """Conditions on Account: for a viewer limited to areas, some grant and none outside of them."""
    ranges = uow.actor.ranges(permission)
    if ranges is None:
        return []
    inside = or_(*(RoleGrant.area_code.between(lo, hi) for lo, hi in ranges)) if ranges else false()
    grants = select(RoleGrant.id).where(RoleGrant.account_id == Account.id)
    return [grants.exists(), not_(grants.where(not_(inside)).exists())]


def get_account(uow: Uow, account_id: int, permission: Permission = policy.ACCOUNT_VIEW) -> Account:
    """The account. NotFound when there is none or some of its grants lie outside the viewer's areas."""
    statement = select(Account).where(Account.id == account_id, *visible(uow, permission))
    found = uow.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such account, or it lies outside your area."))
    return found


def own_account(uow: Uow) -> Account:
    """The account of the person who acts. NotFound for the system and for people who are not signed in."""
    if uow.actor.account_id is None:
        raise NotFound(_l("Only a person with an account has this."))
    return uow.get(Account, uow.actor.account_id)


def grants_of(uow: Uow, account_ids: Iterable[int]) -> dict[int, tuple[GrantRow, ...]]:
    """Grants by account id, in the order they were given; accounts without one are there with ()."""
    ids = list(account_ids)
    statement = (
        select(RoleGrant, Role)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.id == RoleGrant.role_id))
        .where(RoleGrant.account_id.in_(ids))
        .order_by(RoleGrant.id)
    )
    rows = list(uow.session.execute(statement)) if ids else []
    names = area_names(uow, {grant.area_code for grant, _ in rows})
    found: dict[int, list[GrantRow]] = {account_id: [] for account_id in ids}
    for grant, role in rows:
        found[grant.account_id].append(
            GrantRow(
                id=grant.id,
                account_id=grant.account_id,
                role_id=role.id,
                role_key=role.key,
                name=role.name,
                name_en=role.name_en,
                permissions=frozenset(role.permissions),
                requires_totp=role.requires_totp,
                area=names[grant.area_code],
                granted_by=grant.granted_by,
                created_at=grant.created_at,
            )
        )
    return {account_id: tuple(grants) for account_id, grants in found.items()}


def history(uow: Uow, account_id: int, *, actions: Sequence[str] = (), limit: int = 50) -> list[AuditEntry]:
    """What was done to an account and its sign-ins, newest first. The caller has checked that it is visible."""
    statement = select(AuditEntry).where(AuditEntry.object_type == "account", AuditEntry.object_id == account_id)
    if actions:
        statement = statement.where(AuditEntry.action.in_(actions))
    return list(uow.session.scalars(statement.order_by(AuditEntry.id.desc()).limit(limit)))


def find_accounts(uow: Uow, wanted: AccountFilter, order: Order) -> Page:
    """One page of the accounts the viewer may see. Raises Invalid for an unreadable cursor."""
    conditions = [*visible(uow), *_conditions(wanted)]
    count = uow.session.scalar(select(func.count()).select_from(Account).where(*conditions)) or 0
    column = _sort_column(order.key)
    backwards = order.before is not None
    descending = order.descending != backwards
    statement = select(Account).where(*conditions)
    cursor = order.before or order.after
    if cursor:
        value, last_id = _cursor(order.key, cursor)
        beyond = column < value if descending else column > value
        same = Account.id < last_id if descending else Account.id > last_id
        statement = statement.where(or_(beyond, and_(column == value, same)))
    keys = (column.desc(), Account.id.desc()) if descending else (column, Account.id)
    found = list(uow.session.scalars(statement.order_by(*keys).limit(order.limit + 1)))
    more = len(found) > order.limit
    accounts = found[: order.limit]
    if backwards:
        accounts.reverse()
    grants = grants_of(uow, [a.id for a in accounts])
    has_next, has_back = (True, more) if backwards else (more, order.after is not None)
    return Page(
        rows=[AccountRow(a, grants[a.id]) for a in accounts],
        next=_mark(order.key, accounts[-1]) if accounts and has_next else None,
        back=_mark(order.key, accounts[0]) if accounts and has_back else None,
        count=count,
    )


def _conditions(wanted: AccountFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.q:
        q = wanted.q.strip()
        found.append(
            or_(
                Account.name.icontains(q, autoescape=True),
                Account.login.contains(policy.clean_login(q), autoescape=True),
            )
        )
    held = select(RoleGrant.id).where(RoleGrant.account_id == Account.id)
    if wanted.role:
        of_role = and_(Role.tenant_id == RoleGrant.tenant_id, Role.id == RoleGrant.role_id)
        found.append(held.join(Role, of_role).where(Role.key == wanted.role).exists())
    if wanted.area:
        found.append(held.where(RoleGrant.area_code.between(*area_range(wanted.area))).exists())
    if wanted.second_factor:
        on = Account.totp_confirmed_at.is_not(None)
        found.append(on if wanted.second_factor == "on" else not_(on))
    locked = and_(Account.locked_until.is_not(None), Account.locked_until > func.now())
    states: dict[str, ColumnElement[bool]] = {
        policy.ACTIVE: and_(Account.state == policy.ACTIVE, Account.password_hash != "", not_(locked)),
        "invited": and_(Account.state == policy.ACTIVE, Account.password_hash == ""),
        "locked": and_(Account.state == policy.ACTIVE, Account.password_hash != "", locked),
        policy.DISABLED: Account.state == policy.DISABLED,
    }
    if wanted.state:
        if wanted.state not in states:
            raise Invalid({"state": [_l("Unknown state: %(state)s.", state=wanted.state)]})
        found.append(states[wanted.state])
    return found


def _sort_column(key: str) -> ColumnElement[Any]:
    if key == "login":
        return Account.login.expression
    if key == "last_sign_in_at":
        return func.coalesce(Account.last_sign_in_at, NEVER)
    return Account.sort_key.expression


def _mark(key: str, account: Account) -> str:
    values: dict[str, Any] = {
        "name": account.sort_key,
        "login": account.login,
        "last_sign_in_at": (account.last_sign_in_at or NEVER).isoformat(),
    }
    return encode_cursor(values[key], account.id)


def _cursor(key: str, cursor: str) -> tuple[Any, int]:
    value, last_id = decode_as(cursor, datetime if key == "last_sign_in_at" else str, int)
    return value, last_id
