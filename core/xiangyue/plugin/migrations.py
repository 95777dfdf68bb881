"""The whole database up or down: the core first up and last down, each plugin by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from xiangyue.db import migrate
from xiangyue.db.plugin_migrate import (
    MigrationFault,
    PluginTables,
    drop_tables,
    head_of,
    migrate_plugin,
    owner_engine,
    plugins_with_tables,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import READY, UNMIGRATED, Installed
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.models import PluginInstallation


@dataclass(frozen=True, slots=True)
class Migrated:
    """How one plugin fared: the revision it reached, or why not."""

    name: str
    revision: str = ""
    fault: str = ""


def tables_of(installed: Installed) -> PluginTables | None:
    """What the runner needs; None for a plugin without tables and for one that was not taken in."""
    manifest = installed.manifest
    if manifest is None or manifest.migrations is None or installed.contributor is None:
        return None
    return PluginTables(installed.name, manifest.version, manifest.migrations)


def upgrade_all(url: str, migrations_dir: Path, registry: Registry) -> list[Migrated]:
    """Bring the core's schema and every plugin's to the newest version. A plugin that fails stops no other."""
    migrate.upgrade(url, migrations_dir)
    return [migrate_one(url, installed) for installed in registry.installed.values() if tables_of(installed)]


def migrate_one(url: str, installed: Installed, revision: str = "head") -> Migrated:
    """One plugin up or down to ``revision``. A fault is told, not raised. Nothing happens for one without tables."""
    tables = tables_of(installed)
    if tables is None:
        return Migrated(installed.name)
    engine = owner_engine(url)
    try:
        return Migrated(installed.name, migrate_plugin(engine, tables, revision))
    except MigrationFault as fault:
        return Migrated(installed.name, fault=str(fault))
    finally:
        engine.dispose()


def downgrade_all(url: str, migrations_dir: Path, registry: Registry, revision: str) -> None:
    """Take the core's schema back; before ``base`` the plugins', those of uninstalled ones too.

    Raises MigrationFault when a plugin cannot go down.
    """
    if revision == "base":
        engine = owner_engine(url)
        try:
            with engine.connect() as connection:
                names = plugins_with_tables(connection)
            for name in names:
                installed = registry.installed.get(name)
                tables = None if installed is None else tables_of(installed)
                if tables is not None:
                    migrate_plugin(engine, tables, "base")
                else:
                    with engine.begin() as connection:
                        drop_tables(connection, name)
        finally:
            engine.dispose()
    migrate.downgrade(url, migrations_dir, revision)


def check_tables(session: Session, registry: Registry) -> None:
    """Mark plugins whose tables are not at their newest revision as without their tables, and ready again once they
    are. One statement, none where no plugin has tables."""
    wanted = {name: tables for name, i in registry.installed.items() if (tables := tables_of(i)) is not None}
    if not wanted:
        return
    rows = {row.name: row for row in session.scalars(select(PluginInstallation))}
    for name, tables in wanted.items():
        installed = registry.installed[name]
        if installed.state not in (READY, UNMIGRATED):
            continue
        try:
            head = head_of(tables.folder)
        except MigrationFault as fault:
            registry.mark(name, UNMIGRATED, _l("Its migrations cannot be read: %(detail)s", detail=str(fault)))
            continue
        row = rows.get(name)
        if head == (row.revision if row is not None else ""):
            if installed.state == UNMIGRATED:
                registry.mark(name, READY)
        elif row is not None and row.error:
            registry.mark(name, UNMIGRATED, _l("Its migration failed: %(detail)s", detail=row.error))
        else:
            registry.mark(
                name,
                UNMIGRATED,
                _l("Its tables are missing or old. The operator brings them up to date: %(command)s", command=_COMMAND),
            )


_COMMAND = "xiangyue db upgrade"
