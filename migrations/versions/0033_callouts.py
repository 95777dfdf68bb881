"""Calls in an emergency, the groups and households they went to, and their answers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

CALL, GROUP, HOUSEHOLD, ANSWER = "callout", "callout_group", "callout_household", "callout_answer"
TABLES = (CALL, GROUP, HOUSEHOLD, ANSWER)
STATES = "'waiting', 'reached', 'not_reached', 'help'"


def _keys() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
    ]


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )  # fmt: skip


def _pk(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _time(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _json(name: str, default: str | None = "{}") -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=default, nullable=False)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("tenant_id", *columns, name=op.f(f"uq_{table}_tenant_id_{'_'.join(columns)}"))


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), server_default="1", nullable=False)


def upgrade() -> None:
    op.create_table(
        CALL, *_keys(), sa.Column("client_id", sa.Uuid(), nullable=False), _text("kind", c=True, default=None),
        _flag("drill"), _text("message", default=None), _text("place"), _text("state", c=True, default="open"),
        _id("account_id", null=True), _text("by_name"), _time("escalate_at", null=False), _time("escalated_at"),
        _time("ended_at"), _text("ended_by_name"), _text("note"), _json("summary"),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _version(), sa.CheckConstraint("state in ('open', 'ended')", name=op.f("ck_callout_state")),
        _unique(CALL, "client_id"), _pk(CALL),
    )  # fmt: skip
    op.create_index(op.f("ix_callout_tenant_id_state_area_code"), CALL, ["tenant_id", "state", "area_code"])
    op.create_table(
        GROUP, *_keys(), _id("callout_id"), _id("group_id", null=True), _id("grid_id", null=True), _text("name"),
        _text("sort_key", c=True), _id("head_person_id", null=True), _id("head_account_id", null=True),
        _text("head_name"), _time("answered_at"), _time("escalated_at"), _text("leader_name"), _version(),
        _fk(GROUP, "callout_id", CALL), _pk(GROUP),
    )  # fmt: skip
    op.create_index(op.f("ix_callout_group_tenant_id_callout_id"), GROUP, ["tenant_id", "callout_id"])
    op.create_index(
        op.f("ix_callout_group_tenant_id_head_account_id"), GROUP, ["tenant_id", "head_account_id"],
        postgresql_where=sa.text("head_account_id IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        HOUSEHOLD, *_keys(), _id("callout_group_id"), _id("household_id"), _text("state", c=True, default="waiting"),
        _flag("on_behalf"), _time("at"), _fk(HOUSEHOLD, "callout_group_id", GROUP),
        _fk(HOUSEHOLD, "household_id", "household"), _unique(HOUSEHOLD, "callout_group_id", "household_id"),
        sa.CheckConstraint(f"state in ({STATES})", name=op.f("ck_callout_household_state")), _pk(HOUSEHOLD),
    )  # fmt: skip
    op.create_table(
        ANSWER, *_keys(), _id("callout_group_id"), sa.Column("client_id", sa.Uuid(), nullable=False),
        _json("households", None), sa.Column("number", sa.Integer(), nullable=False), _flag("on_behalf"),
        _id("account_id", null=True), _text("by_name"), _time("at", null=False),
        _fk(ANSWER, "callout_group_id", GROUP), _unique(ANSWER, "client_id"), _pk(ANSWER),
    )  # fmt: skip
    op.create_index(op.f("ix_callout_answer_tenant_id_callout_group_id"), ANSWER, ["tenant_id", "callout_group_id"])
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
