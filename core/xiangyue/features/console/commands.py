"""``xiangyue tenant``: counties from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from xiangyue.errors import Invalid
from xiangyue.runtime import Runtime
from xiangyue.tenancy import lifecycle, provision
from xiangyue.tenancy.counties import minimal_profile
from xiangyue.tenancy.profile import load_profile
from xiangyue.tenancy.profile_types import Profile


@click.group()
def tenant() -> None:
    """Counties: plan and apply profiles, list, suspend, resume."""


def _read(runtime: Runtime, source: str) -> Profile:
    """A profile folder, or a six-digit county code for a county that has none yet."""
    if source.isdigit() and len(source) == 6:
        return minimal_profile(source)
    registry = runtime.registry
    return load_profile(
        Path(source),
        known_permissions=registry.permissions.names("county"),
        known_templates=registry.role_templates(),
        known_plugins=frozenset(),
        base_domain=runtime.settings.base_domain,
    )


def _read_or_exit(runtime: Runtime, source: str) -> Profile:
    try:
        return _read(runtime, source)
    except Invalid as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@tenant.command()
@click.argument("source", metavar="DIR|CODE")
@click.pass_context
def plan(ctx: click.Context, source: str) -> None:
    """Show what the profile in DIR (or the county with this six-digit CODE) would change. Changes nothing."""
    with ctx.obj() as runtime:
        changes = provision.plan(runtime, _read_or_exit(runtime, source))
    for change in changes:
        click.echo(str(change))
    click.echo(f"{len(changes)} changes" if changes else "nothing to change")


@tenant.command()
@click.argument("sources", metavar="DIR|CODE...", nargs=-1, required=True)
@click.pass_context
def apply(ctx: click.Context, sources: tuple[str, ...]) -> None:
    """Make counties what their profiles say. A second run changes nothing."""
    with ctx.obj() as runtime:
        profiles = [_read_or_exit(runtime, source) for source in sources]  # all are read before any is applied
        provision.ensure_operator(runtime)
        for profile in profiles:
            changes = provision.apply(runtime, profile)
            click.echo(f"{profile.slug}: {len(changes)} changes" if changes else f"{profile.slug}: nothing to change")


@tenant.command("list")
@click.pass_context
def list_tenants(ctx: click.Context) -> None:
    """All counties: slug, code, state, name."""
    with ctx.obj() as runtime:
        for info in runtime.directory.all(counties_only=True):
            click.echo(f"{info.slug}\t{str(info.area_code)[:6]}\t{info.state}\t{info.name}")


@tenant.command()
@click.argument("slug")
@click.option("--reason", required=True, help="Shown to the county's people and recorded.")
@click.pass_context
def suspend(ctx: click.Context, slug: str, reason: str) -> None:
    """Stop a county's service; its data stays."""
    with ctx.obj() as runtime:
        lifecycle.suspend(runtime, slug, reason=reason)
    click.echo(f"{slug}: suspended")


@tenant.command()
@click.argument("slug")
@click.pass_context
def resume(ctx: click.Context, slug: str) -> None:
    """Let a suspended county go on."""
    with ctx.obj() as runtime:
        lifecycle.resume(runtime, slug)
    click.echo(f"{slug}: active")
