"""The second factor of one's own account: set up, confirmed by a code, recovery codes shown once, turned off."""

from __future__ import annotations

from datetime import UTC, datetime

from xiangyue.access import totp
from xiangyue.access.acts import acts
from xiangyue.access.crypto import TenantKeys, column_context, decrypt_text, encrypt
from xiangyue.access.models import Account
from xiangyue.access.passwords import verify_password
from xiangyue.access.ratelimit import RateLimiter
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.accounts import records
from xiangyue.features.accounts.queries.accounts import own_account
from xiangyue.i18n import lazy_gettext as _l

_COLUMN = "account.totp_secret"


@acts(None)
def pending_secret(uow: Uow, *, keys: TenantKeys) -> str:
    """The secret to scan, made on the first look and the same until it is confirmed. Raises Conflict when on."""
    account = uow.get_for_update(Account, own_account(uow).id)
    context = column_context(uow.tenant_id, _COLUMN)
    if account.totp_confirmed_at is not None:
        raise Conflict(_l("The second factor is on already."))
    if account.totp_secret is None:
        account.totp_secret = encrypt(keys, totp.new_secret(), context)
    return decrypt_text(keys, account.totp_secret, context)


@acts(None)
def turn_on(uow: Uow, *, code: str, keys: TenantKeys, limiter: RateLimiter) -> list[str]:
    """Confirm the secret by a code; returns the recovery codes, to be shown once. Other sessions end.

    Raises Invalid on ``code``, TooMany.
    """
    secret = pending_secret(uow, keys=keys)
    account = own_account(uow)
    key = records.account_key(uow, str(account.id))
    limiter.check(key, "second_factor")
    step = totp.verify(secret, code, 0)
    if step is None:
        limiter.hit(key, "second_factor")
        raise Invalid({"code": [_l("This code does not fit. Check that the phone's clock is right.")]})
    account.totp_confirmed_at = datetime.now(UTC)
    account.totp_last_step = step
    codes, account.recovery_hashes = totp.new_recovery_codes()
    records.end_sessions(uow, account.id, keep=uow.actor.session_id)
    records.record(uow, "second_factor.on", account)
    return codes


@acts(None)
def turn_off(uow: Uow, *, password: str, limiter: RateLimiter) -> None:
    """Turn it off. Raises Conflict when a role demands it, Invalid on ``password``, TooMany."""
    if uow.actor.totp_required:
        raise Conflict(_l("One of your roles demands the second factor, so it cannot be turned off."))
    account = _with_password(uow, password, limiter)
    account.totp_secret, account.totp_confirmed_at, account.recovery_hashes = None, None, []
    records.record(uow, "second_factor.off", account)


@acts(None)
def new_recovery_codes(uow: Uow, *, password: str, limiter: RateLimiter) -> list[str]:
    """Fresh recovery codes, shown once; the old ones are void. Raises Conflict, Invalid on ``password``, TooMany."""
    account = _with_password(uow, password, limiter)
    if account.totp_confirmed_at is None:
        raise Conflict(_l("The second factor is not on."))
    codes, account.recovery_hashes = totp.new_recovery_codes()
    records.record(uow, "second_factor.codes", account)
    return codes


def _with_password(uow: Uow, password: str, limiter: RateLimiter) -> Account:
    account = uow.get_for_update(Account, own_account(uow).id)
    key = records.account_key(uow, f"{account.id}:password")
    limiter.check(key, "sign_in_account")
    if not verify_password(account.password_hash, password)[0]:
        limiter.hit(key, "sign_in_account")
        raise Invalid({"password": [_l("This is not your present password.")]})
    return account
