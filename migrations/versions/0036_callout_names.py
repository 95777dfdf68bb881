"""A call keeps no copy of the names of heads and grid leaders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("callout_group", sa.Column("leader_post_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE callout_group c SET leader_post_id = (SELECT min(t.id) FROM grid_post t WHERE t.tenant_id = c.tenant_id"
        " AND t.grid_id = c.grid_id AND t.role = 'leader' AND t.name = c.leader_name) WHERE c.leader_name <> ''"
    )
    op.drop_column("callout_group", "leader_name")
    op.drop_column("callout_group", "head_name")


def downgrade() -> None:
    for name in ("head_name", "leader_name"):
        op.add_column("callout_group", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE callout_group c SET head_name = p.name FROM person p"
        " WHERE p.tenant_id = c.tenant_id AND p.id = c.head_person_id"
    )
    op.execute(
        "UPDATE callout_group c SET leader_name = t.name FROM grid_post t"
        " WHERE t.tenant_id = c.tenant_id AND t.id = c.leader_post_id"
    )
    op.drop_column("callout_group", "leader_post_id")
