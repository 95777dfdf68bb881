"""``xiangyue audit``: check the chain, or seal now."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from xiangyue.access.seal import seal_entries
from xiangyue.access.seal_report import BrokenSeal, VerifyReport
from xiangyue.access.verify import verify
from xiangyue.errors import NotFound
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo


@click.group("audit")
def group() -> None:
    """The audit trail: check its seals, seal now."""


def _tenants(runtime: Runtime, slug: str | None, every: bool) -> list[TenantInfo]:
    if every == bool(slug):
        raise click.UsageError("give either --tenant SLUG or --all")
    if slug is None:
        return runtime.directory.all()
    found = runtime.directory.by_slug(slug)
    if found is None:
        raise NotFound(f"there is no tenant “{slug}”; `xiangyue tenant list` shows all")
    return [found]


def _ids(word: str, ids: tuple[int, ...]) -> list[str]:
    shown = ", ".join(map(str, ids[:20])) + (f" and {len(ids) - 20} more" if len(ids) > 20 else "")
    return [f"{'entry' if len(ids) == 1 else 'entries'} {shown} {word}"] if ids else []


def describe(broken: BrokenSeal) -> str:
    """A broken seal in one line."""
    name = f"seal {broken.seal_id}" if broken.seal_id is not None else "a seal"
    where = f"{name} (transactions {broken.first_xact} to {broken.end_xact})"
    details = [
        *_ids("changed", broken.changed),
        *_ids("missing", broken.missing),
        *_ids("slipped in", broken.added),
    ]
    said = {
        "seal_missing": "is missing",
        "seal_changed": "was changed",
        "chain_broken": "does not follow the seal before it",
        "entries_changed": "does not fit its entries",
    }[broken.problem]
    return f"{where} {said}" + (f": {'; '.join(details)}" if details else "")


def _age(since: datetime | None) -> str:
    return "" if since is None else f", the oldest {int((datetime.now(UTC) - since).total_seconds())} s old"


def _lines(slug: str, report: VerifyReport) -> list[str]:
    state = report.state
    head = f"{slug}: {'ok' if report.ok else 'BROKEN'}, {report.entries} entries under {report.seals} seals"
    lines = [f"{head}, {state.unsealed} not yet sealed{_age(state.oldest_unsealed)}"]
    if state.head:
        lines.append(f"  head {state.head}")
    if report.lost_head:
        lines.append(f"  the noted head {report.lost_head} is not in the chain any more")
    return lines + [f"  {describe(b)}" for b in report.broken]


@group.command("verify")
@click.option("--tenant", "slug", metavar="SLUG", help="One county.")
@click.option("--all", "every", is_flag=True, help="Every county and the operator.")
@click.option("--head", default="", metavar="HASH", help="A hash noted earlier that must still be in the chain.")
@click.pass_context
def verify_command(ctx: click.Context, slug: str | None, every: bool, head: str) -> None:
    """Check the chain; exit code 1 when it is broken, with the seals and entries that do not hold."""
    if head and every:
        raise click.UsageError("--head belongs to one county: give --tenant")
    broken = False
    with ctx.obj() as runtime:
        for tenant in _tenants(runtime, slug, every):
            with runtime.uow(tenant.id) as uow:
                report = verify(uow, head=head)
            broken = broken or not report.ok
            click.echo("\n".join(_lines(tenant.slug, report)))
    sys.exit(1 if broken else 0)


@group.command("seal")
@click.option("--tenant", "slug", metavar="SLUG", help="One county.")
@click.option("--all", "every", is_flag=True, help="Every county and the operator.")
@click.pass_context
def seal_command(ctx: click.Context, slug: str | None, every: bool) -> None:
    """Seal now what the job would seal within a minute."""
    with ctx.obj() as runtime:
        for tenant in _tenants(runtime, slug, every):
            with runtime.uow(tenant.id) as uow:
                run = seal_entries(uow)
            click.echo(f"{tenant.slug}: {run.entries} entries sealed" + (f", head {run.head}" if run.head else ""))
