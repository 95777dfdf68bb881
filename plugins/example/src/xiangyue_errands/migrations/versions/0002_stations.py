"""What is said of a station: when it is open, since when, and its phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "plugin_errands"


def upgrade() -> None:
    for name in ("hours", "desk_phone"):
        column = sa.Column(name, sa.Text(collation="C"), server_default="", nullable=False)
        op.add_column("station", column, schema=SCHEMA)
    op.add_column("station", sa.Column("opened_on", sa.Date(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    for name in ("opened_on", "desk_phone", "hours"):
        op.drop_column("station", name, schema=SCHEMA)
