"""Alembic environment of the core. The connection's role owns the tables and has BYPASSRLS."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

import xiangyue
from xiangyue.db.base import Base

#: All models there are: a list would lack what another feature brought.
_ROOM = Path(xiangyue.__file__).parent
for path in sorted(_ROOM.glob("**/models*.py")):
    importlib.import_module(".".join(("xiangyue", *path.relative_to(_ROOM).with_suffix("").parts)))


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """The core looks at its own schema only; a plugin's has its own history."""
    return not (type_ == "schema" and name not in (None, "public"))


def run() -> None:
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=include_name,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
