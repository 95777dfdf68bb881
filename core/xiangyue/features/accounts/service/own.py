"""One's own account: particulars, language, password, sessions, access tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from xiangyue.access.acts import acts
from xiangyue.access.audit import changed
from xiangyue.access.models import Account, ApiToken
from xiangyue.access.passwords import hash_password, verify_password
from xiangyue.access.ratelimit import RateLimiter
from xiangyue.access.tokens import API_PREFIX, hint, new_token
from xiangyue.db.uow import Uow
from xiangyue.errors import Forbidden, Invalid, NotFound, Stale
from xiangyue.features.accounts import policy, records
from xiangyue.features.accounts.queries.accounts import grants_of, own_account
from xiangyue.i18n import LOCALES
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.pinyin import sort_key

_FIELDS = ("name", "locale", "large_text")


@acts(None)
def edit_me(uow: Uow, *, version: int, name: str, locale: str, large_text: bool) -> Account:
    """Change one's own name, language ("" as the county) and text size. Raises Invalid, Stale."""
    _require_whole_token(uow)
    account = uow.get_for_update(Account, own_account(uow).id)
    before = {f: getattr(account, f) for f in _FIELDS}
    if account.version != version:
        raise Stale(_l("Somebody changed this account in between."), theirs={**before, "version": account.version})
    errors = records.name_errors(name)
    if locale not in ("", *LOCALES):
        errors["locale"] = [_l("Choose one of the languages.")]
    if errors:
        raise Invalid(errors)
    after = {"name": name.strip(), "locale": locale, "large_text": large_text}
    old, new = changed(before, after)
    if new:
        for field, value in after.items():
            setattr(account, field, value)
        account.sort_key = sort_key(account.name)
        account.version += 1
        records.record(uow, "account.edit", account, before=old, after=new)
    return account


@acts(None)
def set_preferences(uow: Uow, *, locale: str | None = None, large_text: bool | None = None) -> None:
    """Remember language or text size of the person signed in. Raises Invalid for an unknown language."""
    account = own_account(uow)
    if locale is not None:
        if locale not in LOCALES:
            raise Invalid({"locale": [_l("Choose one of the languages.")]})
        account.locale = locale
    if large_text is not None:
        account.large_text = large_text


@acts(None)
def change_password(uow: Uow, *, current: str, password: str, limiter: RateLimiter) -> None:
    """Replace one's own password; all other sessions end.

    Raises Invalid on ``current`` or ``password``, TooMany after many wrong ones.
    """
    uow.commit_on_error = True
    account = uow.get_for_update(Account, own_account(uow).id)
    key = records.account_key(uow, f"{account.id}:password")
    limiter.check(key, "sign_in_account")
    if not verify_password(account.password_hash, current)[0]:
        limiter.hit(key, "sign_in_account")
        raise Invalid({"current": [_l("This is not your present password.")]})
    records.require_strength(uow, account, password)
    if verify_password(account.password_hash, password)[0]:
        raise Invalid({"password": [_l("Choose a password other than the present one.")]})
    account.password_hash = hash_password(password)
    account.must_change_password = False
    ended = records.end_sessions(uow, account.id, keep=uow.actor.session_id)
    records.record(uow, "password.change", account, after={"sessions_ended": ended})


@acts(None)
def end_own_session(uow: Uow, *, session_id: int) -> None:
    """End one of one's own sessions. Raises NotFound."""
    account = own_account(uow)
    if not records.end_session(uow, account.id, session_id):
        raise NotFound(_l("This session has ended already."))
    records.record(uow, "session.end", account, after={"session": session_id})


@acts(None)
def end_other_sessions(uow: Uow) -> int:
    """End all one's own sessions but this one; returns how many."""
    account = own_account(uow)
    ended = records.end_sessions(uow, account.id, keep=uow.actor.session_id)
    if ended:
        records.record(uow, "session.end_all", account, after={"sessions": ended})
    return ended


@acts(None)
def create_own_token(uow: Uow, *, name: str, scopes: Iterable[str], days: int) -> tuple[ApiToken, str]:
    """A personal access token; returns (row, the token, to be shown once). Raises Invalid, Forbidden."""
    _require_whole_token(uow)
    return _create_token(uow, own_account(uow), name, scopes, days)


@acts(policy.ACCOUNT_MANAGE)
def create_token_for(uow: Uow, *, account_id: int, name: str, scopes: Iterable[str], days: int) -> tuple[ApiToken, str]:
    """A token of another's account, for the command line: only the system may hand out what is somebody else's."""
    if uow.actor.kind != "system":
        raise Forbidden(_l("A person makes tokens only for the own account."))
    return _create_token(uow, uow.get(Account, account_id), name, scopes, days)


def _create_token(uow: Uow, account: Account, name: str, scopes: Iterable[str], days: int) -> tuple[ApiToken, str]:
    held = frozenset().union(*(g.permissions for g in grants_of(uow, [account.id])[account.id]))
    wanted = sorted(set(scopes))
    errors: dict[str, list[object]] = {}
    if not name.strip():
        errors["name"] = [_l("Say what the token is for, so that you can tell it from others.")]
    elif len(name.strip()) > 80:
        errors["name"] = [_l("At most %(n)d characters.", n=80)]
    if not wanted:
        errors["scopes"] = [_l("Choose at least one right.")]
    elif "*" not in wanted and (unknown := sorted(set(wanted) - held)):
        errors["scopes"] = [_l("The account does not have these rights: %(names)s.", names=", ".join(unknown))]
    if not 1 <= days <= policy.TOKEN_MAX_DAYS:
        errors["days"] = [_l("Between 1 and %(n)d days.", n=policy.TOKEN_MAX_DAYS)]
    if errors:
        raise Invalid(errors)
    token, digest = new_token(API_PREFIX)
    row = ApiToken(
        account_id=account.id,
        name=name.strip(),
        token_hash=digest,
        hint=hint(token),
        scopes=["*"] if "*" in wanted else wanted,
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(days=days),
    )
    uow.session.add(row)
    uow.session.flush()
    records.record(
        uow,
        "token.create",
        account,
        after={"token": row.id, "name": row.name, "scopes": row.scopes, "expires_at": row.expires_at},
    )
    return row, token


@acts(None)
def revoke_own_token(uow: Uow, *, token_id: int) -> None:
    """Revoke one of one's own tokens; it ends at once. Raises NotFound."""
    _require_whole_token(uow)
    account = own_account(uow)
    row = uow.get_for_update(ApiToken, token_id)
    if row.account_id != account.id or row.revoked_at is not None:
        raise NotFound(_l("There is no such token."))
    row.revoked_at = datetime.now(UTC)
    records.record(uow, "token.revoke", account, before={"token": row.id, "name": row.name})


def _require_whole_token(uow: Uow) -> None:
    """A token cut down to some rights must not change the account or make a token that can more."""
    scopes = uow.actor.token_scopes
    if scopes is not None and "*" not in scopes:
        raise Forbidden(_l("This token is limited to some rights and cannot change the account itself."))
