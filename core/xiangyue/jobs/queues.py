"""RQ queues: one per tenant, so that workers can go round them and nobody waits behind another county's thousand."""

from __future__ import annotations

import re
from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from xiangyue.config import Settings
from xiangyue.runtime import Runtime

#: What a worker calls; a string, because the web process has no need to import it.
RUN_JOB = "xiangyue.jobs.run.run_job"
#: A job that takes longer than this hangs: RQ ends it and it counts as one failed attempt.
LONGEST_JOB_SECONDS = 6 * 3600


def instance_name(settings: Settings) -> str:
    """Several instances may share one Redis; RQ allows letters, digits, ``_`` and ``-`` in ids."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", settings.cookie_suffix)


def queue_prefix(settings: Settings) -> str:
    return f"xy:{instance_name(settings)}:t"


def queue_name(settings: Settings, tenant_id: int) -> str:
    """``xy:<instance>:t<tenant id>``."""
    return f"{queue_prefix(settings)}{tenant_id}"


def message_id(settings: Settings, tenant_id: int, outbox_id: int) -> str:
    """RQ's id of one outbox message: sending it twice replaces it, so a repeat finds nothing to do."""
    return f"xy-{instance_name(settings)}-t{tenant_id}-m{outbox_id}"


def push(runtime: Runtime, tenant_id: int, job_id: int, outbox_id: int) -> None:
    """Put a message for one job on its tenant's queue. Raises redis.RedisError when Redis is away."""
    settings = runtime.settings
    queue = Queue(queue_name(settings, tenant_id), connection=sender(settings.redis_url), serializer=JSONSerializer)
    queue.enqueue_call(
        RUN_JOB,
        args=(tenant_id, job_id),
        timeout=LONGEST_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=300,
        description=f"job {job_id} of tenant {tenant_id}",
        job_id=message_id(settings, tenant_id, outbox_id),
    )


def is_waiting(runtime: Runtime, tenant_id: int, outbox_id: int) -> bool:
    """Whether the message is still on its queue. Raises redis.RedisError when Redis is away.

    Not whether Redis knows it: of one that a worker took and died with before it had claimed the job, RQ keeps a record
    for a quarter of an hour.
    """
    settings = runtime.settings
    key = f"{Queue.redis_queue_namespace_prefix}{queue_name(settings, tenant_id)}"
    return sender(settings.redis_url).lpos(key, message_id(settings, tenant_id, outbox_id)) is not None


@lru_cache(maxsize=8)
def sender(url: str) -> redis.Redis:
    """A client that gives up at once: a request must not hang on Redis, the scheduler sends later."""
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0))
