"""One household on any day, for most people by a unique index: a row in the exclusion constraint's index costs thirty
times as much, and only who has more than one membership needs it
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TABLES = ("person", "household_member")
_MANY = "SELECT tenant_id, person_id FROM household_member GROUP BY 1, 2 HAVING count(*) > 1"
_ONE_HOUSEHOLD = """
ALTER TABLE household_member ADD CONSTRAINT ex_household_member_one_household EXCLUDE USING gist (
      tenant_id WITH =, person_id WITH =,
      int4range(CASE WHEN registered THEN 0 ELSE 1 END, CASE WHEN living THEN 2 ELSE 1 END) WITH &&,
      daterange(valid_from, valid_to) WITH &&)
"""
_KEY, _FOREIGN = "uq_person_tenant_id_id_several", "fk_household_member_tenant_id_person_id"
_EXCLUSION = "ex_household_member_one_household"


def upgrade() -> None:
    op.drop_constraint(_EXCLUSION, "household_member")
    op.drop_constraint(_FOREIGN, "household_member", type_="foreignkey")
    for table, person in zip(_TABLES, ("id", "person_id"), strict=True):
        op.add_column(table, sa.Column("several", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        op.execute(
            f"UPDATE {table} t SET several = true FROM ({_MANY}) m"  # noqa: S608 - names of this module
            f" WHERE m.tenant_id = t.tenant_id AND m.person_id = t.{person}"
        )
    op.create_unique_constraint(_KEY, "person", ["tenant_id", "id", "several"])
    op.create_foreign_key(
        f"{_FOREIGN}_several",
        "household_member",
        "person",
        ["tenant_id", "person_id", "several"],
        ["tenant_id", "id", "several"],
        ondelete="CASCADE",
    )
    op.create_index(
        "uq_household_member_the_only_one",
        "household_member",
        ["tenant_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("NOT several"),
    )
    op.execute(f"{_ONE_HOUSEHOLD} WHERE (several)")


def downgrade() -> None:
    op.drop_constraint(_EXCLUSION, "household_member")
    op.drop_index("uq_household_member_the_only_one", "household_member")
    op.drop_constraint(f"{_FOREIGN}_several", "household_member", type_="foreignkey")
    op.drop_constraint(_KEY, "person", type_="unique")
    for table in reversed(_TABLES):
        op.drop_column(table, "several")
    op.create_foreign_key(
        _FOREIGN, "household_member", "person", ["tenant_id", "person_id"], ["tenant_id", "id"], ondelete="CASCADE"
    )
    op.execute(_ONE_HOUSEHOLD)
