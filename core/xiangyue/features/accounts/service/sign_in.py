"""Signing in and out: password, second factor, lock-out; and setting a password by a one-time link.

Failures are kept although the answer is an error. No answer tells whether a login exists: an unknown one takes as
long, fails with the same words, and is shut after as many attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from limits import RateLimitItemPerMinute
from sqlalchemy import select

from xiangyue.access import totp
from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys, column_context, decrypt_text
from xiangyue.access.models import Account, OneTimeLink
from xiangyue.access.passwords import hash_password, verify_password
from xiangyue.access.ratelimit import RateLimiter, Rule
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound, TooMany
from xiangyue.features.accounts import policy, records
from xiangyue.features.accounts.queries.own import open_link
from xiangyue.i18n import lazy_gettext as _l

#: Shuts unknown logins as known ones are shut by their account.
_UNKNOWN = Rule("sign_in_unknown", RateLimitItemPerMinute(policy.MAX_FAILURES, 15))

LINK_GONE = _l("This link has been used or has run out. Ask your administrator for a new one.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``token`` is for the cookie; with ``needs_code`` the second factor is still owed."""

    token: str
    account: Account
    needs_code: bool


@acts(None)
def sign_in(
    uow: Uow, *, login: str, password: str, limiter: RateLimiter, hours: int, cookie: str | None = None
) -> SignedIn:
    """Check a password and begin a session; the browser's former one (``cookie``) ends.

    Raises Invalid for a wrong login or password, TooMany when the account is locked or too much was tried.
    """
    uow.commit_on_error = True
    login = policy.clean_login(login)
    key = records.account_key(uow, login)
    limiter.check(key, "sign_in_account")
    limiter.check(uow.info.ip, "sign_in_address")
    account = uow.session.scalars(
        select(Account).where(Account.login == login).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if account is None or account.state != policy.ACTIVE or not account.password_hash:
        verify_password(None, password)
        _unknown(uow, login, account, limiter, key)
    if _locked(account):
        verify_password(None, password)
        _count(uow, limiter, key)
        records.record(uow, "sign_in.failed", account, after={"why": "locked"})
        _shut(account)
    right, needs_rehash = verify_password(account.password_hash, password)
    if not right:
        _count(uow, limiter, key)
        _failed(uow, account, "password")
        raise Invalid({"": [_wrong()]})
    if needs_rehash:
        account.password_hash = hash_password(password)
    limiter.clear(key, "sign_in_account")
    records.end_cookie(uow, cookie)
    pending = account.totp_confirmed_at is not None
    token = records.new_session(uow, account, hours=hours, pending=pending)
    if not pending:
        _finish(uow, account)
    return SignedIn(token, account, pending)


@acts(None)
def give_code(uow: Uow, *, code: str, keys: TenantKeys, limiter: RateLimiter, hours: int) -> SignedIn:
    """The second step: a code of the authenticator or a recovery code. The session is replaced by a fresh one.

    Raises Invalid on ``code``; TooMany when the account gets locked, and then the session has ended.
    """
    uow.commit_on_error = True
    actor = uow.actor
    if actor.account_id is None or actor.session_id is None:
        raise NotFound(_l("There is nothing to confirm."))
    key = records.account_key(uow, str(actor.account_id))
    limiter.check(key, "second_factor")
    account = uow.get_for_update(Account, actor.account_id)
    if _locked(account):
        records.end_sessions(uow, account.id)
        _shut(account)
    used = _use_code(uow, account, code, keys)
    if not used:
        limiter.hit(key, "second_factor")
        try:
            _failed(uow, account, "code")
        except TooMany:
            records.end_sessions(uow, account.id)
            raise
        raise Invalid({"code": [_l("This code is not right or was used before. Wait for the next one and type that.")]})
    limiter.clear(key, "second_factor")
    records.end_session(uow, account.id, actor.session_id)
    token = records.new_session(uow, account, hours=hours)
    _finish(uow, account)
    if used == "recovery":
        records.record(uow, "second_factor.recovery", account, after={"codes_left": len(account.recovery_hashes)})
    return SignedIn(token, account, False)


@acts(None)
def sign_out(uow: Uow, *, cookie: str | None) -> None:
    """End the session of this browser."""
    if uow.actor.account_id is not None and uow.actor.kind == "account":
        account = uow.get(Account, uow.actor.account_id)
        records.record(uow, "sign_out", account)
    records.end_cookie(uow, cookie)


@acts(None)
def use_link(uow: Uow, *, token: str, password: str, limiter: RateLimiter, hours: int) -> SignedIn:
    """Set the password of a one-time link's account and sign in; all its former sessions end.

    Raises NotFound for a link that is unknown, used or out of time, Invalid on ``password``.
    """
    limiter.check(uow.info.ip, "reset_link")
    found = open_link(uow, token)
    if found is None:
        limiter.hit(uow.info.ip, "reset_link")
        raise NotFound(LINK_GONE)
    link = uow.get_for_update(OneTimeLink, found[0].id)
    if link.used_at is not None:  # somebody was faster by a moment
        raise NotFound(LINK_GONE)
    account = uow.get_for_update(Account, link.account_id)
    records.require_strength(uow, account, password)
    link.used_at = datetime.now(UTC)
    account.password_hash = hash_password(password)
    account.must_change_password = False
    records.forget_failures(uow, account, limiter)
    limiter.clear(records.account_key(uow, account.login), _UNKNOWN)
    records.end_sessions(uow, account.id)
    records.become(uow, account)
    records.record(uow, "password.set", account, after={"purpose": link.purpose})
    pending = account.totp_confirmed_at is not None
    fresh = records.new_session(uow, account, hours=hours, pending=pending)
    if not pending:
        _finish(uow, account)
    return SignedIn(fresh, account, pending)


def _locked(account: Account) -> bool:
    """Whether the account is shut now; a lock that has run out is forgotten."""
    if account.locked_until is None:
        return False
    if account.locked_until > datetime.now(UTC):
        return True
    account.failed_count, account.locked_until = 0, None
    return False


def _wrong() -> object:
    return _l("The sign-in name or the password is wrong.")


def _count(uow: Uow, limiter: RateLimiter, key: str) -> None:
    limiter.hit(key, "sign_in_account")
    limiter.hit(uow.info.ip, "sign_in_address")


def _shut(account: Account) -> NoReturn:
    seconds = policy.LOCK_FOR.total_seconds()
    if account.locked_until is not None:
        seconds = (account.locked_until - datetime.now(UTC)).total_seconds()
    _shut_for(max(1, int(seconds)))


def _shut_for(seconds: int) -> NoReturn:
    raise TooMany(
        _l(
            "Too many wrong attempts. This sign-in name is shut for %(minutes)d minutes; an administrator can open it "
            "sooner.",
            minutes=-(-seconds // 60),
        ),
        retry_after=seconds,
    )


def _unknown(uow: Uow, login: str, account: Account | None, limiter: RateLimiter, key: str) -> NoReturn:
    """Fail for a login that cannot sign in, exactly as for one that can."""
    if account is not None:
        records.record(uow, "sign_in.failed", account, after={"why": account.state})
    else:
        # What is no login may be a password typed into the wrong field.
        shown = login if policy.LOGIN.fullmatch(login) else ""
        audit(uow, action="sign_in.failed", object_type="account", label=shown, after={"why": "unknown"})
    uow.session.flush()
    _count(uow, limiter, key)
    try:
        limiter.hit(key, _UNKNOWN)
        limiter.check(key, _UNKNOWN)
    except TooMany as error:
        _shut_for(error.retry_after)
    raise Invalid({"": [_wrong()]})


def _failed(uow: Uow, account: Account, why: str) -> None:
    """Count a failure. Raises TooMany when it was the last one allowed."""
    account.failed_count += 1
    records.record(uow, "sign_in.failed", account, after={"why": why, "failures": account.failed_count})
    if account.failed_count >= policy.MAX_FAILURES:
        account.locked_until = datetime.now(UTC) + policy.LOCK_FOR
        records.record(uow, "sign_in.locked", account, after={"until": account.locked_until})
        uow.session.flush()
        _shut(account)
    uow.session.flush()


def _use_code(uow: Uow, account: Account, code: str, keys: TenantKeys) -> str:
    """totp or recovery when the code was right (and is now used up), else ""."""
    if account.totp_secret is None or account.totp_confirmed_at is None:
        return ""
    secret = decrypt_text(keys, account.totp_secret, column_context(uow.tenant_id, "account.totp_secret"))
    step = totp.verify(secret, code, account.totp_last_step)
    if step is not None:
        account.totp_last_step = step
        return "totp"
    matched = totp.match_recovery_code(code, account.recovery_hashes)
    if matched is None:
        return ""
    account.recovery_hashes = [h for h in account.recovery_hashes if h != matched]
    return "recovery"


def _finish(uow: Uow, account: Account) -> None:
    account.failed_count, account.locked_until = 0, None
    account.last_sign_in_at = datetime.now(UTC)
    records.become(uow, account)
    records.record(uow, "sign_in", account)
