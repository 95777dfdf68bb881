"""Possible duplicates, merges of records, and where a merged record is now"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATES = {
    "household": ("'active', 'closed'", "'active', 'closed', 'merged'"),
    "person": ("'active', 'moved', 'deceased'", "'active', 'moved', 'deceased', 'merged'"),
}


def _word(name: str, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), server_default=default, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _when(name: str, *, now: bool = False) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now
    )


def upgrade() -> None:
    for table, (_before, after) in STATES.items():
        op.add_column(table, sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
        op.drop_constraint(op.f(f"ck_{table}_state"), table)
        op.create_check_constraint(op.f(f"ck_{table}_state"), table, f"state in ({after})")
    op.create_table(
        "duplicate_pair",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _word("kind"),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("second_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        _word("reasons"),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        _word("state", default="open"),
        _when("found_at", now=True),
        _when("decided_at"),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        _text("decided_name"),
        _text("note"),
        _when("created_at", now=True),
        _when("updated_at", now=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind in ('person', 'household')", name=op.f("ck_duplicate_pair_kind")),
        sa.CheckConstraint("state in ('open', 'different', 'merged')", name=op.f("ck_duplicate_pair_state")),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_duplicate_pair_order")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "first_id",
            "second_id",
            name=op.f("uq_duplicate_pair_tenant_id_kind_first_id_second_id"),
        ),
    )
    op.create_index(
        "ix_duplicate_pair_open",
        "duplicate_pair",
        ["tenant_id", "kind", "score"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "record_merge",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _word("kind"),
        sa.Column("survivor_id", sa.BigInteger(), nullable=False),
        sa.Column("loser_id", sa.BigInteger(), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        _word("state", default="done"),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _text("by_name"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _when("undone_at"),
        _text("undone_name"),
        _when("created_at", now=True),
        _when("updated_at", now=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind in ('person', 'household')", name=op.f("ck_record_merge_kind")),
        sa.CheckConstraint("state in ('done', 'undone')", name=op.f("ck_record_merge_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_merge")),
    )
    for column in ("survivor_id", "loser_id"):
        op.create_index(op.f(f"ix_record_merge_tenant_id_kind_{column}"), "record_merge", ["tenant_id", "kind", column])
    for table in ("duplicate_pair", "record_merge"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("record_merge")
    op.drop_table("duplicate_pair")
    for table, (before, _after) in STATES.items():
        left = "closed" if table == "household" else "moved"
        op.execute(f"UPDATE {table} SET state = '{left}' WHERE state = 'merged'")  # noqa: S608 - constants
        op.drop_constraint(op.f(f"ck_{table}_state"), table)
        op.create_check_constraint(op.f(f"ck_{table}_state"), table, f"state in ({before})")
        op.drop_column(table, "merged_into_id")
