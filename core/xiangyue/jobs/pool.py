"""Several workers under one ``xiangyue worker``: RQ's pool, whose processes each run our worker.

One worker does one job at a time. In a pool every process goes round the counties' queues by itself, so a county with
a thousand jobs holds at most as many processes as there are while another's job is next in each process' turn.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import redis
from rq.serializers import JSONSerializer
from rq.worker_pool import ForkProcess, WorkerPool

from xiangyue.jobs.worker import serve
from xiangyue.runtime import Runtime

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class CountyPool(WorkerPool):
    """RQ's pool: starts the processes, starts dead ones again, stops all. ``runtime`` holds no connection yet."""

    def __init__(self, runtime: Runtime, processes: int) -> None:
        self.runtime = runtime
        # The queues are found by each worker; RQ keeps the connection's address only.
        connection = redis.Redis.from_url(runtime.settings.redis_url)
        super().__init__([], connection=connection, num_workers=processes, serializer=JSONSerializer)

    def get_worker_process(self, name: str, burst: bool, *_rest: Any, **_more: Any) -> Any:
        """A process that serves as ``xiangyue worker`` does: it waits for Redis itself."""
        return ForkProcess(target=_serve, args=(self.runtime, burst, os.getpid()), name=f"worker {name}")


def serve_pool(runtime: Runtime, processes: int, *, burst: bool = False) -> None:
    """Work with so many processes until SIGTERM or SIGINT (``burst``: until all queues are empty). The jobs under way
    go back to the queue as with one worker; returns when every process has ended."""
    runtime.registry  # noqa: B018 - imported once here, shared by all
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        CountyPool(runtime, processes).start(burst=burst)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(runtime: Runtime, burst: bool, parent: int) -> None:
    """In the child, until it is told to stop or its pool is gone."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), name="pool-watch", daemon=True).start()
    serve(runtime, burst=burst)


def _end_with(parent: int) -> None:
    """A killed pool leaves no worker behind that nobody would stop."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
