"""Accounts, sessions, tokens, roles, grants, keys and the audit trail of one tenant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, Json, TenantOwned, Timestamps, Versioned, tenant_fk


class Account(Timestamps, Versioned, TenantOwned, Base):
    """账号: a person who signs in. ``login`` is lower case and unique in the tenant."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("tenant_id", "login"),
        CheckConstraint("state in ('active', 'disabled')", name="state"),
    )

    login: Mapped[str]
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(Text(collation="C"), default="")
    post: Mapped[str] = mapped_column(default="", server_default="")
    #: Empty until the holder of a one-time link sets one.
    password_hash: Mapped[str] = mapped_column(default="", server_default="")
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    recovery_hashes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    failed_count: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    locale: Mapped[str] = mapped_column(default="", server_default="")
    large_text: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: The area the person last looked at (15 digits), 0 for all of his or hers.
    current_area: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_sign_in_at: Mapped[datetime | None]


class AccountSession(TenantOwned, Base):
    """A signed-in browser. Ends at once when ``revoked_at`` is set: it is read at every request."""

    __tablename__ = "account_session"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        Index(None, "tenant_id", "account_id"),
        tenant_fk("account_id", "account", ondelete="CASCADE"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[int]
    #: Password given, second factor still owed: nothing else can be reached.
    totp_pending: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")


class OneTimeLink(TenantOwned, Base):
    """A link that lets its holder set a password once: first administrator, new account, reset."""

    __tablename__ = "one_time_link"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        tenant_fk("account_id", "account", ondelete="CASCADE"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[int]
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(TenantOwned, Base):
    """A personal access token. ``scopes``: permission names, or ``*`` for all that the account has."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        Index(None, "tenant_id", "account_id"),
        tenant_fk("account_id", "account", ondelete="CASCADE"),
    )

    account_id: Mapped[int]
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(default="")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Role(Timestamps, Versioned, TenantOwned, Base):
    """角色: a county's own bundle of permissions, made from a template or freely."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    template: Mapped[str] = mapped_column(default="", server_default="")
    requires_totp: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class RoleGrant(TenantOwned, Base):
    """授权: this account holds this role in this area (15-digit code, its subtree)."""

    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "role_id", "area_code"),
        tenant_fk("account_id", "account", ondelete="CASCADE"),
        tenant_fk("role_id", "role"),
    )

    account_id: Mapped[int]
    role_id: Mapped[int]
    area_code: Mapped[int] = mapped_column(BigInteger)
    granted_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TenantKey(TenantOwned, Base):
    """The tenant's data key and index key, wrapped by the key-encryption key."""

    __tablename__ = "tenant_key"
    runtime_grants = "SELECT, INSERT, UPDATE"

    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuditEntry(TenantOwned, Base):
    """审计: who did what to which thing, when, from where and why. Appended only: the runtime role cannot change it.

    ``xact`` is the writing transaction; the sealing job takes whole transactions that are certainly over, so an entry
    that commits late is never skipped.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "tenant_id", "object_type", "object_id"),
        Index(None, "tenant_id", "account_id", "id"),
        Index(None, "tenant_id", "xact"),
    )
    runtime_grants = "SELECT, INSERT"

    xact: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text)::bigint"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[str]
    account_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    object_type: Mapped[str] = mapped_column(default="")
    object_id: Mapped[int | None]
    object_label: Mapped[str] = mapped_column(default="")
    #: 15-digit code of where the thing lies, 0 for the county as a whole; area-bound auditors see their range.
    area_code: Mapped[int] = mapped_column(BigInteger, default=0)
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    purpose: Mapped[str] = mapped_column(default="")
    ip: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")


class AuditSeal(TenantOwned, Base):
    """封存: a batch of audit entries hashed onto the batch before it."""

    __tablename__ = "audit_seal"
    __table_args__ = (UniqueConstraint("tenant_id", "first_xact"),)
    runtime_grants = "SELECT, INSERT"

    #: Entries with first_xact <= xact < end_xact are in the batch.
    first_xact: Mapped[int]
    end_xact: Mapped[int]
    entries: Mapped[int] = mapped_column(Integer)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: 24 bytes for each entry (id, start of its own hash), so that a broken batch can name its entries.
    digests: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(server_default=func.now())
