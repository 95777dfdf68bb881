"""Who is in charge of grids, and the random links of their public boards"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def upgrade() -> None:
    op.add_column("grid", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False))
    op.create_unique_constraint(op.f("uq_grid_tenant_id_token"), "grid", ["tenant_id", "token"])
    op.create_table(
        "grid_post",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        _text("role", c=True, default=None),
        sa.Column("principal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        _text("name", default=None),
        _text("unit"),
        _text("office_phone"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("term_until", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        _text("ended_reason"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("role in ('leader', 'deputy', 'worker', 'representative')", name=op.f("ck_grid_post_role")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_grid_post_period")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grid_id"],
            ["grid.tenant_id", "grid.id"],
            name=op.f("fk_grid_post_tenant_id_grid_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_grid_post")),
    )
    op.create_index(op.f("ix_grid_post_tenant_id_grid_id"), "grid_post", ["tenant_id", "grid_id"])
    op.create_index(
        op.f("ix_grid_post_tenant_id_person_id"),
        "grid_post",
        ["tenant_id", "person_id"],
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.execute(
        "ALTER TABLE grid_post ADD CONSTRAINT ex_grid_post_one_principal EXCLUDE USING gist (tenant_id WITH =,"
        " grid_id WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (role = 'leader' AND principal)"
    )
    for statement in protect("grid_post"):
        op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("grid_post")
    op.drop_constraint(op.f("uq_grid_tenant_id_token"), "grid")
    op.drop_column("grid", "token")
