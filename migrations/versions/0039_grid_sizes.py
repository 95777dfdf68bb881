"""How large each leaf grid is today is kept, so that grids can be picked out by size"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import protect

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_UNTIL = op.f("ix_grid_size_tenant_id_until")
_ORDERS = {
    op.f("ix_grid_version_tenant_id_parent_id"): ["parent_id"],
    op.f("ix_grid_version_tenant_id_sort_key_id"): ["sort_key", "id"],
}
_TODAY = "CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date)"
_LIES = f"gh.valid_from <= {_TODAY}"
_FILL = f"""
INSERT INTO grid_size (tenant_id, grid_id, households, registered, living, until)
SELECT g.tenant_id, g.id, count(h.id) FILTER (WHERE {_LIES}),
       coalesce(sum(h.registered_count) FILTER (WHERE {_LIES}), 0),
       coalesce(sum(h.living_count) FILTER (WHERE {_LIES}), 0),
       min(CASE WHEN {_LIES} THEN gh.valid_to ELSE gh.valid_from END)
  FROM grid g
  LEFT JOIN grid_household gh ON gh.tenant_id = g.tenant_id AND gh.grid_id = g.id
       AND (gh.valid_to IS NULL OR gh.valid_to > {_TODAY})
  LEFT JOIN household h ON h.tenant_id = gh.tenant_id AND h.id = gh.household_id
 GROUP BY g.tenant_id, g.id
"""  # noqa: S608 - put together from constants


def upgrade() -> None:
    op.create_table(
        "grid_size",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("living", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grid_id"],
            ["grid.tenant_id", "grid.id"],
            name=op.f("fk_grid_size_tenant_id_grid_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_grid_size")),
        sa.UniqueConstraint("tenant_id", "grid_id", name=op.f("uq_grid_size_tenant_id_grid_id")),
    )
    op.create_index(_UNTIL, "grid_size", ["tenant_id", "until"], postgresql_where=sa.text("until IS NOT NULL"))
    for name, columns in _ORDERS.items():
        op.create_index(name, "grid_version", ["tenant_id", *columns])
    for statement in protect("grid_size"):
        op.execute(statement)
    op.execute(_FILL)


def downgrade() -> None:
    for name in _ORDERS:
        op.drop_index(name, "grid_version")
    op.drop_table("grid_size")
