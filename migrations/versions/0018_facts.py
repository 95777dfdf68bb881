"""Where facts come from, and values that wait for a decision"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _word(name: str, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), server_default=default, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "fact_origin",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        _word("field"),
        _word("kind"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _text("by_name"),
        _now("at"),
        sa.CheckConstraint("kind in ('form', 'decision')", name=op.f("ck_fact_origin_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fact_origin")),
        sa.UniqueConstraint("tenant_id", "owner_id", "field", name=op.f("uq_fact_origin_tenant_id_owner_id_field")),
    )
    op.create_table(
        "fact_conflict",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        _word("field"),
        _text("value"),
        sa.Column("cipher", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        _text("source"),
        _word("state", default="open"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        _text("decided_name"),
        _now("created_at"),
        _now("updated_at"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state in ('open', 'kept', 'taken')", name=op.f("ck_fact_conflict_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fact_conflict")),
        sa.UniqueConstraint(
            "tenant_id",
            "owner_id",
            "field",
            "digest",
            name=op.f("uq_fact_conflict_tenant_id_owner_id_field_digest"),
        ),
    )
    op.create_index(op.f("ix_fact_conflict_tenant_id_state_id"), "fact_conflict", ["tenant_id", "state", "id"])
    for table in ("fact_origin", "fact_conflict"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("fact_conflict")
    op.drop_table("fact_origin")
