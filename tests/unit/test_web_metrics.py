"""Metrics: what is counted, over several processes, and who may read it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from xiangyue.config import Settings
from xiangyue.errors import NotFound
from xiangyue.web import logs, metrics

OPEN = Settings()
GUARDED = Settings(metrics_token="let-prometheus-in")


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_are_counted_by_site_endpoint_and_status() -> None:
    app = Flask("test")
    logs.install(app)

    @app.get("/households/<int:number>")
    def household(number: int) -> tuple[str, int]:
        return "ok", 200 if number else 409

    labels = {"site": "none", "endpoint": "household"}
    before = sample("xiangyue_http_requests_total", status="200", **labels)
    seen = sample("xiangyue_http_request_seconds_count", **labels)
    client = app.test_client()
    for path in ("/households/1", "/households/2", "/households/0", "/no/such/page/610921"):
        client.get(path)
    assert sample("xiangyue_http_requests_total", status="200", **labels) == before + 2
    assert sample("xiangyue_http_requests_total", status="409", **labels) >= 1
    assert sample("xiangyue_http_request_seconds_count", **labels) == seen + 3
    body, content_type = metrics.metrics_body()
    assert content_type.startswith("text/plain")
    assert b"610921" not in body
    assert list(text_string_to_metric_families(body.decode()))


def test_connections_in_use_follow_the_pool(tmp_path: Path) -> None:
    metrics.watch_pools()
    metrics.watch_pools()
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=QueuePool)
    before = sample("xiangyue_db_connections_in_use")
    with engine.connect() as one, engine.connect() as two:
        one.execute(text("SELECT 1"))
        two.execute(text("SELECT 1"))
        assert sample("xiangyue_db_connections_in_use") == before + 2
        two.invalidate()
    assert sample("xiangyue_db_connections_in_use") == before
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "address", "authorization", "forwarded", "allowed"),
    [
        (OPEN, "127.0.0.1", None, False, True),
        (OPEN, "::1", None, False, True),
        (OPEN, "::ffff:127.0.0.1", None, False, True),
        (OPEN, "127.0.0.1", None, True, False),
        (OPEN, "10.0.0.7", None, False, False),
        (OPEN, "10.0.0.7", "Bearer ", False, False),
        (OPEN, "", None, False, False),
        (OPEN, "localhost", None, False, False),
        (GUARDED, "10.0.0.7", "Bearer let-prometheus-in", False, True),
        (GUARDED, "10.0.0.7", "bearer  let-prometheus-in ", True, True),
        (GUARDED, "10.0.0.7", "Bearer wrong", False, False),
        (GUARDED, "10.0.0.7", "Bearer é", False, False),
        (GUARDED, "10.0.0.7", "let-prometheus-in", False, False),
        (GUARDED, "10.0.0.7", None, False, False),
        (GUARDED, "127.0.0.1", None, False, True),
    ],
)
def test_who_may_read(
    settings: Settings, address: str, authorization: str | None, forwarded: bool, allowed: bool
) -> None:
    assert metrics.may_read(settings, address, authorization, forwarded=forwarded) is allowed


def test_the_answer_is_the_text_or_not_found() -> None:
    app = Flask("test")
    with app.test_request_context(headers={"Accept": "application/openmetrics-text; version=1.0.0"}):
        answer = metrics.response(OPEN, "127.0.0.1", None)
        assert answer.content_type.startswith("application/openmetrics-text")
        assert answer.get_data().endswith(b"# EOF\n")
    with app.test_request_context(headers={"X-Forwarded-For": "1.2.3.4"}), pytest.raises(NotFound):
        metrics.response(OPEN, "127.0.0.1", None)
    assert "let-prometheus-in" not in repr(GUARDED)


WORKER = """
import os, sys
from types import SimpleNamespace
from xiangyue.web import metrics
if sys.argv[1] == "start":
    metrics.prepare_multiprocess()
elif sys.argv[1] == "work":
    metrics.observe_request("county", "households.index", 200, 0.02)
    metrics._checked_out()
    print(os.getpid())
elif sys.argv[1] == "ended":
    metrics.child_exit(None, SimpleNamespace(pid=int(sys.argv[2])))
else:
    sys.stdout.buffer.write(metrics.metrics_body()[0])
"""


def test_several_processes_answer_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"

    def run(*arguments: str) -> str:
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
        done = subprocess.run(
            [sys.executable, "-c", WORKER, *arguments], env=environment, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode()

    def value(output: str, name: str) -> float:
        return sum(
            one.value for family in text_string_to_metric_families(output) for one in family.samples if one.name == name
        )

    run("start")
    workers = [run("work").strip() for _ in range(2)]
    output = run("show")
    assert value(output, "xiangyue_http_requests_total") == 2
    assert value(output, "xiangyue_http_request_seconds_count") == 2
    assert value(output, "xiangyue_db_connections_in_use") == 2
    run("ended", workers[0])
    output = run("show")
    assert value(output, "xiangyue_http_requests_total") == 2
    assert value(output, "xiangyue_db_connections_in_use") == 1
    run("start")
    assert value(run("show"), "xiangyue_http_requests_total") == 0
