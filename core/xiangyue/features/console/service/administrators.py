"""How a county gets its first administrator: an account and a one-time link that the operator hands over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.accounts.policy import ACTIVE, LINK_VALID
from xiangyue.features.accounts.service.accounts import create_account, make_link
from xiangyue.features.console import policy
from xiangyue.features.console.queries.counties import get_county
from xiangyue.features.console.queries.usage import administrator_role, administrators_of
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime
from xiangyue.tenancy.cross import visit
from xiangyue.tenancy.directory import TenantInfo, info_of
from xiangyue.tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link, to be shown once: ``address`` sets the password of the account until ``expires_at``."""

    account_id: int
    login: str
    name: str
    address: str
    expires_at: datetime


@acts(policy.OPERATOR_MANAGE)
def invite_administrator(uow: Uow, *, runtime: Runtime, slug: str, login: str, name: str) -> Invitation:
    """Make the county's first administrator and a one-time link (72 h).

    A county whose administrator has signed in makes its accounts itself: Conflict. Raises Invalid by field, NotFound.
    """
    tenant = _active(uow, slug)
    county = info_of(tenant)
    with visit(runtime, county, actor=uow.actor, info=uow.info) as visited:
        inside = visited.uow
        if any(_works(account) for account in administrators_of(inside, tenant)):
            raise Conflict(
                _l("This county has an administrator who makes its accounts. Make a new link for that person instead.")
            )
        role = administrator_role(inside)
        if role is None:
            raise Conflict(_l("No role of this county may manage accounts. Add one to its profile and apply it."))
        account, token = create_account(
            inside,
            login=login,
            name=name,
            role=role.key,
            area_code=county.area_code,
            permissions=runtime.registry.permissions,
        )
        visited.tell(action="tenant.administrator", after={"login": account.login, "name": account.name})
    return _invitation(runtime, county, account, token)


@acts(policy.OPERATOR_MANAGE)
def renew_link(uow: Uow, *, runtime: Runtime, slug: str, account_id: int, reason: str = "") -> Invitation:
    """A new one-time link for an administrator of a county; former ones end.

    Somebody who has signed in already needs a ``reason``, kept in both trails: who holds the link gets the account.
    Raises NotFound for an account that is no administrator, Invalid, Conflict.
    """
    tenant = _active(uow, slug)
    county = info_of(tenant)
    reason = reason.strip()
    with visit(runtime, county, actor=uow.actor, info=uow.info) as visited:
        inside = visited.uow
        known = {account.id: account for account in administrators_of(inside, tenant)}
        if account_id not in known:
            raise NotFound(_l("There is no such administrator."))
        if known[account_id].password_hash and not reason:
            raise Invalid({"reason": [_l("Say why: the county will read it in its audit trail.")]})
        account, token = make_link(inside, account_id=account_id)
        told = {"login": account.login, "name": account.name}
        audit(
            inside,
            action="tenant.link",
            object_type="account",
            object_id=account.id,
            label=account.name,
            after=told,
            purpose=reason,
        )
        visited.tell(action="tenant.link", after=told, purpose=reason)
    return _invitation(runtime, county, account, token)


def _active(uow: Uow, slug: str) -> Tenant:
    tenant = get_county(uow, slug)
    if tenant.state != policy.ACTIVE:
        raise Conflict(_l("The county is suspended: nobody could open the link. Resume it first."))
    return tenant


def _works(account: Account) -> bool:
    return account.state == ACTIVE and bool(account.password_hash)


def _invitation(runtime: Runtime, county: TenantInfo, account: Account, token: str) -> Invitation:
    settings = runtime.settings
    address = settings.address(f"{county.slug}.{settings.base_domain}")
    return Invitation(
        account_id=account.id,
        login=account.login,
        name=account.name,
        address=f"{address}/link/{token}",
        expires_at=datetime.now(UTC) + LINK_VALID,
    )
