"""Facts of households and own fields have owners too; imports speak for departments"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KEYS = {"fact_origin": ["owner_id", "field"], "fact_conflict": ["owner_id", "field", "digest"]}
_ENTITY = "entity in ('person', 'household')"


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("department", sa.Text(), server_default="", nullable=False))
    for table, key in _KEYS.items():
        op.add_column(table, sa.Column("entity", sa.Text(collation="C"), server_default="person", nullable=False))
        op.create_check_constraint(op.f(f"ck_{table}_entity"), table, _ENTITY)
        op.drop_constraint(op.f("_".join(["uq", table, "tenant_id", *key])), table)
        columns = ["tenant_id", "entity", *key]
        op.create_unique_constraint(op.f("_".join(["uq", table, *columns])), table, columns)
    op.add_column("fact_conflict", sa.Column("department", sa.Text(collation="C"), server_default="", nullable=False))
    op.add_column("fact_conflict", sa.Column("offers", postgresql.JSONB(), server_default="[]", nullable=False))
    op.create_table(
        "fact_department",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entity", sa.Text(collation="C"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("department", sa.Text(collation="C"), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(_ENTITY, name=op.f("ck_fact_department_entity")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fact_department")),
        sa.UniqueConstraint(
            "tenant_id",
            "entity",
            "owner_id",
            "batch_id",
            name=op.f("uq_fact_department_tenant_id_entity_owner_id_batch_id"),
        ),
    )
    op.create_index(op.f("ix_fact_department_tenant_id_batch_id"), "fact_department", ["tenant_id", "batch_id"])
    for statement in protect("fact_department"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("fact_department")
    op.drop_column("fact_conflict", "offers")
    op.drop_column("fact_conflict", "department")
    for table, key in _KEYS.items():
        columns = ["tenant_id", "entity", *key]
        op.drop_constraint(op.f("_".join(["uq", table, *columns])), table)
        op.drop_constraint(op.f(f"ck_{table}_entity"), table)
        # Of households there was nothing before.
        op.execute(sa.text(f"DELETE FROM {table} WHERE entity <> 'person'"))  # noqa: S608 - names of this module
        op.create_unique_constraint(op.f("_".join(["uq", table, "tenant_id", *key])), table, ["tenant_id", *key])
        op.drop_column(table, "entity")
    op.drop_column("import_batch", "department")
