"""Classifications: what rules propose for households, what is in force, and the history of both"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_OWNED = (
    ("classification", "SELECT, INSERT, UPDATE, DELETE"),
    ("classification_event", "SELECT, INSERT"),
)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), server_default="", nullable=False)


def upgrade() -> None:
    op.create_table(
        "classification",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("classifier", sa.Text(collation="C"), nullable=False),
        sa.Column("proposed", sa.Text(collation="C"), nullable=False),
        _word("clause"),
        _word("rule_version"),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), server_default="proposed", nullable=False),
        sa.Column("step", sa.SmallInteger(), server_default="0", nullable=False),
        _word("chosen"),
        _word("outcome"),
        _word("answered"),
        _word("answered_clause"),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state in ('proposed', 'in_force', 'differs', 'due', 'reopened', 'lapsed')",
            name=op.f("ck_classification_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["household.tenant_id", "household.id"],
            name=op.f("fk_classification_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_classification")),
        sa.UniqueConstraint(
            "tenant_id", "household_id", "classifier", name=op.f("uq_classification_tenant_id_household_id_classifier")
        ),
    )
    op.create_index(op.f("ix_classification_tenant_id_area_code"), "classification", ["tenant_id", "area_code"])
    op.create_index(
        "ix_classification_open",
        "classification",
        ["tenant_id", "classifier", "step"],
        postgresql_where=sa.text("state IN ('proposed', 'differs', 'due', 'reopened')"),
    )
    op.create_table(
        "classification_event",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("classification_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("event", sa.Text(collation="C"), nullable=False),
        _word("step"),
        _word("outcome"),
        _word("state"),
        _word("proposed"),
        _word("clause"),
        _word("rule_version"),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor_kind", sa.Text(), server_default="system", nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "classification_id"],
            ["classification.tenant_id", "classification.id"],
            name=op.f("fk_classification_event_tenant_id_classification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_classification_event")),
    )
    op.create_index(
        op.f("ix_classification_event_tenant_id_classification_id"),
        "classification_event",
        ["tenant_id", "classification_id"],
    )
    for table, grants in TENANT_OWNED:
        for statement in protect(table, grants=grants):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("classification_event")
    op.drop_table("classification")
