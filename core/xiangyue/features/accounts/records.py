"""What several services of this feature write and check: sessions, links, the trail, and who may manage whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, any_, func, literal, select, update

from xiangyue.access.actor import Actor
from xiangyue.access.audit import audit
from xiangyue.access.models import Account, AccountSession, OneTimeLink, Role, RoleGrant
from xiangyue.access.passwords import check_strength
from xiangyue.access.ratelimit import RateLimiter
from xiangyue.access.tokens import LINK_PREFIX, SESSION_PREFIX, new_token, token_hash
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.queries.accounts import get_account, grants_of
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.models import Tenant


def tenant_of(uow: Uow) -> Tenant:
    """The tenant's row of the directory."""
    return uow.session.scalars(select(Tenant).where(Tenant.id == uow.tenant_id)).one()


def become(uow: Uow, account: Account) -> None:
    """From here on the trail names this account: its owner has just proved who he or she is."""
    uow.actor = Actor("account", uow.tenant_id, account.id, login=account.login, name=account.name)


def record(
    uow: Uow,
    action: str,
    account: Account,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """An audit entry about an account. It lies where the account's only area is, else with the whole tenant."""
    codes = set(uow.session.scalars(select(RoleGrant.area_code).where(RoleGrant.account_id == account.id)))
    audit(
        uow,
        action=action,
        object_type="account",
        object_id=account.id,
        label=account.name,
        area_code=codes.pop() if len(codes) == 1 else 0,
        before=before,
        after=after,
    )


def new_session(uow: Uow, account: Account, *, hours: int, pending: bool = False) -> str:
    """A fresh session; returns the token for the cookie. Its id in the URL or a form never becomes a session."""
    token, digest = new_token(SESSION_PREFIX)
    uow.session.add(
        AccountSession(
            token_hash=digest,
            account_id=account.id,
            totp_pending=pending,
            expires_at=datetime.now(UTC) + timedelta(hours=hours),
            ip=uow.info.ip,
            user_agent=uow.info.user_agent,
        )
    )
    return token


def end_cookie(uow: Uow, cookie: str | None) -> None:
    """End the session of a cookie, if it is one."""
    digest = token_hash(cookie, SESSION_PREFIX)
    if digest is not None:
        _end(uow, AccountSession.token_hash == digest)


def end_session(uow: Uow, account_id: int, session_id: int) -> int:
    """End one session of an account; returns 0 when it was not there or had ended."""
    return _end(uow, AccountSession.account_id == account_id, AccountSession.id == session_id)


def end_sessions(uow: Uow, account_id: int, *, keep: int | None = None) -> int:
    """End all sessions of an account at once, but for ``keep``; returns how many there were."""
    return _end(uow, AccountSession.account_id == account_id, AccountSession.id != (keep or 0))


def _end(uow: Uow, *conditions: Any) -> int:
    statement = (
        update(AccountSession)
        .where(AccountSession.revoked_at.is_(None), *conditions)
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
        .returning(AccountSession.id)
    )
    return len(uow.session.scalars(statement).all())


def account_key(uow: Uow, name: str) -> str:
    """What rate limits count by: the tenant and the login or account id."""
    return f"{uow.tenant_id}:{name}"


def forget_failures(uow: Uow, account: Account, limiter: RateLimiter) -> None:
    """Open a locked account, and the rate limits that closed with it."""
    account.failed_count, account.locked_until = 0, None
    limiter.clear(account_key(uow, account.login), "sign_in_account")
    limiter.clear(account_key(uow, str(account.id)), "second_factor")


def new_link(uow: Uow, account: Account, purpose: str) -> str:
    """A one-time link's token; links made before are good for nothing from now on."""
    uow.session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.account_id == account.id,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > func.now(),
        )
        .values(expires_at=func.now())
        .execution_options(synchronize_session=False)
    )
    token, digest = new_token(LINK_PREFIX)
    expires = datetime.now(UTC) + policy.LINK_VALID
    uow.session.add(OneTimeLink(token_hash=digest, account_id=account.id, purpose=purpose, expires_at=expires))
    return token


def require_strength(uow: Uow, account: Account, password: str) -> None:
    """Raise Invalid on ``password`` saying what speaks against it."""
    tenant = tenant_of(uow)
    faults = check_strength(password, account.login, account.name, tenant.slug)
    faults += [f for f in check_strength(password, account.login, account.name, tenant.name) if f not in faults]
    if faults:
        raise Invalid({"password": faults})


def account_to_manage(uow: Uow, account_id: int, *, own: bool = False) -> Account:
    """The account, locked for a change. NotFound outside the actor's areas; Forbidden when it holds a right that the
    actor lacks there (who could reset its password could take it over), or when it is his or her own."""
    get_account(uow, account_id, policy.ACCOUNT_MANAGE)
    account = uow.get_for_update(Account, account_id)
    if not own and uow.actor.account_id == account.id:
        raise Forbidden(_l("This is your own account. Let another administrator do it."))
    if stronger(uow, account_id):
        raise Forbidden(_l("This account holds rights that you do not have. Let an administrator of the county do it."))
    return account


def stronger(uow: Uow, account_id: int) -> bool:
    """Whether an account holds a right that the actor lacks in the same place."""
    grants = grants_of(uow, [account_id])[account_id]
    return any(policy.missing_rights(uow.actor, g.permissions, g.area.code) for g in grants)


def lock_administrators(uow: Uow) -> set[int]:
    """Ids of those who can manage all accounts, locked: two of them must not take each other away at once.

    Counted are active accounts with a password that hold the right for the whole tenant.
    """
    whole = (0, tenant_of(uow).area_code)
    statement = (
        select(Account)
        .join(
            RoleGrant,
            and_(RoleGrant.tenant_id == Account.tenant_id, RoleGrant.account_id == Account.id),
        )
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.id == RoleGrant.role_id))
        .where(
            Account.state == policy.ACTIVE,
            Account.password_hash != "",
            RoleGrant.area_code.in_(whole),
            literal(policy.ACCOUNT_MANAGE.name) == any_(Role.permissions),
        )
        .order_by(Account.id)
        .with_for_update(of=Account)
        .execution_options(populate_existing=True)
    )
    return {account.id for account in uow.session.scalars(statement)}


def require_administrator_left(uow: Uow, before: Collection[int]) -> None:
    """Raise Conflict when there were administrators and the change leaves none."""
    uow.session.flush()
    if before and not lock_administrators(uow):
        raise Conflict(_l("This would leave nobody who can manage accounts. Give another person the role first."))


def name_errors(name: str) -> dict[str, list[object]]:
    """What is wrong with a person's name, as ``Invalid.fields``."""
    if not name.strip():
        return {"name": [_l("Give the person's name.")]}
    if len(name.strip()) > 60:
        return {"name": [_l("At most %(n)d characters.", n=60)]}
    return {}
