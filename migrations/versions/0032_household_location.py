"""Where the house of a household stands"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("household", sa.Column("location", sa.Text(collation="C"), server_default="", nullable=False))
    op.create_check_constraint(
        op.f("ck_household_location"), "household", r"location ~ '^([0-9]{2,3}\.[0-9]{6},[0-9]{1,2}\.[0-9]{6})?$'"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_household_location"), "household", type_="check")
    op.drop_column("household", "location")
