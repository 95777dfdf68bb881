"""What the feature registers: one command. It shows nothing on a live instance."""

from __future__ import annotations

from collections.abc import Sequence

import click

from xiangyue.features.demo.seed import seed
from xiangyue.features.imports.commands import end_progress_line, progress_line, quiet
from xiangyue.plugin.hookspecs import hookimpl


@click.command("seed-demo")
@click.option("--households", type=click.IntRange(min=0), default=20_000, show_default=True)
@click.pass_context
def seed_demo(ctx: click.Context, households: int) -> None:
    """Demonstration accounts, and a synthetic roster in the county of Hanyin if it has no household yet."""
    with ctx.obj() as runtime:
        quiet(runtime)
        try:
            taken = seed(runtime, households, watch=progress_line)
        finally:
            end_progress_line()
    click.echo(f"{taken:,} households taken in")


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (seed_demo,)
