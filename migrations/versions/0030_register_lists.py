"""Lists and counts of the register at a million households: orders and figures from an index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_COUNTED = ["id", "state", "person_count", "registered_count", "living_count"]
_AREA = op.f("ix_household_tenant_id_area_code")
_MERGED = {table: op.f(f"ix_{table}_tenant_id_merged_into_id") for table in ("household", "person")}
_ORDERS = {op.f(f"ix_household_tenant_id_{column}_id"): column for column in ("person_count", "updated_at")}
_NAME = op.f("ix_person_tenant_id_sort_key_id_area_code")


def upgrade() -> None:
    op.drop_index(_AREA, "household")
    op.create_index(_AREA, "household", ["tenant_id", "area_code"], postgresql_include=_COUNTED)
    for table, name in _MERGED.items():
        op.create_index(
            name, table, ["tenant_id", "merged_into_id"], postgresql_where=sa.text("merged_into_id IS NOT NULL")
        )
    for name, column in _ORDERS.items():
        op.create_index(name, "household", ["tenant_id", column, "id"])
    op.create_index(_NAME, "person", ["tenant_id", "sort_key", "id", "area_code"])
    op.create_index(
        "ix_person_away",
        "person",
        ["tenant_id", "household_id"],
        postgresql_include=["area_code"],
        postgresql_where=sa.text("away AND state = 'active'"),
    )


def downgrade() -> None:
    op.drop_index("ix_person_away", "person")
    op.drop_index(_NAME, "person")
    for name in _ORDERS:
        op.drop_index(name, "household")
    for table, name in _MERGED.items():
        op.drop_index(name, table)
    op.drop_index(_AREA, "household")
    op.create_index(_AREA, "household", ["tenant_id", "area_code"])
