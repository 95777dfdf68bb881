"""Search by part of an address or household number, and by the last four of a citizen number or phone

What stood before is made findable by the daily job ``households.searchable``: the keyed hashes need the counties'
keys, which a migration does not have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TAILS = ("id_number_tail", "phone_tail")


def upgrade() -> None:
    for column in TAILS:
        op.add_column("person", sa.Column(column, sa.LargeBinary(), nullable=True))
        op.create_index(op.f(f"ix_person_tenant_id_{column}"), "person", ["tenant_id", column])
    op.create_table(
        "household_piece",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("piece", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "piece", "area_code", "id", name=op.f("pk_household_piece")),
    )
    op.create_table(
        "piece_suffix",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("suffix", sa.Text(collation="C"), nullable=False),
        sa.Column("piece", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "suffix", "piece", "id", name=op.f("pk_piece_suffix")),
    )
    for table in ("household_piece", "piece_suffix"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("piece_suffix")
    op.drop_table("household_piece")
    for column in reversed(TAILS):
        op.drop_index(op.f(f"ix_person_tenant_id_{column}"), "person")
        op.drop_column("person", column)
