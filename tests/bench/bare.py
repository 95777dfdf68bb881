"""The reference: a bare WSGI app that runs the same statement as the same role and answers the same bytes.

No session, no permission, no framework. The statement, its parameters and the column names come from a JSON file
(``BENCH_STATEMENT``), captured from our own request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import psycopg
from gevent.queue import LifoQueue

SPEC = json.loads(open(os.environ["BENCH_STATEMENT"], encoding="utf-8").read())
URL = os.environ["XIANGYUE_DATABASE_URL"]
POOL: LifoQueue[psycopg.Connection[Any]] = LifoQueue()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/healthz":
        start_response("200 OK", [("Content-Length", "3")])
        return [b"ok\n"]
    connection = POOL.get() if POOL.qsize() else psycopg.connect(URL)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL app.tenant_id = '{int(SPEC['tenant_id'])}'")
        rows = cursor.execute(SPEC["sql"], SPEC["params"]).fetchall()
    POOL.put(connection)
    keys = SPEC["keys"]
    items = [dict(zip(keys, row, strict=False)) for row in rows[: SPEC["limit"]]]
    body = orjson.dumps({"items": items, "next": SPEC["next"]}, default=str)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
