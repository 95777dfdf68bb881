"""The worker: RQ's, going round the tenants' queues, one child process for each job."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from typing import Any

import redis
import structlog
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from rq.worker import DequeueStrategy

from xiangyue.jobs import run
from xiangyue.jobs.alive import SignOfLife
from xiangyue.jobs.queues import queue_name, queue_prefix
from xiangyue.runtime import Runtime
from xiangyue.text import pinyin

log = structlog.get_logger()

#: New tenants' queues are noticed this soon.
FOLLOW_SECONDS = 2
#: A job that does not let go of its work in this time after SIGTERM is killed; the scheduler starts it again.
STOP_SECONDS = 8.0


class CountyWorker(Worker):
    """RQ's forking worker over all tenants' queues. ``runtime`` holds no connection yet: each child opens its own."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopping = False
        self.jobs_run = 0
        self.life = SignOfLife(runtime.settings, "worker")
        prefix = queue_prefix(runtime.settings)
        self._prefix = f"{Queue.redis_queue_namespace_prefix}{prefix}"
        super().__init__(
            # Nobody's queue: RQ wants at least one, and a county's comes and goes.
            [queue_name(runtime.settings, 0)],
            connection=redis.Redis.from_url(runtime.settings.redis_url),
            serializer=JSONSerializer,
            job_monitoring_interval=10,
            log_job_description=False,
        )

    def follow_queues(self) -> None:
        """Take up the queues of tenants that were not there before; they are next in turn."""
        known = {queue.key for queue in self.queues}
        members: Any = self.connection.smembers(Queue.redis_queues_keys)
        keys = {key.decode() for key in members}
        for key in sorted(keys - known):
            if key.startswith(self._prefix):
                queue = self.queue_class.from_queue_key(key, connection=self.connection, serializer=self.serializer)
                self.queues.append(queue)
                self._ordered_queues.insert(0, queue)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Message, Queue] | None:
        """RQ's, looking for new queues every few seconds. None only in burst mode, when all are empty."""
        begun = time.monotonic()
        while True:
            self.follow_queues()
            idle = None if timeout is None else FOLLOW_SECONDS
            found: tuple[Message, Queue] | None = super().dequeue_job_and_maintain_ttl(timeout, idle)
            idle_too_long = max_idle_time is not None and time.monotonic() - begun >= max_idle_time
            if found is not None or timeout is None or idle_too_long:
                return found

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's, every few seconds when idle and every ten while a job runs; also the sign of life for a probe."""
        self.life.beat()
        super().heartbeat(timeout, pipeline)

    def execute_job(self, job: Message, queue: Queue) -> None:
        self.jobs_run += 1
        super().execute_job(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """Tell the running job to let go of its work: it goes back to the queue."""
        self.stopping = True
        if horse := self.horse_pid:
            _signal(horse, signal.SIGTERM)
            timer = threading.Timer(STOP_SECONDS, _signal, (horse, signal.SIGKILL))
            timer.daemon = True
            timer.start()

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """A second signal changes nothing: the end is already in sight."""

    def setup_work_horse_signals(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: run.STOP.set())

    def main_work_horse(self, job: Message, queue: Queue) -> None:
        """In the child: no connection of the parent's may be used there."""
        if "engine" in self.runtime.__dict__:
            self.runtime.engine.dispose(close=False)
        # The child does one job and ends: what the parent has made stays, and what goes round in circles is looked for
        # seldom. An import makes millions of objects that do not; looking through them took a fifth of its time.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        run.use(self.runtime, child_of=os.getppid())
        super().main_work_horse(job, queue)


def serve(runtime: Runtime, *, burst: bool = False, max_jobs: int | None = None) -> int:
    """Work until SIGTERM or SIGINT (``burst``: until all queues are empty). Returns how many jobs were looked at.

    Redis may be away at the start and in between: it is waited for.
    """
    runtime.registry  # noqa: B018 - imported once here, shared by all children
    pinyin.load()
    jobs = 0
    life = SignOfLife(runtime.settings, "worker")
    while True:
        life.beat()
        worker: CountyWorker | None = None
        try:
            worker = CountyWorker(runtime)
            worker.work(
                burst=burst,
                max_jobs=None if max_jobs is None else max_jobs - jobs,
                dequeue_strategy=DequeueStrategy.ROUND_ROBIN,
            )
        except StopRequested:
            return jobs
        except redis.RedisError as error:
            log.warning("queue_away", error=type(error).__name__)
        if worker is not None:
            jobs += worker.jobs_run
            if worker.stopping or burst or (max_jobs is not None and jobs >= max_jobs):
                return jobs
        time.sleep(1)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
