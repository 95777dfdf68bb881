"""Ten-household groups: versions, members and heads by day, and the changes that made them so"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

GROUP, VERSION, MEMBER, HEAD, CHANGE = (
    "household_group", "household_group_version", "household_group_member", "household_group_head",
    "household_group_change",
)  # fmt: skip
TABLES = (GROUP, VERSION, MEMBER, HEAD, CHANGE)
KINDS = "'create', 'divide', 'members', 'rename', 'close', 'explain', 'follow'"


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


def _period() -> list[sa.Column[object]]:
    return [sa.Column("valid_from", sa.Date(), nullable=False), sa.Column("valid_to", sa.Date(), nullable=True)]


def _stamps() -> list[sa.Column[object]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    ]


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )  # fmt: skip


def _pk(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _dated(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("valid_to > valid_from", name=op.f(f"ck_{table}_period"))


def _index(table: str, column: str, **more: object) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{column}"), table, ["tenant_id", column], **more)  # type: ignore[arg-type]


def _once_a_day(table: str, column: str) -> None:
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT ex_{table}_one_a_day EXCLUDE USING gist (tenant_id WITH =,"
        f" {column} WITH =, daterange(valid_from, valid_to) WITH &&)"
    )


def upgrade() -> None:
    op.create_table(GROUP, *_keys(), _id("opened_by"), *_stamps(), _pk(GROUP))
    _index(GROUP, "area_code")
    op.create_table(
        VERSION, *_keys(), _id("group_id"), _id("grid_id"), _text("name", default=None), _text("sort_key", c=True),
        *_period(), _id("opened_by"), _id("ended_by", null=True), _dated(VERSION), _fk(VERSION, "group_id", GROUP),
        _fk(VERSION, "grid_id", "grid"), _pk(VERSION),
    )  # fmt: skip
    _index(VERSION, "grid_id")
    _once_a_day(VERSION, "group_id")
    op.create_table(
        MEMBER, *_keys(), _id("household_id"), _id("group_id"), *_period(), _id("opened_by"),
        _id("ended_by", null=True), _dated(MEMBER), _fk(MEMBER, "household_id", "household"),
        _fk(MEMBER, "group_id", GROUP), _pk(MEMBER),
    )  # fmt: skip
    _index(MEMBER, "group_id")
    _once_a_day(MEMBER, "household_id")
    op.create_table(
        HEAD, *_keys(), _id("group_id"), _id("person_id"), _id("account_id", null=True), _text("name", default=None),
        *_period(), _text("ended_reason"), *_stamps(), _dated(HEAD), _fk(HEAD, "group_id", GROUP), _pk(HEAD),
    )  # fmt: skip
    _index(HEAD, "person_id")
    _once_a_day(HEAD, "group_id")
    op.create_table(
        CHANGE, *_keys(), _text("kind", c=True, default=None), sa.Column("on_date", sa.Date(), nullable=False),
        _text("state", c=True, default="done"), _text("reason"), _text("size_reason"),
        sa.Column("sizes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        _id("grid_change_id", null=True), _id("account_id", null=True), _text("by_name"),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True), _text("undone_by_name"),
        _text("undone_reason"), *_stamps(), sa.CheckConstraint(f"kind in ({KINDS})", name=op.f(f"ck_{CHANGE}_kind")),
        sa.CheckConstraint("state in ('done', 'undone')", name=op.f(f"ck_{CHANGE}_state")), _pk(CHANGE),
    )  # fmt: skip
    _index(CHANGE, "area_code")
    _index(CHANGE, "grid_change_id", postgresql_where=sa.text("grid_change_id IS NOT NULL"))
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
