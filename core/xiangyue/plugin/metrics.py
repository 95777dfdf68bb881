"""Time spent in plugins' hooks, for the operator and for Prometheus (``web.metrics`` shows it)."""

from __future__ import annotations

from prometheus_client import Histogram

#: No label names a county: only code.
HOOK_SECONDS = Histogram(
    "xiangyue_hook_seconds",
    "Time spent in plugins, by plugin and hook.",
    ("plugin", "hook"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=None,
)
