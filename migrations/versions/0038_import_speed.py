"""What an import pays for each row: two foreign keys that others make needless, and index entries that nobody reads.

Which household a person stands in follows from the memberships, whose own foreign keys hold the household; a household
with members is no longer deleted together with them. The rows of an import come and go with their batch (ADR 0007).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_PERSON = op.f("fk_person_tenant_id_household_id")
_ROW = op.f("fk_import_row_tenant_id_batch_id")
_MEMBER = op.f("fk_household_member_tenant_id_household_id")
_WRONG = op.f("ix_import_row_tenant_id_batch_id_error_count")
_OWN = ["tenant_id", "id"]


def upgrade() -> None:
    op.drop_constraint(_PERSON, "person", type_="foreignkey")
    op.drop_constraint(_ROW, "import_row", type_="foreignkey")
    op.drop_constraint(_MEMBER, "household_member", type_="foreignkey")
    op.create_foreign_key(_MEMBER, "household_member", "household", ["tenant_id", "household_id"], _OWN)
    for table in ("household", "person"):
        name = op.f(f"uq_{table}_tenant_id_client_id")
        op.drop_constraint(name, table, type_="unique")
        op.create_index(
            name,
            table,
            ["tenant_id", "client_id"],
            unique=True,
            postgresql_where=sa.text("client_id IS NOT NULL"),
        )
    op.drop_index(_WRONG, "import_row")
    op.create_index(
        _WRONG,
        "import_row",
        ["tenant_id", "batch_id", "error_count"],
        postgresql_where=sa.text("error_count > 0"),
    )


def downgrade() -> None:
    op.drop_index(_WRONG, "import_row")
    op.create_index(_WRONG, "import_row", ["tenant_id", "batch_id", "error_count"])
    for table in ("person", "household"):
        name = op.f(f"uq_{table}_tenant_id_client_id")
        op.drop_index(name, table)
        op.create_unique_constraint(name, table, ["tenant_id", "client_id"])
    op.drop_constraint(_MEMBER, "household_member", type_="foreignkey")
    op.create_foreign_key(
        _MEMBER, "household_member", "household", ["tenant_id", "household_id"], _OWN, ondelete="CASCADE"
    )
    op.create_foreign_key(_ROW, "import_row", "import_batch", ["tenant_id", "batch_id"], _OWN, ondelete="CASCADE")
    op.create_foreign_key(_PERSON, "person", "household", ["tenant_id", "household_id"], _OWN)
