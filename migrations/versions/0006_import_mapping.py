"""Columns of a file matched by a person: a state of the import, and what is remembered for the next file of the kind"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATES = "'uploaded', 'checking', 'checked', 'committing', 'committed', 'cancelled', 'failed'"


def _states(states: str) -> None:
    op.drop_constraint(op.f("ck_import_batch_state"), "import_batch", type_="check")
    op.create_check_constraint(op.f("ck_import_batch_state"), "import_batch", f"state in ({states})")


def upgrade() -> None:
    _states(_STATES.replace("'checked'", "'mapping', 'checked'", 1))
    op.create_table(
        "import_mapping",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("fingerprint", sa.Text(collation="C"), nullable=False),
        sa.Column("targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_mapping")),
        sa.UniqueConstraint("tenant_id", "fingerprint", name=op.f("uq_import_mapping_tenant_id_fingerprint")),
    )
    for statement in protect("import_mapping"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("import_mapping")
    op.execute("UPDATE import_batch SET state = 'failed' WHERE state = 'mapping'")
    _states(_STATES)
