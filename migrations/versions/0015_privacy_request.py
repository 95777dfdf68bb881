"""Requests about personal information, and persons whose record was erased"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _text(name: str, *, empty: bool = False, c: bool = False) -> sa.Column[str]:
    kind = sa.Text(collation="C") if c else sa.Text()
    return sa.Column(name, kind, server_default="" if empty else None, nullable=False)


def upgrade() -> None:
    op.add_column("person", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "privacy_request",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("number", c=True),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        _text("kind", c=True),
        _text("asked"),
        _text("channel", c=True),
        sa.Column("by_agent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _text("agent_name", empty=True),
        _text("agent_relation", empty=True),
        _text("identity", c=True),
        _text("identity_note", empty=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("extended_from", sa.Date(), nullable=True),
        _text("extension_reason", empty=True),
        sa.Column("state", sa.Text(collation="C"), server_default="received", nullable=False),
        _text("answer", empty=True),
        sa.Column("outcome", JSONB(), server_default="{}", nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        _text("created_by_name", empty=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state in ('received', 'in_work', 'done', 'refused', 'withdrawn')", name=op.f("ck_privacy_request_state")
        ),
        sa.CheckConstraint(
            "kind in ('access', 'copy', 'correct', 'complete', 'erase')", name=op.f("ck_privacy_request_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_privacy_request_tenant_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_privacy_request")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_privacy_request_tenant_id_number")),
    )
    op.create_index(op.f("ix_privacy_request_tenant_id_person_id"), "privacy_request", ["tenant_id", "person_id"])
    op.create_index(
        op.f("ix_privacy_request_tenant_id_state_due_on_id"), "privacy_request", ["tenant_id", "state", "due_on", "id"]
    )
    for statement in protect("privacy_request"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("privacy_request")
    op.drop_column("person", "erased_at")
