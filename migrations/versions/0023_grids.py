"""Grids with their history, households in them, changes, reasons for sizes, the county's rules"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("grid", "grid_version", "grid_code", "grid_household", "grid_change", "grid_size_note", "grid_setting")
KINDS = "'create', 'rename', 'recode', 'close', 'split', 'merge', 'move_households', 'plan', 'boundary', 'register'"


def _ids(*, area: bool = True) -> list[sa.Column[object]]:
    found: list[sa.Column[object]] = [
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]
    return [*found, sa.Column("area_code", sa.BigInteger(), nullable=False)] if area else found


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _json(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=default, nullable=null)


def _times() -> list[sa.Column[object]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    ]


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), server_default="1", nullable=False)


def _period() -> list[sa.Column[object]]:
    return [sa.Column("valid_from", sa.Date(), nullable=False), sa.Column("valid_to", sa.Date(), nullable=True)]


def _fk(table: str, column: str, target: str, *, cascade: bool = True) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE" if cascade else None,
    )


def _pk(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _unique(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("tenant_id", column, name=op.f(f"uq_{table}_tenant_id_{column}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{'_'.join(columns)}"), table, ["tenant_id", *columns])


def _once_a_day(table: str, column: str) -> None:
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT ex_{table}_one_a_day EXCLUDE USING gist ("
        f"tenant_id WITH =, {column} WITH =, daterange(valid_from, valid_to) WITH &&)"
    )


def upgrade() -> None:
    op.create_table(
        "grid",
        *_ids(),
        _text("code", c=True, default=None),
        _text("kind", c=True, default="area"),
        _text("special_kind"),
        *_times(),
        _version(),
        sa.CheckConstraint("kind in ('area', 'special')", name=op.f("ck_grid_kind")),
        _pk("grid"),
        _unique("grid", "code"),
    )
    op.create_table(
        "grid_version",
        *_ids(),
        _id("grid_id"),
        *_period(),
        _text("name", default=None),
        _text("sort_key", c=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        _id("parent_id", null=True),
        sa.Column("leaf", sa.Boolean(), nullable=False),
        _json("boundary", null=True),
        _id("opened_by"),
        _id("ended_by", null=True),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_grid_version_period")),
        _fk("grid_version", "grid_id", "grid"),
        _fk("grid_version", "parent_id", "grid", cascade=False),
        _pk("grid_version"),
    )
    op.create_table(
        "grid_code",
        *_ids(area=False),
        _text("code", c=True, default=None),
        _id("grid_id"),
        sa.Column("since", sa.Date(), nullable=False),
        _fk("grid_code", "grid_id", "grid"),
        _pk("grid_code"),
        _unique("grid_code", "code"),
    )
    op.create_table(
        "grid_household",
        *_ids(),
        _id("household_id"),
        _id("grid_id"),
        *_period(),
        _id("opened_by"),
        _id("ended_by", null=True),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_grid_household_period")),
        _fk("grid_household", "household_id", "household"),
        _fk("grid_household", "grid_id", "grid"),
        _pk("grid_household"),
    )
    op.create_table(
        "grid_change",
        *_ids(),
        _text("kind", c=True, default=None),
        sa.Column("on_date", sa.Date(), nullable=False),
        _text("state", c=True, default="done"),
        _text("reason"),
        _json("request", default="{}"),
        _json("changes", default="{}"),
        _id("act_id", null=True),
        _id("account_id", null=True),
        _text("by_name"),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        _text("undone_by_name"),
        _text("undone_reason"),
        *_times(),
        _version(),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_grid_change_kind")),
        sa.CheckConstraint("state in ('done', 'undone')", name=op.f("ck_grid_change_state")),
        _pk("grid_change"),
    )
    op.create_table(
        "grid_size_note",
        *_ids(),
        _id("grid_id"),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        _json("rule"),
        _text("reason", default=None),
        _id("change_id", null=True),
        _id("account_id", null=True),
        _text("by_name"),
        *_times(),
        _fk("grid_size_note", "grid_id", "grid"),
        _fk("grid_size_note", "change_id", "grid_change", cascade=False),
        _pk("grid_size_note"),
    )
    op.create_table(
        "grid_setting",
        *_ids(area=False),
        _text("key", c=True, default=None),
        _json("value", default="{}"),
        *_times(),
        _version(),
        _pk("grid_setting"),
        _unique("grid_setting", "key"),
    )
    _index("grid_version", "grid_id")
    _index("grid_version", "area_code")
    _index("grid_code", "grid_id")
    _index("grid_household", "grid_id")
    _index("grid_household", "household_id")
    _index("grid_change", "area_code", "on_date")
    op.create_index(
        op.f("ix_grid_change_tenant_id_act_id"), "grid_change", ["tenant_id", "act_id"],
        postgresql_where=sa.text("act_id IS NOT NULL"),
    )  # fmt: skip
    _index("grid_size_note", "grid_id")
    _index("grid_size_note", "change_id")
    _once_a_day("grid_version", "grid_id")
    _once_a_day("grid_household", "household_id")
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in (
        "grid_setting",
        "grid_size_note",
        "grid_change",
        "grid_household",
        "grid_code",
        "grid_version",
        "grid",
    ):
        op.drop_table(table)
