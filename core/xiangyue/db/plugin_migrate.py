"""Runs plugins' migrations: each plugin has a folder of Alembic revisions and a version table in ``public``.

The runner makes and drops the schema ``plugin_<name>``, fences its tables by row-level security, and takes back a
migration that leaves a table open or touches what is not the plugin's own. The plugin's code is asked for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

from xiangyue.db.plugin_bounds import MigrationFault as MigrationFault
from xiangyue.db.plugin_bounds import bounds, fence
from xiangyue.db.rls import RUNTIME_ROLE

#: One runner at a time in a database.
_LOCK_KEY = 0x7869_616E_6779_7567
_LONGEST_ERROR = 1000


@dataclass(frozen=True, slots=True)
class PluginTables:
    """Of which plugin, in which version of it, and the folder with its revisions."""

    name: str
    version: str
    folder: Path

    @property
    def schema(self) -> str:
        return f"plugin_{self.name}"

    @property
    def version_table(self) -> str:
        return f"plugin_{self.name}_version"


def owner_engine(url: str) -> Engine:
    """An engine for the owning role."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), hide_parameters=True)


def head_of(folder: Path) -> str:
    """The newest revision in a folder, "" for an empty one. Raises MigrationFault for one that cannot be read."""
    try:
        return _head(folder, tuple(sorted((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.py"))))
    except Exception as error:  # whatever the files of a plugin do when they are read
        raise MigrationFault(_told(error)) from error


@lru_cache(maxsize=256)
def _head(folder: Path, _files: tuple[tuple[str, int], ...]) -> str:
    return _scripts(folder).get_current_head() or ""


def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def migrate_plugin(engine: Engine, plugin: PluginTables, revision: str = "head") -> str:
    """Bring a plugin's tables up or down to a revision (``head``, ``base``, a number); returns where they are now.

    Raises MigrationFault with nothing changed but ``plugin_installation.error``.
    """
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
            reached = _migrate(connection, plugin, revision)
            _note(connection, plugin, revision=reached)
            return reached
    except Exception as error:  # a plugin's migration may raise anything
        told = _told(error)
        with engine.begin() as connection:
            _note(connection, plugin, error=told)
        raise MigrationFault(told) from error


def _migrate(connection: Connection, plugin: PluginTables, revision: str) -> str:
    scripts = _scripts(plugin.folder)
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {plugin.schema}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {plugin.schema} TO {RUNTIME_ROLE}"))
    with (
        bounds(connection, plugin.schema, plugin.version_table),
        _environment(connection, plugin, scripts, revision) as run,
    ):
        run()
    reached = _current(connection, plugin)
    if reached:
        fence(connection, plugin.schema)
    else:
        # Tables that its downgrade forgot stop this; nothing is thrown away unasked.
        connection.execute(text(f"DROP SCHEMA {plugin.schema}"))
        connection.execute(text(f"DROP TABLE IF EXISTS public.{plugin.version_table}"))
    return reached


@contextmanager
def _environment(
    connection: Connection, plugin: PluginTables, scripts: ScriptDirectory, revision: str
) -> Iterator[Any]:
    def steps(current: Any, context: Any) -> Any:
        if _is_behind(scripts, current, revision):
            return scripts._downgrade_revs(revision, current)
        return scripts._upgrade_revs(revision, current)

    config = Config()
    with EnvironmentContext(config, scripts, fn=steps, destination_rev=revision) as environment:
        environment.configure(
            connection=connection,
            version_table=plugin.version_table,
            version_table_schema="public",
            transactional_ddl=True,
        )
        yield environment.run_migrations


def _is_behind(scripts: ScriptDirectory, current: Any, revision: str) -> bool:
    """Whether the way to ``revision`` leads down."""
    if revision == "base":
        return True
    heads = current if isinstance(current, tuple) else (current,) if current else ()
    if revision == "head" or not heads:
        return False
    wanted = scripts.get_revision(revision)
    passed = {r.revision for r in scripts.iterate_revisions(heads, "base")}
    return wanted is not None and wanted.revision in passed and wanted.revision not in heads


def _current(connection: Connection, plugin: PluginTables) -> str:
    there = connection.execute(text("SELECT to_regclass(:t)"), {"t": f"public.{plugin.version_table}"}).scalar_one()
    if there is None:
        return ""
    found = connection.execute(text(f"SELECT version_num FROM public.{plugin.version_table}")).scalars()  # noqa: S608
    return ",".join(sorted(found))


def _note(connection: Connection, plugin: PluginTables, *, revision: str | None = None, error: str = "") -> None:
    """Write how far a plugin is; a failure keeps the revision that stands."""
    values = {
        "name": plugin.name,
        "version": plugin.version,
        "revision": _current(connection, plugin) if revision is None else revision,
        "error": error[:_LONGEST_ERROR],
    }
    connection.execute(
        text(
            "INSERT INTO public.plugin_installation AS known (name, version, revision, migrated_at, error)"
            " VALUES (:name, :version, :revision, now(), :error)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, revision = excluded.revision,"
            " error = excluded.error, migrated_at ="
            " CASE WHEN excluded.error = '' THEN now() ELSE known.migrated_at END"
        ),
        values,
    )


def _told(error: BaseException) -> str:
    """The error in a line; of a database error its first line only."""
    words = " ".join(str(getattr(error, "orig", None) or error).strip().partition("\n")[0].split())
    kind = type(getattr(error, "orig", None) or error).__name__
    return words if isinstance(error, MigrationFault) else f"{kind}: {words}" if words else kind


def plugins_with_tables(connection: Connection) -> list[str]:
    """Names of plugins whose tables are in the database, installed or not."""
    found = connection.execute(
        text("SELECT substring(nspname FROM 8) FROM pg_namespace WHERE nspname ~ '^plugin_[a-z][a-z0-9]+$' ORDER BY 1")
    )
    return list(found.scalars())


def drop_tables(connection: Connection, name: str) -> None:
    """Throw a plugin's tables away with all counties' rows: the way down for one that is no longer installed."""
    connection.execute(text(f"DROP SCHEMA IF EXISTS plugin_{name} CASCADE"))
    connection.execute(text(f"DROP TABLE IF EXISTS public.plugin_{name}_version"))
