"""Accounts of others: made, changed, disabled, unlocked, helped with a one-time link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export, changed
from xiangyue.access.models import Account
from xiangyue.access.permissions import PermissionRegistry
from xiangyue.access.ratelimit import RateLimiter
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.accounts import policy, records
from xiangyue.features.accounts.service.grants import insert_grant
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.pinyin import sort_key

_FIELDS = ("name", "post")


@acts(policy.ACCOUNT_MANAGE)
def create_account(
    uow: Uow,
    *,
    login: str,
    name: str,
    post: str = "",
    role: str = "",
    area_code: int = 0,
    permissions: PermissionRegistry,
) -> tuple[Account, str]:
    """A new account with its first role (key) in an area; returns it and the token of its one-time link.

    Without a role only a manager of the whole county may make one. ``area_code`` 0 means the whole tenant.
    Raises Invalid by field.
    """
    login = policy.clean_login(login)
    errors = {**records.name_errors(name), **_post_errors(post)}
    if not policy.LOGIN.fullmatch(login):
        errors["login"] = [
            _l("2 to 64 Latin letters, digits, dots, hyphens or underscores, beginning with a letter or digit.")
        ]
    elif uow.session.scalars(select(Account.id).where(Account.login == login)).one_or_none() is not None:
        errors["login"] = [_l("This sign-in name is taken.")]
    if not role and uow.scope.ranges is not None:
        errors["role"] = [_l("Choose a role.")]
    if errors:
        raise Invalid(errors)
    account = Account(login=login, name=name.strip(), post=post.strip(), sort_key=sort_key(name.strip()))
    uow.session.add(account)
    uow.session.flush()
    if role:
        insert_grant(uow, account, role, area_code, permissions)
    records.record(uow, "account.create", account, after={"login": login, "name": account.name})
    return account, records.new_link(uow, account, policy.INVITE)


@acts(policy.ACCOUNT_MANAGE)
def edit_account(uow: Uow, *, account_id: int, version: int, name: str, post: str) -> Account:
    """Change name and post. Raises Invalid by field, Stale with the values that stand."""
    account = records.account_to_manage(uow, account_id, own=True)
    before = {f: getattr(account, f) for f in _FIELDS}
    if account.version != version:
        raise Stale(_l("Somebody changed this account in between."), theirs={**before, "version": account.version})
    errors = {**records.name_errors(name), **_post_errors(post)}
    if errors:
        raise Invalid(errors)
    after = {"name": name.strip(), "post": post.strip()}
    old, new = changed(before, after)
    if new:
        account.name, account.post = after["name"], after["post"]
        account.sort_key = sort_key(account.name)
        account.version += 1
        records.record(uow, "account.edit", account, before=old, after=new)
    return account


def _post_errors(post: str) -> dict[str, list[object]]:
    return {"post": [_l("At most %(n)d characters.", n=80)]} if len(post.strip()) > 80 else {}


@acts(policy.ACCOUNT_MANAGE)
def set_state(uow: Uow, *, account_id: int, state: str) -> Account:
    """``active`` or ``disabled``; disabling ends all sessions at once and tokens stop working. Raises Conflict when
    nobody would be left who manages accounts."""
    if state not in (policy.ACTIVE, policy.DISABLED):
        raise Invalid({"state": [_l("Unknown state: %(state)s.", state=state)]})
    administrators = records.lock_administrators(uow)
    account = records.account_to_manage(uow, account_id)
    if account.state == state:
        return account
    account.state = state
    account.version += 1
    if state == policy.DISABLED:
        records.require_administrator_left(uow, administrators)
        records.end_sessions(uow, account.id)
    action = "account.disable" if state == policy.DISABLED else "account.enable"
    records.record(uow, action, account)
    return account


@acts(policy.ACCOUNT_MANAGE)
def unlock(uow: Uow, *, account_id: int, limiter: RateLimiter) -> Account:
    """Open an account that wrong attempts have shut."""
    account = records.account_to_manage(uow, account_id)
    records.forget_failures(uow, account, limiter)
    records.record(uow, "account.unlock", account)
    return account


@acts(policy.ACCOUNT_MANAGE)
def make_link(uow: Uow, *, account_id: int) -> tuple[Account, str]:
    """A one-time link to set a password (72 h); former links end. Returns the account and the link's token."""
    account = records.account_to_manage(uow, account_id)
    if account.state != policy.ACTIVE:
        raise Conflict(_l("The account is disabled. Enable it first."))
    purpose = policy.RESET if account.password_hash else policy.INVITE
    records.record(uow, "account.link", account, after={"purpose": purpose})
    return account, records.new_link(uow, account, purpose)


@acts(policy.ACCOUNT_MANAGE)
def reset_second_factor(uow: Uow, *, account_id: int) -> Account:
    """Take the second factor away from somebody who lost phone and recovery codes; sessions end."""
    account = records.account_to_manage(uow, account_id)
    if account.totp_confirmed_at is None:
        raise Conflict(_l("The second factor is not on."))
    account.totp_secret, account.totp_confirmed_at, account.recovery_hashes = None, None, []
    records.end_sessions(uow, account.id)
    records.record(uow, "second_factor.reset", account)
    return account


@acts(policy.ACCOUNT_MANAGE)
def end_all_sessions(uow: Uow, *, account_id: int) -> int:
    """End every session of an account at once; returns how many."""
    account = records.account_to_manage(uow, account_id)
    ended = records.end_sessions(uow, account.id)
    records.record(uow, "session.end_all", account, after={"sessions": ended})
    return ended


@acts(policy.ACCOUNT_VIEW)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the audit trail, where its ``number`` finds it."""
    audit_export(
        uow,
        action="account.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
    )
