"""``xiangyue import roster`` and ``xiangyue synth roster``."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from xiangyue.errors import NotFound
from xiangyue.features.imports import inline, queries
from xiangyue.features.imports.synth import write_roster
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.web import logs


def county(runtime: Runtime, slug: str) -> TenantInfo:
    """The county of this slug. Raises NotFound."""
    tenant = runtime.directory.by_slug(slug)
    if tenant is None or tenant.is_operator:
        raise NotFound(_l("There is no county “%(slug)s”. `xiangyue tenant list` names those aboard.", slug=slug))
    return tenant


def quiet(runtime: Runtime) -> None:
    """At a terminal only what went wrong is logged; standard output is for the answer."""
    logs.configure(replace(runtime.settings, log_level="WARNING"))


def progress_line(step: str, done: int, total: int) -> None:
    """One line that is written over, for a person; silence for a file."""
    if sys.stderr.isatty():
        of = f" {done:,}/{total:,}" if total else ""
        click.echo(f"\r{step}{of}".ljust(78), nl=False, err=True)


def end_progress_line() -> None:
    if sys.stderr.isatty():
        click.echo("\r".ljust(80) + "\r", nl=False, err=True)


@click.group("import")
def import_group() -> None:
    """Take spreadsheets into a county's register."""


@import_group.command("roster")
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="County, such as hanyin.")
@click.option("--dry-run", is_flag=True, help="Check and compare only; write nothing.")
@click.option("--valid-only", is_flag=True, help="Leave households with errors out and write the others.")
@click.option("--source", default="", help="Where the data comes from.")
@click.option("--purpose", default="Import at the command line", help="What it is taken in for; stands in the audit.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def import_roster(ctx: click.Context, /, slug: str, file: Path, **options: Any) -> None:
    """Check a roster (.xlsx, .xls, .ods, .csv) and write it into the register. Errors by cell go to standard error,
    with exit code 1."""
    with ctx.obj() as runtime:
        quiet(runtime)
        tenant = county(runtime, slug)
        try:
            outcome = inline.import_roster(runtime, tenant, file, watch=progress_line, **options)
        finally:
            end_progress_line()
        for line in inline.error_lines(runtime, tenant, outcome.batch_id):
            click.echo(line, err=True)
        if outcome.problem:
            click.echo(f"{file}: {outcome.problem}", err=True)
        for line in summary(outcome):
            click.echo(line)
        wanted = "checked" if options["dry_run"] else "committed"
        failed = outcome.state != wanted or (outcome.counts.get("errors") and not options["valid_only"])
        if outcome.state != "committed":
            inline.drop(runtime, tenant, outcome.batch_id)
    if failed:
        sys.exit(1)


def summary(outcome: inline.Outcome) -> list[str]:
    """What the check found and what was (or would be) done, in a few lines."""
    counts = outcome.counts
    if not counts:
        return ["nothing was written"]
    lines = [
        f"rows {counts['rows']:,}, households {counts['households']:,}, wrong cells {counts['errors']:,} "
        f"in {counts['error_rows']:,} rows, households without errors {counts['valid_households']:,}"
    ]
    numbers = counts.get("written") or counts
    for thing in ("households", "persons"):
        found = [f"{kind} {numbers.get(f'{thing}_{kind}', 0):,}" for kind in ("new", "changed", "unchanged")]
        lines.append(f"{thing}: {', '.join(found)}")
    return [*lines, "written" if outcome.state == "committed" else "nothing was written"]


@click.group("synth")
def synth_group() -> None:
    """Make believable data of people who never lived."""


@synth_group.command("roster")
@click.option("--tenant", "slug", required=True, metavar="SLUG", help="County whose villages are used.")
@click.option("--households", type=click.IntRange(min=1), required=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same file.")
@click.option("--year", type=int, default=None, help="Year of the incomes; last year by default.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def synth_roster(ctx: click.Context, slug: str, households: int, seed: int, year: int | None, file: Path) -> None:
    """Write a synthetic roster over the county's villages; its citizen numbers have wrong check digits on purpose."""
    with ctx.obj() as runtime:
        persons = make_roster(runtime, county(runtime, slug), file, households=households, seed=seed, year=year)
    click.echo(f"{file}: {households:,} households, {persons:,} persons")


def make_roster(
    runtime: Runtime, tenant: TenantInfo, file: Path, *, households: int, seed: int, year: int | None = None
) -> int:
    """Write a synthetic roster of the county to ``file``; returns the number of persons."""
    with runtime.uow(tenant.id) as uow:
        areas = queries.county_areas(uow)
        marks = [kind.name for kind in queries.mark_kinds(uow)]
    with file.open("wb") as stream:
        last_year = year or datetime.now(TIMEZONE).year - 1
        return write_roster(stream, areas, households, seed, last_year, mark_names=marks).persons
