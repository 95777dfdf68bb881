"""As whom a job acts: the account that started it, with the rights it has now."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from xiangyue.access.actor import Actor, Grant, system_actor
from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.db.uow import Uow
from xiangyue.errors import Forbidden
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import TOKEN_SCOPES


def account_actor(uow: Uow, account_id: int, *, tenant_area: int, token_scopes: Iterable[str] | None = None) -> Actor:
    """The actor of an account outside a request. Raises Forbidden when the account is gone or disabled."""
    account = uow.session.scalars(
        select(Account).where(Account.id == account_id, Account.state == "active")
    ).one_or_none()
    if account is None:
        raise Forbidden(_l("The account that started this work is disabled."))
    grants = uow.session.execute(
        select(Role, RoleGrant.area_code)
        .join(RoleGrant, (RoleGrant.tenant_id == Role.tenant_id) & (RoleGrant.role_id == Role.id))
        .where(RoleGrant.account_id == account_id)
        .order_by(RoleGrant.id)
    ).all()
    return Actor(
        kind="account",
        tenant_id=uow.tenant_id,
        account_id=account.id,
        login=account.login,
        name=account.name,
        grants=tuple(
            Grant(role.key, role.name, frozenset(role.permissions), area_code, role.name_en)
            for role, area_code in grants
        ),
        token_scopes=None if token_scopes is None else frozenset(token_scopes),
        tenant_area=tenant_area,
        locale=account.locale,
    )


def job_actor(uow: Uow, job: Job, *, tenant_area: int) -> Actor:
    """The creator's account, or the system for work that nobody's account started. Raises Forbidden."""
    if job.created_by is None:
        return system_actor(uow.tenant_id, job.created_by_name or "system")
    return account_actor(uow, job.created_by, tenant_area=tenant_area, token_scopes=job.params.get(TOKEN_SCOPES))
