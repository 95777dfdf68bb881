"""The reference of ``http_household_page``: the page's statements and its template, and nothing between them.

Once, at the start, our own application makes the page; its compiled template and the context it was rendered with are
kept. Every request then runs the recorded statements as the same role (psycopg rows, thrown away) and renders that
template with that context: no access check, no ORM, no building of the context.
"""

from __future__ import annotations

import contextvars
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg
from flask import before_render_template
from gevent.queue import LifoQueue

from xiangyue.app import create_app
from xiangyue.config import Settings

CAPTURED = pickle.loads(Path(os.environ["BENCH_CAPTURED"]).read_bytes())
URL = os.environ["XIANGYUE_DATABASE_URL"]
SET_TENANT = f"SET LOCAL app.tenant_id = '{int(CAPTURED['tenant_id'])}'"
POOL: LifoQueue[psycopg.Connection[Any]] = LifoQueue()


class _Rendering:
    """What the template was rendered with, and the context variables (request, language) it was rendered under."""

    template: Any
    context: dict[str, Any]
    surroundings: contextvars.Context

    def __init__(self) -> None:
        app = create_app(Settings.load())
        before_render_template.connect(self._note, app)
        client = app.test_client(use_cookies=False)
        url, headers = CAPTURED["url"], CAPTURED["headers"]
        assert client.get(url, headers=headers).status_code == 200
        before_render_template.disconnect(self._note, app)
        app.extensions["xiangyue"].engine.dispose()

    def _note(self, _app: Any, *, template: Any, context: dict[str, Any], **_more: Any) -> None:
        self.template, self.context, self.surroundings = template, dict(context), contextvars.copy_context()

    def again(self) -> bytes:
        text: str = self.surroundings.copy().run(self.template.render, self.context)
        return text.encode()


PAGE = _Rendering()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/healthz":
        start_response("200 OK", [("Content-Length", "3")])
        return [b"ok\n"]
    connection = POOL.get() if POOL.qsize() else psycopg.connect(URL)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(SET_TENANT)
        for sql, params in CAPTURED["statements"]:
            cursor.execute(sql, params)
            if cursor.description is not None:
                cursor.fetchall()
    POOL.put(connection)
    body = PAGE.again()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
