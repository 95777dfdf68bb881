"""What rules of plugins had against a post in a grid, and why it was given all the same"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grid_post", sa.Column("warnings", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("grid_post", sa.Column("warning_reason", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("grid_post", "warning_reason")
    op.drop_column("grid_post", "warnings")
