"""Whose data was erased, so that imports do not bring it back unseen"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased_person",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("person_key", sa.BigInteger(), nullable=True),
        sa.Column("household_key", sa.BigInteger(), nullable=True),
        sa.Column("name_key", sa.BigInteger(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_erased_person")),
    )
    for column in ("person_key", "household_key"):
        op.create_index(op.f(f"ix_erased_person_tenant_id_{column}"), "erased_person", ["tenant_id", column])
    for statement in protect("erased_person"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("erased_person")
