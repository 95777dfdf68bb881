"""Changes of areas that are arranged for a day to come, and why one could not be put in force on its day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_STATES = "'draft', 'working', 'done', 'undoing', 'undone'"


def upgrade() -> None:
    op.add_column("area_change", sa.Column("arranged_by", sa.BigInteger(), nullable=True))
    op.add_column("area_change", sa.Column("arranged_name", sa.Text(), server_default="", nullable=False))
    op.add_column("area_change", sa.Column("refused", sa.Text(), server_default="", nullable=False))
    op.drop_constraint(op.f("ck_area_change_state"), "area_change", type_="check")
    op.create_check_constraint(
        op.f("ck_area_change_state"),
        "area_change",
        "state in ('draft', 'arranged', 'working', 'done', 'undoing', 'undone')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_area_change_state"), "area_change", type_="check")
    op.execute("UPDATE area_change SET state = 'draft' WHERE state = 'arranged'")
    op.create_check_constraint(op.f("ck_area_change_state"), "area_change", f"state in ({_STATES})")
    op.drop_column("area_change", "refused")
    op.drop_column("area_change", "arranged_name")
    op.drop_column("area_change", "arranged_by")
