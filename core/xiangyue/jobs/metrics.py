"""How long jobs ran, for Prometheus (``web.metrics`` shows it).

Counted in Redis: each job runs in a process that ends with it, and workers may be on other machines than the web server
that is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

import redis
import structlog
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from xiangyue.jobs.queues import instance_name, sender
from xiangyue.runtime import Runtime

log = structlog.get_logger()

#: Upper bounds in seconds.
BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
_SUM = "sum"
_INF = "+Inf"
#: A job's state after an attempt -> what the metric calls it.
OUTCOMES = {"succeeded": "done", "failed": "failed", "cancelled": "cancelled", "queued": "again"}


def _key(runtime: Runtime) -> str:
    return f"xy:{instance_name(runtime.settings)}:job_seconds"


def observe_job(runtime: Runtime, kind: str, state: str, seconds: float) -> None:
    """Count one attempt that ended in ``state``. Without Redis it goes uncounted."""
    outcome = OUTCOMES.get(state)
    if outcome is None:
        return
    bound = next((str(b) for b in BUCKETS if seconds <= b), _INF)
    try:
        pipe = sender(runtime.settings.redis_url).pipeline(transaction=False)
        pipe.hincrby(_key(runtime), f"{kind}|{outcome}|{bound}", 1)
        pipe.hincrbyfloat(_key(runtime), f"{kind}|{outcome}|{_SUM}", round(seconds, 3))
        pipe.execute()
    except redis.RedisError as error:
        log.warning("job_not_counted", error=type(error).__name__)


class JobSeconds(Collector):
    """The counts of all workers of this instance. Every web server that is asked tells the same ones."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(
            "xiangyue_job_seconds",
            "Run time of background jobs, by kind and outcome (done, failed, cancelled, again), of all workers.",
            labels=("kind", "outcome"),
        )
        for (kind, outcome), counts in sorted(self._counts().items()):
            so_far, buckets = 0, []
            for bound in (*map(str, BUCKETS), _INF):
                so_far += int(counts.get(bound, 0))
                buckets.append((bound, so_far))
            family.add_metric((kind, outcome), buckets, counts.get(_SUM, 0.0))
        yield family

    def _counts(self) -> dict[tuple[str, str], dict[str, float]]:
        try:
            stored = sender(self._runtime.settings.redis_url).hgetall(_key(self._runtime))
        except redis.RedisError:
            return {}
        found: dict[tuple[str, str], dict[str, float]] = {}
        for field, value in stored.items():  # type: ignore[union-attr]
            kind, outcome, part = field.decode().split("|")
            found.setdefault((kind, outcome), {})[part] = float(value)
        return found
