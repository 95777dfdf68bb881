"""One's own sessions, tokens and sign-ins."""

from __future__ import annotations

from sqlalchemy import func, select

from xiangyue.access.models import Account, AccountSession, ApiToken, AuditEntry, OneTimeLink
from xiangyue.access.tokens import LINK_PREFIX, token_hash
from xiangyue.db.uow import Uow

SIGN_INS = ("sign_in", "sign_in.failed", "sign_in.locked", "sign_out")


def live_sessions(uow: Uow, account_id: int) -> list[AccountSession]:
    """Sessions that still work, the latest used first."""
    return list(
        uow.session.scalars(
            select(AccountSession)
            .where(
                AccountSession.account_id == account_id,
                AccountSession.revoked_at.is_(None),
                AccountSession.expires_at > func.now(),
            )
            .order_by(AccountSession.last_seen_at.desc(), AccountSession.id.desc())
        )
    )


def live_tokens(uow: Uow, account_id: int) -> list[ApiToken]:
    """Tokens that are not revoked, also those run out, the newest first."""
    return list(
        uow.session.scalars(
            select(ApiToken)
            .where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id.desc())
        )
    )


def last_sign_ins(uow: Uow, account_id: int, limit: int = 10) -> list[AuditEntry]:
    """Sign-ins, failed ones too, newest first."""
    return list(
        uow.session.scalars(
            select(AuditEntry)
            .where(
                AuditEntry.object_type == "account",
                AuditEntry.object_id == account_id,
                AuditEntry.action.in_(SIGN_INS),
            )
            .order_by(AuditEntry.id.desc())
            .limit(limit)
        )
    )


def open_link(uow: Uow, token: str) -> tuple[OneTimeLink, Account] | None:
    """An unused one-time link in time and its active account, or None."""
    digest = token_hash(token, LINK_PREFIX)
    if digest is None:
        return None
    link = uow.session.scalars(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == digest,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > func.now(),
        )
    ).one_or_none()
    if link is None:
        return None
    account = uow.session.scalars(
        select(Account).where(Account.id == link.account_id, Account.state == "active")
    ).one_or_none()
    return None if account is None else (link, account)
