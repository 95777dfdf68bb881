"""Wrong cells of an import mended in the page: what was mended, and by what rows are found that belong together

Rows that wait since before have no household of their own: the first repair of such a batch looks at all of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_row", sa.Column("household_n", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_row", sa.Column("household_key", sa.BigInteger(), nullable=True))
    op.add_column("import_row", sa.Column("person_key", sa.BigInteger(), nullable=True))
    op.add_column(
        "import_row",
        sa.Column("mended", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_table(
        "import_repair",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=True),
        sa.Column("column_key", sa.Text(), nullable=False),
        sa.Column("old_value", sa.LargeBinary(), nullable=True),
        sa.Column("new_value", sa.LargeBinary(), nullable=True),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('cell', 'alike', 'out', 'workbook')", name=op.f("ck_import_repair_kind")),
        sa.CheckConstraint("state in ('waiting', 'done', 'undoing', 'undone')", name=op.f("ck_import_repair_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["import_batch.tenant_id", "import_batch.id"],
            name=op.f("fk_import_repair_tenant_id_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_repair")),
    )
    op.create_index(
        op.f("ix_import_repair_tenant_id_batch_id_id"), "import_repair", ["tenant_id", "batch_id", "id"], unique=False
    )
    for statement in protect("import_repair"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("import_repair")
    for column in ("mended", "person_key", "household_key", "household_n"):
        op.drop_column("import_row", column)
