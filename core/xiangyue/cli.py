"""The ``xiangyue`` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from xiangyue import __version__
from xiangyue.config import Settings, SettingsError
from xiangyue.errors import XiangyueError
from xiangyue.plugin.manager import Registry
from xiangyue.runtime import Runtime


@contextmanager
def open_runtime(settings: Settings | None = None) -> Iterator[Runtime]:
    """A runtime with its servers: the configured ones, or the embedded ones (started only if they do not run)."""
    from xiangyue.local.servers import running

    with running(settings or Settings.load()) as ready:
        runtime = Runtime(ready)
        if (known := registries.get(ready.plugins)) is not None:
            runtime.registry = known  # the command was looked up in it: each plugin is imported and tried once
        try:
            yield runtime
        finally:
            if "engine" in runtime.__dict__:
                runtime.engine.dispose()


class Commands(click.Group):
    """The core's groups and the commands that features and plugins register."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(c.name for c in self._registered() if c.name)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own or next((c for c in self._registered() if c.name == cmd_name), None)

    def _registered(self) -> list[click.Command]:
        return _registry().commands


#: Allowed plugins -> features and plugins, as they were taken in by this process.
registries: dict[tuple[str, ...], Registry] = {}


def _registry() -> Registry:
    """Features and plugins; a plugin that cannot be used is left out, and so are all when the settings are wrong."""
    try:
        settings = Settings.load()
    except SettingsError:
        settings = Settings(plugins=())
    if settings.plugins not in registries:
        registries[settings.plugins] = Runtime(settings).registry
    return registries[settings.plugins]


@click.group(cls=Commands)
@click.version_option(__version__)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Xiangyue (乡约): the software a county runs its villages on."""
    ctx.obj = open_runtime


@cli.command()
def demo() -> None:
    """Set everything up with demonstration data and serve it."""
    from xiangyue.local.supervise import serve_demo

    sys.exit(serve_demo(Settings.load(demo=True)))


@cli.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to the newest version, the core's and then every plugin's.

    A plugin that fails is named and stops no other; the exit code is 1 then. Needs XIANGYUE_MIGRATION_DATABASE_URL.
    """
    from xiangyue.plugin.migrations import upgrade_all

    with open_runtime() as runtime:
        settings = runtime.settings
        done = upgrade_all(settings.migration_database_url, settings.migrations_dir, runtime.registry)
    failed = [plugin for plugin in done if plugin.fault]
    for plugin in done:
        if not plugin.fault:
            click.echo(f"plugin {plugin.name}: {plugin.revision or 'no tables'}")
    for plugin in failed:
        click.echo(f"plugin {plugin.name}: {plugin.fault}", err=True)
    click.echo("schema is up to date, but for the plugins named" if failed else "schema is up to date")
    sys.exit(1 if failed else 0)


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the schema back to REVISION; ``base`` removes every table and all data, plugins' first."""
    from xiangyue.db.plugin_migrate import MigrationFault
    from xiangyue.plugin.migrations import downgrade_all

    with open_runtime() as runtime:
        settings = runtime.settings
        try:
            downgrade_all(settings.migration_database_url, settings.migrations_dir, runtime.registry, revision)
        except MigrationFault as fault:
            click.echo(f"xiangyue: {fault}", err=True)
            sys.exit(1)
    click.echo(f"schema is at {revision}")


def main() -> None:
    """Run the command; a known error is one clear line and exit code 1."""
    import structlog

    from xiangyue.i18n import in_locale

    # What a command prints is its answer; that a plugin was left out is not part of it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with in_locale("en"):
        try:
            cli()
        except (XiangyueError, SettingsError) as error:
            click.echo(f"xiangyue: {error}", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
