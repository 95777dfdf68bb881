"""``xiangyue tenant``: counties from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from xiangyue.errors import Invalid, NotFound
from xiangyue.features.accounts.roles import ensure_operator_roles
from xiangyue.features.console.queries.profiles import read_profile
from xiangyue.runtime import Runtime
from xiangyue.tenancy import lifecycle, provision
from xiangyue.tenancy.counties import default_slug, minimal_profile, search
from xiangyue.tenancy.profile_types import Profile


@click.group()
def tenant() -> None:
    """Counties: find, plan and apply profiles, list, suspend, resume."""


def _read(runtime: Runtime, source: str, slug: str | None) -> Profile:
    """A profile folder, or a six-digit county code for a county that has none yet."""
    if source.isdigit() and len(source) == 6:
        return minimal_profile(source, slug)
    return read_profile(runtime, Path(source))


def _read_all(runtime: Runtime, sources: tuple[str, ...], slug: str | None = None) -> list[Profile]:
    """Every source, or the end with exit code 1 and the faults of all of them."""
    profiles, faults = [], []
    for source in sources:
        try:
            profiles.append(_read(runtime, source, slug))
        except (Invalid, NotFound) as error:
            faults.append(str(error))
    if faults:
        click.echo("\n".join(faults), err=True)
        sys.exit(1)
    for profile in profiles:
        for plugin in profile.plugins:
            if plugin.name not in runtime.registry.installed:
                click.echo(_not_installed(profile, plugin.name), err=True)
    return profiles


def _not_installed(profile: Profile, plugin: str) -> str:
    return f"{profile.slug}: plugin {plugin!r} is not installed here; what the profile says of it is kept until it is"


_slug = click.option("--slug", help="First part of the address, for a county named by its code; default: its pinyin.")


@tenant.command()
@click.argument("sources", metavar="DIR|CODE...", nargs=-1, required=True)
@_slug
@click.pass_context
def plan(ctx: click.Context, sources: tuple[str, ...], slug: str | None) -> None:
    """Show what the profile in DIR (or the county with this six-digit CODE) would change. Changes nothing."""
    with ctx.obj() as runtime:
        for profile in _read_all(runtime, sources, slug):
            changes = provision.plan(runtime, profile)
            if len(sources) > 1:
                click.echo(f"{profile.slug}:")
            for change in changes:
                click.echo(str(change))
            click.echo(f"{len(changes)} changes" if changes else "nothing to change")


@tenant.command()
@click.argument("sources", metavar="DIR|CODE...", nargs=-1, required=True)
@_slug
@click.pass_context
def apply(ctx: click.Context, sources: tuple[str, ...], slug: str | None) -> None:
    """Make counties what their profiles say. A second run changes nothing."""
    with ctx.obj() as runtime:
        profiles = _read_all(runtime, sources, slug)  # all are read before any is applied
        ensure_operator_roles(runtime)
        for profile in profiles:
            changes = provision.apply(runtime, profile)
            click.echo(f"{profile.slug}: {len(changes)} changes" if changes else f"{profile.slug}: nothing to change")


@tenant.command()
@click.argument("words", nargs=-1, required=True)
def find(words: tuple[str, ...]) -> None:
    """Find a county among all of the country by name, pinyin or the beginning of its code."""
    found = search(" ".join(words), limit=50)
    for county in found:
        click.echo(f"{county.code6}\t{default_slug(county)}\t{county.name}\t{county.province} {county.city}")
    if not found:
        click.echo("no county matches", err=True)
        sys.exit(1)


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
