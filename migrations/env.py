"""Alembic environment of the core. The connection's role owns the tables and has BYPASSRLS."""

from __future__ import annotations

import importlib

from alembic import context
from sqlalchemy import create_engine

from xiangyue.db.base import Base

for module in (
    "xiangyue.tenancy.models",
    "xiangyue.access.models",
    "xiangyue.jobs.models",
    "xiangyue.files.models",
    "xiangyue.plugin.models",
    "xiangyue.features.areas.models",
    "xiangyue.features.households.models",
    "xiangyue.features.grids.models",
    "xiangyue.features.drafts.models",
    "xiangyue.features.classifications.models",
    "xiangyue.features.imports.models",
):
    importlib.import_module(module)


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
