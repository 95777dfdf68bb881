"""Undo of a whole import: what it found where it changed something, and where what it wrote is found again

Imports written before have neither and cannot be undone. The index serves the removal of persons, for each of which
PostgreSQL looks for marks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATES = "'uploaded', 'checking', 'mapping', 'checked', 'committing', 'committed', 'cancelled', 'failed'"


def _states(states: str) -> None:
    op.drop_constraint(op.f("ck_import_batch_state"), "import_batch", type_="check")
    op.create_check_constraint(op.f("ck_import_batch_state"), "import_batch", f"state in ({states})")


def upgrade() -> None:
    _states(_STATES.replace("'cancelled'", "'undoing', 'undone', 'cancelled'", 1))
    op.add_column("import_batch", sa.Column("written", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("import_batch", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "import_change",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["import_batch.tenant_id", "import_batch.id"],
            name=op.f("fk_import_change_tenant_id_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", "kind", "id", name=op.f("pk_import_change")),
    )
    for statement in protect("import_change"):
        op.execute(statement)
    op.create_index(op.f("ix_person_mark_tenant_id_person_id"), "person_mark", ["tenant_id", "person_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_person_mark_tenant_id_person_id"), "person_mark")
    op.drop_table("import_change")
    op.drop_column("import_batch", "undone_at")
    op.drop_column("import_batch", "written")
    op.execute("UPDATE import_batch SET state = 'committed' WHERE state = 'undoing'")
    op.execute("UPDATE import_batch SET state = 'cancelled' WHERE state = 'undone'")
    _states(_STATES)
