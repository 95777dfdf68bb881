"""``xiangyue worker`` and ``xiangyue scheduler``."""

from __future__ import annotations

import signal
import threading

import click

from xiangyue.jobs.pool import serve_pool
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.worker import serve
from xiangyue.web import logs


@click.command("worker")
@click.option("--burst", is_flag=True, help="End when all queues are empty.")
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    help="Jobs done at the same time; without it XIANGYUE_WORKER_PROCESSES.",
)
@click.pass_context
def worker(ctx: click.Context, burst: bool, processes: int | None) -> None:
    """Do background jobs of all counties, in turn, until stopped."""
    with ctx.obj() as runtime:
        logs.configure(runtime.settings)
        wanted = processes or runtime.settings.worker_processes
        if wanted == 1:
            serve(runtime, burst=burst)
        else:
            serve_pool(runtime, wanted, burst=burst)


@click.command("scheduler")
@click.pass_context
def scheduler(ctx: click.Context) -> None:
    """Send waiting messages, find jobs whose worker died, start recurring work; until stopped."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ctx.obj() as runtime:
        logs.configure(runtime.settings)
        Scheduler(runtime).run(stop)
