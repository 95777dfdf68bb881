"""Own fields: an index for each kind of value that a list can be ordered by, and which fields are the profile's

Fields that no administrator added came from a profile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ("text_value", "int_value", "date_value")


def upgrade() -> None:
    for column in COLUMNS[:2]:
        op.drop_index(op.f(f"ix_custom_value_tenant_id_field_id_{column}"), table_name="custom_value")
    for column in COLUMNS:
        op.create_index(
            op.f(f"ix_custom_value_tenant_id_field_id_{column}_owner_id"),
            "custom_value",
            ["tenant_id", "field_id", column, "owner_id"],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.add_column(
        "custom_field", sa.Column("from_profile", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(
        "UPDATE custom_field f SET from_profile = true WHERE NOT EXISTS (SELECT 1 FROM audit_entry a"
        " WHERE a.tenant_id = f.tenant_id AND a.action = 'custom_field.add' AND a.object_id = f.id)"
    )


def downgrade() -> None:
    op.drop_column("custom_field", "from_profile")
    for column in COLUMNS:
        op.drop_index(op.f(f"ix_custom_value_tenant_id_field_id_{column}_owner_id"), table_name="custom_value")
    for column in COLUMNS[:2]:
        op.create_index(
            op.f(f"ix_custom_value_tenant_id_field_id_{column}"), "custom_value", ["tenant_id", "field_id", column]
        )
