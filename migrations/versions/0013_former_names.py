"""Former names of areas, by which sheets go on naming them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = sa.Column("former_names", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column("area", names)


def downgrade() -> None:
    op.drop_column("area", "former_names")
