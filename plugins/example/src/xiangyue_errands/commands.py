"""``xiangyue errands``."""

from __future__ import annotations

import click

from xiangyue_errands import queries


@click.command()
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="The county.")
@click.pass_context
def errands(ctx: click.Context, slug: str) -> None:
    """Say how many errands are open and overdue in a county."""
    with ctx.obj() as runtime:
        tenant = runtime.directory.by_slug(slug)
        if tenant is None:
            raise click.ClickException(f"there is no county {slug!r}")
        with runtime.uow(tenant.id) as uow:
            open_now, late = queries.count_open(uow)
    click.echo(f"{slug}: {open_now} open, {late} overdue")
