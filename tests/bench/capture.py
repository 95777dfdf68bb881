"""Records what our application sends to PostgreSQL for one request, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import event

from bench.stage import Stage
from xiangyue.app import create_app
from xiangyue.runtime import Runtime

Statement = tuple[str, Any]

_SPOKEN: list[Statement] = []
#: By these a statement is known that looks up who asks, spelt out or prepared.
_WHO = ("api_token", "account_session", "EXECUTE xiangyue_")


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        _SPOKEN.append((query if isinstance(query, str) else str(query), params))
        return super().execute(query, params, **options)


@dataclass(frozen=True, slots=True)
class Captured:
    """``statements``: in order, without those that open the transaction and look up who asks."""

    statements: list[Statement]
    before: list[Statement]
    body: bytes


def application(stage: Stage) -> Any:
    """Our application in this process, on connections that are listened to."""
    runtime = Runtime(stage.settings)
    event.listen(runtime.engine, "connect", lambda connection, _: setattr(connection, "cursor_factory", _Cursor))
    return create_app(runtime=runtime)


def capture(stage: Stage, path: str, headers: Mapping[str, str]) -> Captured:
    """One GET of ``path`` at the first county's host; the second time, when all caches are warm."""
    app = application(stage)
    client = app.test_client(use_cookies=False)
    for _ in range(2):
        _SPOKEN.clear()
        response = client.get(path, headers=dict(headers), base_url=f"http://{host(stage)}")
        assert response.status_code == 200, (response.status, response.get_data(as_text=True)[:500])
    spoken = list(_SPOKEN)
    app.extensions["xiangyue"].engine.dispose()
    known = [i for i, (sql, _) in enumerate(spoken) if any(mark in sql for mark in _WHO)]
    return Captured(spoken[known[-1] + 1 :], spoken[: known[-1] + 1], response.data)


def host(stage: Stage) -> str:
    return f"{stage.county().slug}.{stage.settings.base_domain}"


def request(stage: Stage, path: str, headers: Mapping[str, str]) -> bytes:
    """The same as bytes for the load client."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host(stage)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
