"""The reference of ``http_list_households``: a bare WSGI app, same statement, same role, same bytes.

No session, no permission, no framework: psycopg rows and orjson. The statement with its parameters comes from a file
(``BENCH_CAPTURED``) that was recorded while our own application answered the request.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import psycopg
from gevent.queue import LifoQueue

CAPTURED = pickle.loads(Path(os.environ["BENCH_CAPTURED"]).read_bytes())
URL = os.environ["XIANGYUE_DATABASE_URL"]
SQL, PARAMS = CAPTURED["statements"][0]
KEYS, LIMIT, NEXT = CAPTURED["keys"], CAPTURED["limit"], CAPTURED["next"]
SET_TENANT = f"SET LOCAL app.tenant_id = '{int(CAPTURED['tenant_id'])}'"
POOL: LifoQueue[psycopg.Connection[Any]] = LifoQueue()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/healthz":
        start_response("200 OK", [("Content-Length", "3")])
        return [b"ok\n"]
    connection = POOL.get() if POOL.qsize() else psycopg.connect(URL)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(SET_TENANT)
        rows = cursor.execute(SQL, PARAMS).fetchall()
    POOL.put(connection)
    items = [dict(zip(KEYS, row, strict=False)) for row in rows[:LIMIT]]
    body = orjson.dumps({"items": items, "next": NEXT})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
