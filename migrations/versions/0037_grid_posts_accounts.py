"""By which account somebody in charge of a grid signs in; what a draft of grids was when it was put in force"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grid_post", sa.Column("account_id", sa.BigInteger(), nullable=True))
    op.add_column("grid_draft_part", sa.Column("kept", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("grid_draft_part", "kept")
    op.drop_column("grid_post", "account_id")
