"""Plugins: which county has which on, their faults, what is installed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import grant_global, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_OWNED = ("plugin_fault", "tenant_plugin")


def upgrade() -> None:
    op.add_column("tenant", sa.Column("plugins_version", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "plugin_installation",
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Text(), server_default="", nullable=False),
        sa.Column("migrated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_plugin_installation")),
    )
    op.create_table(
        "plugin_fault",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plugin", sa.Text(collation="C"), nullable=False),
        sa.Column("hook", sa.Text(collation="C"), nullable=False),
        sa.Column("error", sa.Text(collation="C"), nullable=False),
        sa.Column("trace", sa.Text(), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_fault")),
        sa.UniqueConstraint(
            "tenant_id", "plugin", "hook", "error", name=op.f("uq_plugin_fault_tenant_id_plugin_hook_error")
        ),
    )
    op.create_index(op.f("ix_plugin_fault_tenant_id_last_at"), "plugin_fault", ["tenant_id", "last_at"])
    op.create_table(
        "tenant_plugin",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_plugin")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_tenant_plugin_tenant_id_name")),
    )
    for table in TENANT_OWNED:
        for statement in protect(table):
            op.execute(statement)
    for statement in grant_global("plugin_installation", "SELECT"):
        op.execute(statement)


def downgrade() -> None:
    for table in (*TENANT_OWNED, "plugin_installation"):
        op.drop_table(table)
    op.drop_column("tenant", "plugins_version")
