"""A keyed hash of what a client sent with its UUID: the same UUID with other values is no repetition"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("household", "person")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("client_digest", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "client_digest")
