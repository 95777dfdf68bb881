"""How long jobs ran, and plugins' code in them, for Prometheus (``web.metrics`` shows it).

Counted in Redis: each job runs in a process that ends with it, and workers may be on other machines than the web server
that is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import redis
import structlog
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from xiangyue.jobs.queues import instance_name, sender
from xiangyue.plugin.metrics import BUCKETS as HOOK_BUCKETS
from xiangyue.plugin.metrics import Spent
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


def _hook_key(runtime: Runtime) -> str:
    return f"xy:{instance_name(runtime.settings)}:job_hook_seconds"


def observe_job(runtime: Runtime, kind: str, state: str, seconds: float, spent: Iterable[Spent] = ()) -> None:
    """Count one attempt that ended in ``state``, and what was ``spent`` in plugins' code meanwhile. Without Redis it
    goes uncounted."""
    outcome = OUTCOMES.get(state)
    try:
        pipe = sender(runtime.settings.redis_url).pipeline(transaction=False)
        if outcome is not None:
            pipe.hincrby(_key(runtime), f"{kind}|{outcome}|{_bound(BUCKETS, seconds)}", 1)
            pipe.hincrbyfloat(_key(runtime), f"{kind}|{outcome}|{_SUM}", round(seconds, 3))
        for plugin, hook, took in spent:
            pipe.hincrby(_hook_key(runtime), f"{plugin}|{hook}|{_bound(HOOK_BUCKETS, took)}", 1)
            pipe.hincrbyfloat(_hook_key(runtime), f"{plugin}|{hook}|{_SUM}", round(took, 4))
        pipe.execute()
    except redis.RedisError as error:
        log.warning("job_not_counted", error=type(error).__name__)


def _bound(buckets: Iterable[float], seconds: float) -> str:
    return next((str(b) for b in buckets if seconds <= b), _INF)


class JobSeconds(Collector):
    """The counts of all workers of this instance. Every web server that is asked tells the same ones."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[HistogramMetricFamily]:
        yield _family(
            HistogramMetricFamily(
                "xiangyue_job_seconds",
                "Run time of background jobs, by kind and outcome (done, failed, cancelled, again), of all workers.",
                labels=("kind", "outcome"),
            ),
            BUCKETS,
            _counts(self._runtime, _key(self._runtime)),
        )
        yield hook_seconds(self._runtime)


def hook_seconds(runtime: Runtime) -> HistogramMetricFamily:
    """Time spent in plugins' code by background jobs, of all workers, since the counting began."""
    family = HistogramMetricFamily(
        "xiangyue_job_hook_seconds",
        "Time spent in plugins by background jobs, by plugin and hook, of all workers.",
        labels=("plugin", "hook"),
    )
    return _family(family, HOOK_BUCKETS, _counts(runtime, _hook_key(runtime)))


_Counts = dict[tuple[str, str], dict[str, float]]


def _family(family: HistogramMetricFamily, bounds: Iterable[float], counted: _Counts) -> HistogramMetricFamily:
    for labels, counts in sorted(counted.items()):
        so_far, buckets = 0, []
        for bound in (*map(str, bounds), _INF):
            so_far += int(counts.get(bound, 0))
            buckets.append((bound, so_far))
        family.add_metric(labels, buckets, counts.get(_SUM, 0.0))
    return family


def _counts(runtime: Runtime, key: str) -> _Counts:
    try:
        stored = sender(runtime.settings.redis_url).hgetall(key)
    except redis.RedisError:
        return {}
    found: _Counts = {}
    for field, value in stored.items():  # type: ignore[union-attr]
        first, second, part = field.decode().split("|")
        found.setdefault((first, second), {})[part] = float(value)
    return found
