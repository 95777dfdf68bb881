"""Changes of areas: codes that were, names that were, households and rows that went along"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")
_TABLES = ("area_change", "area_change_part", "area_version", "area_move", "area_moved_row")


def _tenant() -> sa.Column[int]:
    return sa.Column("tenant_id", sa.Integer(), nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=null)


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _json(name: str) -> sa.Column[object]:
    kind = sa.dialects.postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, kind, server_default="{}", nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _to(table: str, column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    op.add_column("area", sa.Column("valid_from", sa.Date(), nullable=True))
    op.add_column("area", sa.Column("valid_to", sa.Date(), nullable=True))
    op.add_column("area", _number("origin_code", default="0"))
    op.add_column("area", _number("succeeded_by", default="0"))
    op.create_table(
        "area_change",
        _tenant(),
        _id(),
        _number("area_code"),
        _text("kind", c=True, default=None),
        sa.Column("on_date", sa.Date(), nullable=False),
        _text("reason"),
        _text("state", c=True, default="draft"),
        _json("request"),
        _json("basis"),
        _json("changes"),
        _json("counts"),
        _number("job_id", null=True),
        _number("made_by", null=True),
        _text("made_name"),
        _time("done_at"),
        _text("done_name"),
        _time("undone_at"),
        _text("undone_name"),
        _text("undo_reason"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind in ('rename', 'recode', 'move', 'merge', 'split', 'create', 'close')",
            name=op.f("ck_area_change_kind"),
        ),
        sa.CheckConstraint(
            "state in ('draft', 'working', 'done', 'undoing', 'undone')", name=op.f("ck_area_change_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_area_change")),
    )
    op.create_index(
        op.f("ix_area_change_tenant_id_state_area_code"), "area_change", ["tenant_id", "state", "area_code"]
    )
    op.create_table(
        "area_change_part",
        _tenant(),
        _number("id"),
        _number("area_code"),
        _to("area_change_part", "id", "area_change", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "area_code", "id", name=op.f("pk_area_change_part")),
    )
    op.create_index(op.f("ix_area_change_part_tenant_id_id"), "area_change_part", ["tenant_id", "id"])
    op.create_table(
        "area_version",
        _tenant(),
        _id(),
        _number("area_code"),
        _text("name", default=None),
        _text("official_name"),
        _text("kind", default=None),
        sa.Column("until", sa.Date(), nullable=False),
        _number("change_id"),
        _to("area_version", "change_id", "area_change"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_area_version")),
    )
    op.create_index(
        op.f("ix_area_version_tenant_id_area_code_until"), "area_version", ["tenant_id", "area_code", "until"]
    )
    op.create_table(
        "area_move",
        _tenant(),
        _id(),
        _number("household_id"),
        _number("change_id"),
        sa.Column("on_date", sa.Date(), nullable=False),
        _number("from_code"),
        _number("to_code"),
        _to("area_move", "household_id", "household"),
        _to("area_move", "change_id", "area_change"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_area_move")),
    )
    op.create_index(
        op.f("ix_area_move_tenant_id_household_id_on_date"), "area_move", ["tenant_id", "household_id", "on_date"]
    )
    op.create_index(op.f("ix_area_move_tenant_id_change_id"), "area_move", ["tenant_id", "change_id"])
    op.create_table(
        "area_moved_row",
        _tenant(),
        _number("change_id"),
        _text("table_name", c=True, default=None),
        _number("id"),
        _number("from_code"),
        _number("to_code"),
        _to("area_moved_row", "change_id", "area_change"),
        sa.PrimaryKeyConstraint("tenant_id", "change_id", "table_name", "id", name=op.f("pk_area_moved_row")),
    )
    for table in _TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    for column in ("succeeded_by", "origin_code", "valid_to", "valid_from"):
        op.drop_column("area", column)
