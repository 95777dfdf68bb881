"""Time spent in plugins' code, for the operator and for Prometheus (``web.metrics`` shows it)."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from prometheus_client import Histogram

#: Upper bounds in seconds; the last ones are for background work.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

#: No label names a county: only code.
HOOK_SECONDS = Histogram(
    "xiangyue_hook_seconds",
    "Time spent in plugins, by plugin and hook.",
    ("plugin", "hook"),
    buckets=BUCKETS,
    registry=None,
)

#: (plugin, hook, seconds)
Spent = tuple[str, str, float]
_gathered: ContextVar[list[Spent] | None] = ContextVar("hook_seconds_gathered", default=None)


def observe(plugin: str, hook: str, seconds: float) -> None:
    """Count one call."""
    gathered = _gathered.get()
    if gathered is None:
        _watch(plugin, hook).observe(seconds)
    else:
        gathered.append((plugin, hook, seconds))


@contextmanager
def timed(plugin: str, hook: str) -> Iterator[None]:
    """Count the block as one call, however it ends."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        observe(plugin, hook, time.perf_counter() - begun)


@contextmanager
def gathering() -> Iterator[list[Spent]]:
    """Gather what the block spends instead of counting it here: a job's process ends with it (``jobs.metrics``)."""
    gathered: list[Spent] = []
    before = _gathered.set(gathered)
    try:
        yield gathered
    finally:
        _gathered.reset(before)


@functools.lru_cache(maxsize=4096)
def _watch(plugin: str, hook: str) -> Any:
    return HOOK_SECONDS.labels(plugin, hook)
