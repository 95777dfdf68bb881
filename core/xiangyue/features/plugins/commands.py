"""``xiangyue plugin``: what is installed, on and off for a county, tables, a county's data; the developer's kit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from xiangyue.access.actor import system_actor
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.plugins import kit, service
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import Installed
from xiangyue.plugin.migrations import migrate_one, tables_of
from xiangyue.plugin.models import PluginInstallation
from xiangyue.runtime import Runtime
from xiangyue.tenancy.enablement import enabled_names


@click.group()
def plugin() -> None:
    """Plugins: list, switch on and off, bring their tables up to date; make and check one."""


@contextmanager
def _county(ctx: click.Context, slug: str) -> Iterator[tuple[Runtime, Uow]]:
    with ctx.obj() as runtime:
        tenant = runtime.directory.by_slug(slug)
        if tenant is None or tenant.is_operator:
            raise NotFound(_l("There is no county “%(slug)s”. `xiangyue tenant list` names those aboard.", slug=slug))
        with runtime.uow(tenant.id, actor=system_actor(tenant.id, "command line")) as uow:
            yield runtime, uow


def _tenant_option(command: Any) -> Any:
    return click.option("--tenant", "slug", required=True, metavar="SLUG", help="The county.")(command)


def _installed(runtime: Runtime, name: str) -> Installed:
    found = runtime.registry.installed.get(name)
    if found is None:
        raise NotFound(_l("No plugin “%(name)s” is installed here. `xiangyue plugin list` names them.", name=name))
    return found


@plugin.command("list")
@click.option("--tenant", "slug", metavar="SLUG", help="Say which of them this county has on.")
@click.pass_context
def list_plugins(ctx: click.Context, slug: str | None) -> None:
    """Installed plugins: name, version, state, tables' revision, on or off in the county, why one is left out."""
    with ctx.obj() as runtime:
        tenants = runtime.directory.all()
        tenant = next((t for t in tenants if t.slug == slug), None) if slug else next(iter(tenants), None)
        if slug and tenant is None:
            raise NotFound(_l("There is no county “%(slug)s”. `xiangyue tenant list` names those aboard.", slug=slug))
        on: tuple[str, ...] = ()
        revisions: dict[str, str] = {}
        if tenant is not None:
            with runtime.uow(tenant.id) as uow:
                runtime.check_plugins(uow)
                on = enabled_names(uow)
                revisions = {row.name: row.revision for row in uow.session.scalars(select(PluginInstallation))}
        for name, found in sorted(runtime.registry.installed.items()):
            parts = [name, found.version, found.state, revisions.get(name) or "-"]
            if slug:
                parts.append("on" if name in on else "off")
            click.echo("\t".join([*parts, *([str(found.reason)] if str(found.reason) else [])]))
        for name in on if slug else ():
            if name not in runtime.registry.installed:
                click.echo(f"{name}\t-\tgone\t{revisions.get(name) or '-'}\ton")


@plugin.command()
@click.argument("name")
@_tenant_option
@click.pass_context
def enable(ctx: click.Context, name: str, slug: str) -> None:
    """Switch a plugin on for a county, from its next request on."""
    with _county(ctx, slug) as (_runtime, uow):
        service.switch_plugin(uow, name=name, enabled=True)
    click.echo(f"{name}: on in {slug}")


@plugin.command()
@click.argument("name")
@_tenant_option
@click.pass_context
def disable(ctx: click.Context, name: str, slug: str) -> None:
    """Switch a plugin off for a county; its settings and data are kept."""
    with _county(ctx, slug) as (_runtime, uow):
        service.switch_plugin(uow, name=name, enabled=False)
    click.echo(f"{name}: off in {slug}")


@plugin.command()
@click.argument("name")
@click.argument("revision", default="head")
@click.option("--yes", is_flag=True, help="Do not ask before tables are dropped.")
@click.pass_context
def migrate(ctx: click.Context, name: str, revision: str, yes: bool) -> None:
    """Bring a plugin's tables to REVISION (default: the newest). ``base`` drops them, with all counties' rows.

    Needs XIANGYUE_MIGRATION_DATABASE_URL.
    """
    with ctx.obj() as runtime:
        found = _installed(runtime, name)
        if tables_of(found) is None:
            click.echo(f"{name}: has no tables" if found.contributor is not None else f"{name}: {found.reason}")
            return
        if revision == "base" and not yes:
            click.confirm(f"Drop all tables of {name}, with the rows of every county?", abort=True)
        done = migrate_one(runtime.settings.migration_database_url, found, revision)
    if done.fault:
        click.echo(f"{name}: {done.fault}", err=True)
        sys.exit(1)
    click.echo(f"{name}: {done.revision or 'no tables'}")


@plugin.command()
@click.argument("name")
@_tenant_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def purge(ctx: click.Context, name: str, slug: str, yes: bool) -> None:
    """Delete for good what a plugin that is off recorded in a county, with its settings there."""
    if not yes:
        click.confirm(f"Delete everything that {name} recorded in {slug}? This cannot be undone.", abort=True)
    with _county(ctx, slug) as (_runtime, uow):
        counts = service.purge_plugin(uow, name=name)
    rows = ", ".join(f"{table} {n}" for table, n in sorted(counts.items()) if n)
    click.echo(f"{name}: deleted in {slug}" + (f" ({rows})" if rows else ""))


@plugin.command()
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), help="Where to write it (here).")
@click.option("--label", default="", help="What it is called in English.")
@click.option("--label-zh", default="", help="What it is called in Chinese.")
@click.pass_context
def new(ctx: click.Context, name: str, folder: Path, label: str, label_zh: str) -> None:
    """Write a new plugin that runs into the folder NAME."""
    with ctx.obj() as runtime:
        target = kit.bake(runtime.registry, name, folder, label=label, label_zh=label_zh)
    click.echo(f"{target}: written. Read its README.md.")


@plugin.command()
@click.argument("name")
def check(name: str) -> None:
    """Hold an installed plugin against the conformance kit. Exit code 1 when it fails."""
    sys.exit(kit.check(name))
