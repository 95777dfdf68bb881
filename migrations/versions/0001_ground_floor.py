"""Ground floor: tenants, access, areas, households, imports, jobs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, grant_global, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_OWNED = (
    ("account", "SELECT, INSERT, UPDATE, DELETE"),
    ("account_session", "SELECT, INSERT, UPDATE, DELETE"),
    ("api_token", "SELECT, INSERT, UPDATE, DELETE"),
    ("area", "SELECT, INSERT, UPDATE, DELETE"),
    ("audit_entry", "SELECT, INSERT"),
    ("audit_seal", "SELECT, INSERT"),
    ("award_kind", "SELECT, INSERT, UPDATE, DELETE"),
    ("custom_field", "SELECT, INSERT, UPDATE, DELETE"),
    ("custom_value", "SELECT, INSERT, UPDATE, DELETE"),
    ("household", "SELECT, INSERT, UPDATE, DELETE"),
    ("household_award", "SELECT, INSERT, UPDATE, DELETE"),
    ("household_income", "SELECT, INSERT, UPDATE, DELETE"),
    ("import_batch", "SELECT, INSERT, UPDATE, DELETE"),
    ("import_row", "SELECT, INSERT, UPDATE, DELETE"),
    ("job", "SELECT, INSERT, UPDATE, DELETE"),
    ("mark_kind", "SELECT, INSERT, UPDATE, DELETE"),
    ("name_suffix", "SELECT, INSERT, UPDATE, DELETE"),
    ("one_time_link", "SELECT, INSERT, UPDATE, DELETE"),
    ("outbox_message", "SELECT, INSERT, UPDATE, DELETE"),
    ("person", "SELECT, INSERT, UPDATE, DELETE"),
    ("person_mark", "SELECT, INSERT, UPDATE, DELETE"),
    ("role", "SELECT, INSERT, UPDATE, DELETE"),
    ("role_grant", "SELECT, INSERT, UPDATE, DELETE"),
    ("stored_file", "SELECT, INSERT, UPDATE, DELETE"),
    ("tenant_key", "SELECT, INSERT, UPDATE"),
)
GLOBAL = (
    ("tenant", "SELECT, INSERT, UPDATE"),
    ("tenant_host", "SELECT, INSERT, DELETE"),
)

# After a large import the planner has to look at the tables (``db.sql.refresh_statistics``). ANALYZE is for the owner
# only; MAINTAIN, which could be granted, came with PostgreSQL 17.
REFRESH_STATISTICS = """
CREATE FUNCTION public.refresh_statistics(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY names LOOP
    EXECUTE format('ANALYZE public.%I', name);
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_key", sa.Text(collation="C"), nullable=False),
        sa.Column("post", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recovery_hashes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("failed_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("locale", sa.Text(), server_default="", nullable=False),
        sa.Column("large_text", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("current_area", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state in ('active', 'disabled')", name=op.f("ck_account_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account")),
        sa.UniqueConstraint("tenant_id", "login", name=op.f("uq_account_tenant_id_login")),
    )
    op.create_table(
        "area",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("parent_code", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("official_name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("sort_key", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("level in ('county', 'town', 'village', 'group')", name=op.f("ck_area_level")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_area")),
        sa.UniqueConstraint("tenant_id", "area_code", name=op.f("uq_area_tenant_id_area_code")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "xact",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
        sa.Column("object_label", sa.Text(), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        op.f("ix_audit_entry_tenant_id_account_id_id"),
        "audit_entry",
        ["tenant_id", "account_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_entry_tenant_id_object_type_object_id"),
        "audit_entry",
        ["tenant_id", "object_type", "object_id"],
        unique=False,
    )
    op.create_index(op.f("ix_audit_entry_tenant_id_xact"), "audit_entry", ["tenant_id", "xact"], unique=False)
    op.create_table(
        "audit_seal",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("first_xact", sa.BigInteger(), nullable=False),
        sa.Column("end_xact", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("tenant_id", "first_xact", name=op.f("uq_audit_seal_tenant_id_first_xact")),
    )
    op.create_table(
        "award_kind",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_award_kind")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_award_kind_tenant_id_key")),
    )
    op.create_table(
        "custom_field",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("help", sa.Text(), nullable=False),
        sa.Column("help_en", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("entity in ('household', 'person')", name=op.f("ck_custom_field_entity")),
        sa.CheckConstraint(
            "type in ('text', 'integer', 'date', 'boolean', 'choice')", name=op.f("ck_custom_field_type")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("tenant_id", "entity", "key", name=op.f("uq_custom_field_tenant_id_entity_key")),
    )
    op.create_table(
        "household",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("head_name", sa.Text(), server_default="", nullable=False),
        sa.Column("sort_key", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("person_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("left_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state in ('active', 'closed')", name=op.f("ck_household_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household")),
        sa.UniqueConstraint("tenant_id", "client_id", name=op.f("uq_household_tenant_id_client_id")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_household_tenant_id_code")),
    )
    op.create_index(op.f("ix_household_tenant_id_area_code"), "household", ["tenant_id", "area_code"], unique=False)
    op.create_index(
        op.f("ix_household_tenant_id_sort_key_id"), "household", ["tenant_id", "sort_key", "id"], unique=False
    )
    op.create_table(
        "job",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("locale", sa.Text(), server_default="zh", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), server_default="3", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_job_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job")),
        sa.UniqueConstraint("tenant_id", "unique_key", name=op.f("uq_job_tenant_id_unique_key")),
    )
    op.create_index(op.f("ix_job_tenant_id_state"), "job", ["tenant_id", "state"], unique=False)
    op.create_table(
        "mark_kind",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("sensitivity", sa.Text(), server_default="normal", nullable=False),
        sa.Column("follows_to_household", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mark_kind")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_mark_kind_tenant_id_key")),
    )
    op.create_table(
        "name_suffix",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("suffix", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "suffix", "id", name=op.f("pk_name_suffix")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text(collation="C"), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox_message")),
    )
    op.create_index(
        op.f("ix_outbox_message_tenant_id_id"),
        "outbox_message",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "role",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("template", sa.Text(), server_default="", nullable=False),
        sa.Column("requires_totp", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_role")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_role_tenant_id_key")),
    )
    op.create_table(
        "stored_file",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_stored_file_tenant_id_token")),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("suspended_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind in ('county', 'operator')", name=op.f("ck_tenant_kind")),
        sa.CheckConstraint("state in ('active', 'suspended')", name=op.f("ck_tenant_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
    )
    op.create_table(
        "tenant_key",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_key")),
    )
    op.create_table(
        "account_session",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("totp_pending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_account_session_tenant_id_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account_session")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_account_session_tenant_id_token_hash")),
    )
    op.create_index(
        op.f("ix_account_session_tenant_id_account_id"),
        "account_session",
        ["tenant_id", "account_id"],
        unique=False,
    )
    op.create_table(
        "api_token",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_api_token_tenant_id_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_api_token_tenant_id_token_hash")),
    )
    op.create_index(op.f("ix_api_token_tenant_id_account_id"), "api_token", ["tenant_id", "account_id"], unique=False)
    op.create_table(
        "custom_value",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("text_value", sa.Text(collation="C"), nullable=True),
        sa.Column("int_value", sa.BigInteger(), nullable=True),
        sa.Column("date_value", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "field_id"],
            ["custom_field.tenant_id", "custom_field.id"],
            name=op.f("fk_custom_value_tenant_id_field_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_custom_value")),
        sa.UniqueConstraint(
            "tenant_id", "field_id", "owner_id", name=op.f("uq_custom_value_tenant_id_field_id_owner_id")
        ),
    )
    op.create_index(
        op.f("ix_custom_value_tenant_id_field_id_int_value"),
        "custom_value",
        ["tenant_id", "field_id", "int_value"],
        unique=False,
    )
    op.create_index(
        op.f("ix_custom_value_tenant_id_field_id_text_value"),
        "custom_value",
        ["tenant_id", "field_id", "text_value"],
        unique=False,
    )
    op.create_table(
        "household_award",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("award_key", sa.Text(collation="C"), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("awarded", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["household.tenant_id", "household.id"],
            name=op.f("fk_household_award_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household_award")),
        sa.UniqueConstraint(
            "tenant_id",
            "household_id",
            "award_key",
            "year",
            name=op.f("uq_household_award_tenant_id_household_id_award_key_year"),
        ),
    )
    op.create_table(
        "household_income",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["household.tenant_id", "household.id"],
            name=op.f("fk_household_income_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household_income")),
        sa.UniqueConstraint(
            "tenant_id", "household_id", "year", name=op.f("uq_household_income_tenant_id_household_id_year")
        ),
    )
    op.create_table(
        "import_batch",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("problem", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("header", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scope_ranges", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state in ('uploaded', 'checking', 'checked', 'committing', 'committed', 'cancelled', 'failed')",
            name=op.f("ck_import_batch_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_file.tenant_id", "stored_file.id"],
            name=op.f("fk_import_batch_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_batch")),
    )
    op.create_table(
        "one_time_link",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_one_time_link_tenant_id_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_one_time_link_tenant_id_token_hash")),
    )
    op.create_table(
        "person",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_key", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("relation", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("sex", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("nationality", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("away", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("left_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state in ('active', 'moved', 'deceased')", name=op.f("ck_person_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["household.tenant_id", "household.id"],
            name=op.f("fk_person_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("tenant_id", "client_id", name=op.f("uq_person_tenant_id_client_id")),
        sa.UniqueConstraint("tenant_id", "id_number_index", name=op.f("uq_person_tenant_id_id_number_index")),
    )
    op.create_index(op.f("ix_person_tenant_id_household_id"), "person", ["tenant_id", "household_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_role_grant_tenant_id_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["role.tenant_id", "role.id"],
            name=op.f("fk_role_grant_tenant_id_role_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            "role_id",
            "area_code",
            name=op.f("uq_role_grant_tenant_id_account_id_role_id_area_code"),
        ),
    )
    op.create_table(
        "tenant_host",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_tenant_host_tenant_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_tenant_host")),
    )
    op.create_table(
        "import_row",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["import_batch.tenant_id", "import_batch.id"],
            name=op.f("fk_import_row_tenant_id_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("tenant_id", "batch_id", "row_no", name=op.f("uq_import_row_tenant_id_batch_id_row_no")),
    )
    op.create_index(
        op.f("ix_import_row_tenant_id_batch_id_error_count"),
        "import_row",
        ["tenant_id", "batch_id", "error_count"],
        unique=False,
    )
    op.create_table(
        "person_mark",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("mark_key", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_person_mark_tenant_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person_mark")),
    )
    op.create_index(
        op.f("ix_person_mark_tenant_id_household_id"),
        "person_mark",
        ["tenant_id", "household_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_person_mark_tenant_id_mark_key_area_code"),
        "person_mark",
        ["tenant_id", "mark_key", "area_code"],
        unique=False,
    )

    for table, grants in TENANT_OWNED:
        for statement in protect(table, grants=grants):
            op.execute(statement)
    for table, grants in GLOBAL:
        for statement in grant_global(table, grants):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {RUNTIME_ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")
    op.execute(REFRESH_STATISTICS)
    op.execute("REVOKE ALL ON FUNCTION public.refresh_statistics(text[]) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.refresh_statistics(text[]) TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.execute("DROP FUNCTION public.refresh_statistics(text[])")
    op.drop_index(op.f("ix_person_mark_tenant_id_mark_key_area_code"), table_name="person_mark")
    op.drop_index(op.f("ix_person_mark_tenant_id_household_id"), table_name="person_mark")
    op.drop_table("person_mark")
    op.drop_index(op.f("ix_import_row_tenant_id_batch_id_error_count"), table_name="import_row")
    op.drop_table("import_row")
    op.drop_table("tenant_host")
    op.drop_table("role_grant")
    op.drop_index(op.f("ix_person_tenant_id_household_id"), table_name="person")
    op.drop_table("person")
    op.drop_table("one_time_link")
    op.drop_table("import_batch")
    op.drop_table("household_income")
    op.drop_table("household_award")
    op.drop_index(op.f("ix_custom_value_tenant_id_field_id_text_value"), table_name="custom_value")
    op.drop_index(op.f("ix_custom_value_tenant_id_field_id_int_value"), table_name="custom_value")
    op.drop_table("custom_value")
    op.drop_index(op.f("ix_api_token_tenant_id_account_id"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_index(op.f("ix_account_session_tenant_id_account_id"), table_name="account_session")
    op.drop_table("account_session")
    op.drop_table("tenant_key")
    op.drop_table("tenant")
    op.drop_table("stored_file")
    op.drop_table("role")
    op.drop_index(
        op.f("ix_outbox_message_tenant_id_id"),
        table_name="outbox_message",
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_table("outbox_message")
    op.drop_table("name_suffix")
    op.drop_table("mark_kind")
    op.drop_index(op.f("ix_job_tenant_id_state"), table_name="job")
    op.drop_table("job")
    op.drop_index(op.f("ix_household_tenant_id_sort_key_id"), table_name="household")
    op.drop_index(op.f("ix_household_tenant_id_area_code"), table_name="household")
    op.drop_table("household")
    op.drop_table("custom_field")
    op.drop_table("award_kind")
    op.drop_table("audit_seal")
    op.drop_index(op.f("ix_audit_entry_tenant_id_xact"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_tenant_id_object_type_object_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_tenant_id_account_id_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("area")
    op.drop_table("account")
