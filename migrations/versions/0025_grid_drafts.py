"""Drafts of a village's division into grids, their parts and who lies in which"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = ("grid_draft", "grid_draft_part", "grid_draft_household")
STATES = "'draft', 'submitted', 'returned', 'approved', 'in_force', 'discarded'"


def _ids() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
    ]


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _json(name: str, default: str | None = None) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=default, nullable=False)


def _number(name: str, default: str | None = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def _pk(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{column}"), table, ["tenant_id", column])


def upgrade() -> None:
    op.create_table(
        "grid_draft",
        *_ids(),
        _text("name", default=None),
        sa.Column("base_date", sa.Date(), nullable=False),
        _text("state", c=True, default="draft"),
        _text("origin", c=True, default="planner"),
        _json("rule"),
        _json("planned", "{}"),
        _text("fingerprint", c=True),
        _json("last", "{}"),
        _number("grids"),
        _number("in_rule"),
        _number("households"),
        _id("account_id", null=True),
        _text("by_name"),
        _text("answer"),
        _text("answered_by"),
        sa.Column("on_date", sa.Date(), nullable=True),
        _id("change_id", null=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _number("version", "1"),
        sa.CheckConstraint(f"state in ({STATES})", name=op.f("ck_grid_draft_state")),
        sa.CheckConstraint("origin in ('planner', 'present', 'copy')", name=op.f("ck_grid_draft_origin")),
        _pk("grid_draft"),
    )
    _index("grid_draft", "area_code")
    op.create_table(
        "grid_draft_part",
        *_ids(),
        _id("draft_id"),
        _number("position", None),
        _text("name", default=None),
        _text("leader"),
        _flag("fixed"),
        _fk("grid_draft_part", "draft_id", "grid_draft"),
        _pk("grid_draft_part"),
    )
    _index("grid_draft_part", "draft_id")
    op.create_table(
        "grid_draft_household",
        *_ids(),
        _id("draft_id"),
        _id("part_id"),
        _id("household_id"),
        _flag("moved"),
        _fk("grid_draft_household", "draft_id", "grid_draft"),
        _fk("grid_draft_household", "part_id", "grid_draft_part"),
        _fk("grid_draft_household", "household_id", "household"),
        sa.UniqueConstraint(
            "tenant_id",
            "draft_id",
            "household_id",
            name=op.f("uq_grid_draft_household_tenant_id_draft_id_household_id"),
        ),
        _pk("grid_draft_household"),
    )
    _index("grid_draft_household", "part_id")
    _index("grid_draft_household", "household_id")
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
