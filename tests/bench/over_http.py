"""Over HTTP, gunicorn against gunicorn: the list of households, the household page, and a worker's memory."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from bench.capture import Captured, capture, host, request
from bench.load import fetch, run
from bench.measure import Result, against_limit, paired
from bench.servers import Server, gunicorn
from bench.stage import Stage

OURS = "xiangyue.wsgi:app"
LIST = "/api/v1/households?limit=50"
ROUNDS = 21
PAGE_ROUNDS = 11
SECONDS = 0.7
CONNECTIONS = 8
MEMORY_LIMIT = 150.0


def http_list_households(stage: Stage) -> Result:
    headers = _bearer(stage)
    found = capture(stage, LIST, headers)
    assert len(found.statements) == 1, [sql for sql, _ in found.statements]
    shown = orjson.loads(found.body)
    assert len(shown["items"]) == 50
    recorded = _keep(
        stage, found, keys=list(shown["items"][0]), limit=50, next=shown["next"], tenant_id=stage.county().id
    )
    asked = request(stage, LIST, headers)
    with (
        gunicorn(OURS, stage.settings) as ours,
        gunicorn("bench.bare:application", stage.settings, BENCH_CAPTURED=str(recorded)) as bare,
    ):
        _same(fetch(ours.port, asked)[1], fetch(bare.port, asked)[1], found.body)
        return paired(
            "http_list_households",
            _load(ours, asked),
            _load(bare, asked),
            unit="requests/s",
            rounds=ROUNDS,
            about={
                "ours": f"GET {LIST} with a bearer token: county by host name, token, rights and area looked up in"
                " PostgreSQL at every request, arguments checked by schema, row-level security, metrics and log",
                "reference": "a bare WSGI app: psycopg rows and orjson, the same statement with the same parameters,"
                f" SET LOCAL app.tenant_id, no access check; its body is byte-equal ({len(found.body):,} bytes)",
                "statement": _one_line(found.statements[0][0]),
                "load": f"{CONNECTIONS} keep-alive connections, {SECONDS} s a side and round, in turn",
                **stage.about,
            },
        )


def http_household_page(stage: Stage) -> Result:
    household, headers = _household(stage), _cookie(stage)
    path = f"/households/{household['id']}"
    found = capture(stage, path, headers)
    recorded = _keep(stage, found, url=f"http://{host(stage)}{path}", headers=headers, tenant_id=stage.county().id)
    asked = request(stage, path, headers)
    with (
        gunicorn(OURS, stage.settings) as ours,
        gunicorn("bench.bare_page:application", stage.settings, BENCH_CAPTURED=str(recorded)) as bare,
    ):
        _same(fetch(ours.port, asked)[1], fetch(bare.port, asked)[1], found.body)
        return paired(
            "http_household_page",
            _load(ours, asked),
            _load(bare, asked),
            unit="requests/s",
            rounds=PAGE_ROUNDS,
            about={
                "ours": f"GET /households/<id> with a session cookie: a household of {household['person_count']}"
                " persons with identifiers opened and masked, marks, income, awards, own fields, navigation;"
                f" {len(found.body):,} bytes",
                "reference": f"a bare WSGI app: the page's {len(found.statements)} statements (psycopg rows, thrown"
                " away) after SET LOCAL, and the same compiled template rendered with the same context; no session,"
                " access check, ORM or building of the context; its body is equal",
                "statements": f"{len(found.before)} before the rights are known, {len(found.statements)} after",
                "load": f"{CONNECTIONS} keep-alive connections, {SECONDS} s a side and round, in turn",
                **stage.about,
            },
        )


def _bearer(stage: Stage) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.bearer}"}


def _cookie(stage: Stage) -> dict[str, str]:
    return {"Cookie": f"xy_session_{stage.settings.cookie_suffix}={stage.cookie}"}


def _keep(stage: Stage, found: Captured, **more: Any) -> Path:
    path = stage.settings.home / "captured.pickle"
    path.write_bytes(pickle.dumps({"statements": found.statements, "body": found.body, **more}))
    return path


def _load(server: Server, asked: bytes) -> Callable[[], float]:
    return lambda: run(server.port, asked, SECONDS, CONNECTIONS)


def _same(ours: bytes, reference: bytes, captured: bytes) -> None:
    assert ours == reference == captured, "the two sides answer different bytes"


def _one_line(sql: str) -> str:
    return " ".join(sql.split())


def worker_memory(stage: Stage) -> Result:
    lists = request(stage, LIST, _bearer(stage))
    pages = [request(stage, path, _cookie(stage)) for path in _pages(stage)]
    with gunicorn(OURS, stage.settings) as ours:

        def once() -> float:
            for number in range(200):
                _answered(fetch(ours.port, lists))
                _answered(fetch(ours.port, pages[number % len(pages)]))
            return ours.worker_memory()

        return against_limit(
            "worker_memory",
            once,
            MEMORY_LIMIT,
            unit="MiB",
            rounds=3,
            about={
                "ours": "largest resident memory of a gunicorn worker, shared libraries included, after 200 lists of 50"
                f" households and 200 pages ({', '.join(_pages(stage))}) over both workers; in the later rounds after"
                " two and three times as many",
                "reference": f"the limit, {MEMORY_LIMIT:g} MiB",
                **stage.about,
            },
        )


def _answered(answer: tuple[bytes, bytes]) -> None:
    assert b" 200 " in answer[0].split(b"\r\n", 1)[0], answer[0]


def _household(stage: Stage) -> Mapping[str, Any]:
    """One of the list with three or more members."""
    shown = orjson.loads(capture(stage, LIST, _bearer(stage)).body)
    chosen: Mapping[str, Any] = next(item for item in shown["items"] if item["person_count"] >= 3)
    return chosen


def _pages(stage: Stage) -> list[str]:
    return ["/", "/households", f"/households/{_household(stage)['id']}"]
