"""Plugins' migrations for tests: folders of revisions, and what they left in the database."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from xiangyue.db.plugin_migrate import PluginTables

_numbers = itertools.count(1)

FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0001", None, None, None
SCHEMA = "plugin_NAME"


def upgrade():
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.ForeignKeyConstraint(["tenant_id", "household_id"], ["household.tenant_id", "household.id"]),
        schema=SCHEMA,
    )
    op.create_table(
        "reply",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.ForeignKeyConstraint(["tenant_id", "note_id"], [f"{SCHEMA}.note.tenant_id", f"{SCHEMA}.note.id"]),
        schema=SCHEMA,
    )


def downgrade():
    op.drop_table("reply", schema=SCHEMA)
    op.drop_table("note", schema=SCHEMA)
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
SCHEMA = "plugin_NAME"


def upgrade():
    UPGRADE


def downgrade():
    op.drop_column("note", "more", schema=SCHEMA)
"""
ADD_COLUMN = 'op.add_column("note", sa.Column("more", sa.Text()), schema=SCHEMA)'


def new_name() -> str:
    return f"tabled{next(_numbers)}"


def write(folder: Path, name: str, upgrade: str = "") -> PluginTables:
    """A folder of revisions: one that makes two tables and, if wanted, a second with this ``upgrade``."""
    folder = folder / name
    folder.mkdir(exist_ok=True)
    (folder / "0001_first.py").write_text(FIRST.replace("NAME", name))
    if upgrade:
        body = textwrap.indent(textwrap.dedent(upgrade), "    ").strip()
        (folder / "0002_second.py").write_text(SECOND.replace("NAME", name).replace("UPGRADE", body))
    return PluginTables(name, "1.0", folder)


def tables_in(connection: Connection, name: str) -> set[str]:
    found = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = :own OR tablename = :version"),
        {"own": f"plugin_{name}", "version": f"plugin_{name}_version"},
    )
    return set(found.scalars())


def schemas(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'plugin%'")).scalars())


def installation(engine: Any, name: str) -> tuple[str, str]:
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT revision, error FROM plugin_installation WHERE name = :name"), {"name": name}
        ).one()
    return found.revision, found.error
