"""Who is behind a session cookie or a bearer token: one statement per request, so revoked means revoked now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from xiangyue.access.actor import Actor, Grant
from xiangyue.access.tokens import API_PREFIX, SESSION_PREFIX, token_hash
from xiangyue.db.sql import first_rows, scoped_sql
from xiangyue.db.uow import Uow

#: A row for each grant, or one without any.
_ACCOUNT = """
  t.plugins_version, a.id, a.login, a.name, a.locale, a.large_text, a.current_area, a.must_change_password,
  a.totp_confirmed_at IS NOT NULL,
  g.area_code, r.key, r.name, r.name_en, r.requires_totp, array_to_string(r.permissions, ' ')
"""

_STANDING = """
  JOIN account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
  JOIN tenant t ON t.id = s.tenant_id
  LEFT JOIN role_grant g ON {tenant:g} AND g.account_id = a.id
  LEFT JOIN role r ON {tenant:r} AND r.id = g.role_id
 WHERE {tenant:s} AND {tenant:a} AND s.token_hash = :hash AND s.revoked_at IS NULL AND s.expires_at > now()
   AND a.state = 'active' AND t.state = 'active'
 ORDER BY g.id
"""

_SESSION = f"SELECT s.id, s.totp_pending, s.last_seen_at, {_ACCOUNT} FROM account_session s {_STANDING}"  # noqa: S608
_TOKEN = f"SELECT s.id, s.scopes, s.last_used_at, {_ACCOUNT} FROM api_token s {_STANDING}"  # noqa: S608 - constants

#: "Last seen" is written at most this often: a write per read would serialise a person's tabs.
SEEN_EVERY = timedelta(seconds=60)


@lru_cache(maxsize=1024)
def _named(permissions: str) -> frozenset[str]:
    """A role's rights are a long list that many people share: read once."""
    return frozenset(permissions.split())


def _actor(uow: Uow, kind: str, tenant_area: int, rows: list[tuple[Any, ...]], **more: Any) -> Actor:
    # Behind what the session or token itself says.
    uow.plugins_version, account_id, login, name, locale, large_text, current_area, must_change, totp, *_ = rows[0][3:]
    grants = [row[-6:] for row in rows if row[-6] is not None]
    return Actor(
        kind=kind,
        tenant_id=uow.tenant_id,
        account_id=account_id,
        login=login,
        name=name,
        grants=tuple(
            Grant(key, label, _named(permissions), area, label_en)
            for area, key, label, label_en, _totp, permissions in grants
        ),
        tenant_area=tenant_area,
        locale=locale,
        large_text=large_text,
        current_area=current_area,
        must_change_password=must_change,
        totp_enabled=totp,
        totp_required=any(grant[4] for grant in grants),
        **more,
    )


def session_actor(uow: Uow, cookie: str, *, tenant_area: int, hours: int) -> tuple[Actor, bool] | None:
    """(actor, second factor still owed) of a session cookie, or None. Prolongs the session by ``hours``."""
    digest = token_hash(cookie, SESSION_PREFIX)
    if digest is None:
        return None
    rows = first_rows(uow.session, _SESSION, {"hash": digest})
    if not rows:
        return None
    session_id, pending, last_seen = rows[0][:3]
    if datetime.now(UTC) - last_seen > SEEN_EVERY:
        _note(
            uow,
            "UPDATE account_session s SET last_seen_at = now(), expires_at = now() + make_interval(hours => :hours)"
            " WHERE {tenant:s} AND s.id = :id",
            {"id": session_id, "hours": hours},
        )
    return _actor(uow, "account", tenant_area, rows, session_id=session_id), pending


def _note(uow: Uow, sql: str, params: dict[str, Any]) -> None:
    """At the request's end: a person's other requests, and whoever revokes the session, would wait for a slow one."""
    uow.before_commit(lambda: scoped_sql(uow.session, sql, params))


def token_actor(uow: Uow, bearer: str, *, tenant_area: int) -> Actor | None:
    """The actor of a personal access token, cut down to its scopes, or None."""
    digest = token_hash(bearer, API_PREFIX)
    if digest is None:
        return None
    rows = first_rows(uow.session, _TOKEN, {"hash": digest})
    if not rows:
        return None
    token_id, scopes, last_used = rows[0][:3]
    if last_used is None or datetime.now(UTC) - last_used > SEEN_EVERY:
        _note(uow, "UPDATE api_token s SET last_used_at = now() WHERE {tenant:s} AND s.id = :id", {"id": token_id})
    return _actor(uow, "token", tenant_area, rows, token_scopes=frozenset(scopes), token_id=token_id)
