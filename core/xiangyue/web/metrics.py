"""Prometheus metrics: requests, jobs, database connections.

With several processes set PROMETHEUS_MULTIPROC_DIR (a writable folder, emptied at start by
``prepare_multiprocess``); every process then writes there and whichever is asked answers for all. No label
names a county, a person or a path: the numbers are about the machine, not about the people who use it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from typing import Any

from flask import Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.pool import Pool

from xiangyue.config import Settings
from xiangyue.errors import NotFound
from xiangyue.plugin.metrics import HOOK_SECONDS

REGISTRY = CollectorRegistry()
REGISTRY.register(HOOK_SECONDS)

# A metric without labels opens its file there as soon as it is made.
if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

REQUESTS = Counter(
    "xiangyue_http_requests",
    "Requests answered, by kind of site (county, console, none), endpoint and status.",
    ("site", "endpoint", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "xiangyue_http_request_seconds",
    "Time until the response was made.",
    ("site", "endpoint"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
DB_IN_USE = Gauge(
    "xiangyue_db_connections_in_use",
    "Database connections taken from the pool and not yet given back.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)


def observe_request(site: str, endpoint: str, status: int, seconds: float) -> None:
    """Count one answered request. ``endpoint`` is the route's name, never the path."""
    REQUESTS.labels(site, endpoint, str(status)).inc()
    REQUEST_SECONDS.labels(site, endpoint).observe(seconds)


@lru_cache(maxsize=1)
def watch_pools() -> None:
    """Follow every connection pool of this process; further calls change nothing."""
    event.listen(Pool, "checkout", _checked_out)
    event.listen(Pool, "checkin", _checked_in)


def metrics_body(accept: str = "", *more: Collector) -> tuple[bytes, str]:
    """(text in the format that the Accept header asks for, its content type), over all processes; and what ``more``
    collectors tell."""
    registry = REGISTRY
    if folder := multiprocess_folder():
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    else:
        _process_numbers()
    encode, content_type = choose_encoder(accept)
    return encode(_Together(registry, *more)), content_type


class _Together:
    """What an encoder needs of a registry: several, one after the other."""

    def __init__(self, *parts: Collector) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        return chain.from_iterable(part.collect() for part in self._parts)


def may_read(settings: Settings, address: str, authorization: str | None, *, forwarded: bool = False) -> bool:
    """From this machine itself, or with XIANGYUE_METRICS_TOKEN as bearer token.

    ``forwarded``: the request carries a proxy's header. A proxy on this machine makes everybody look local.
    """
    token = settings.metrics_token
    if token and authorization:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
            return True
    return not forwarded and _is_loopback(address)


def response(settings: Settings, address: str, authorization: str | None, *more: Collector) -> Response:
    """The answer of ``/metrics`` inside a request. Raises NotFound for those who may not read it."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    if not may_read(settings, address, authorization, forwarded=forwarded):
        raise NotFound()
    body, content_type = metrics_body(request.headers.get("Accept", ""), *more)
    return Response(body, content_type=content_type)


def multiprocess_folder() -> str:
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")


def prepare_multiprocess() -> None:
    """Empty the shared folder, once, before the workers start: the former start's numbers count no more."""
    if folder := multiprocess_folder():
        for old in Path(folder).glob("*.db"):
            old.unlink(missing_ok=True)


def child_exit(_server: Any, worker: Any) -> None:
    """gunicorn's hook of this name: a worker that ended holds no connections any more."""
    if multiprocess_folder():
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _process_numbers() -> None:
    """Memory, open files and processor time of the one process."""
    ProcessCollector(registry=REGISTRY)


def _checked_out(*_: Any) -> None:
    DB_IN_USE.inc()


def _checked_in(*_: Any) -> None:
    DB_IN_USE.dec()


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
