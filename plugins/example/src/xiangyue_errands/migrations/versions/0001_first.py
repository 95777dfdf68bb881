"""Errands and stations. The runner makes the schema, row-level security and the runtime role's rights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "plugin_errands"


def _word(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), **options)  # type: ignore[arg-type]


def _day(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "errand",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        _word("kind", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _word("state", server_default="open", nullable=False),
        _day("due_on", nullable=False),
        _day("done_on", nullable=True),
        sa.Column("ask_again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _word("source", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state in ('open', 'done')", name=op.f("ck_errand_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["public.household.tenant_id", "public.household.id"],
            name=op.f("fk_errand_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_errand")),
        sa.UniqueConstraint("tenant_id", "source", name=op.f("uq_errand_tenant_id_source")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_errand_tenant_id_household_id"), "errand", ["tenant_id", "household_id"], schema=SCHEMA)
    op.create_index(
        op.f("ix_errand_tenant_id_state_due_on_id"),
        "errand",
        ["tenant_id", "state", "due_on", "id"],
        schema=SCHEMA,
    )
    op.create_table(
        "station",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_station")),
        sa.UniqueConstraint("tenant_id", "area_code", name=op.f("uq_station_tenant_id_area_code")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("station", schema=SCHEMA)
    op.drop_table("errand", schema=SCHEMA)
