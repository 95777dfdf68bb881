"""Time spent in plugins' hooks, for the operator and for Prometheus (``web.metrics`` shows it)."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

#: No label names a county: only code.
HOOK_SECONDS = Histogram(
    "xiangyue_hook_seconds",
    "Time spent in plugins, by plugin and hook.",
    ("plugin", "hook"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=None,
)


def hook_seconds() -> dict[tuple[str, str], tuple[int, float]]:
    """(plugin, hook) -> (calls, seconds in all) since the start, of all processes that share their numbers."""
    registry = CollectorRegistry()
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""):
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    else:
        registry.register(HOOK_SECONDS)
    calls: dict[tuple[str, str], int] = {}
    seconds: dict[tuple[str, str], float] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name.startswith("xiangyue_hook_seconds"):
                key = (sample.labels["plugin"], sample.labels["hook"])
                if sample.name.endswith("_count"):
                    calls[key] = int(sample.value)
                elif sample.name.endswith("_sum"):
                    seconds[key] = sample.value
    return {key: (count, seconds.get(key, 0.0)) for key, count in calls.items()}
