"""PostgreSQL and Redis are away for a moment: a clear page, nothing lost, the work goes on by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from tests.e2e.kit import head, register, roster, standing

from xiangyue.features.imports.models import ImportBatch
from xiangyue.local.servers import EmbeddedServers
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import Directory
from xiangyue.testing.fixtures import County
from xiangyue.testing.live import LiveServer, serve, wait_for

#: Its Redis and its database go away.
OWN_PROCESSES = True
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def redis_socket(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A socket's path with nobody behind it, and the real one to link it to."""
    return tmp_path_factory.mktemp("redis") / "redis.sock", Path(redis_server.removeprefix("unix://").split("?")[0])


@pytest.fixture(scope="module")
def live(
    runtime: Runtime, redis_server: str, redis_socket: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """An instance that starts while its Redis is away."""
    extra = {"XIANGYUE_REDIS_URL": redis_server.replace(str(redis_socket[1]), str(redis_socket[0]))}
    with serve(runtime, tmp_path_factory.mktemp("away") / "processes.log", ready="/healthz", extra=extra) as server:
        yield server


@contextmanager
def database_away(servers: EmbeddedServers, name: str) -> Iterator[None]:
    """Nobody may connect to the database and all who were are put out."""
    with servers.postgres.admin() as admin:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_pages_work_without_redis_and_the_job_is_sent_later(
    hanyin: County, live: LiveServer, redis_socket: tuple[Path, Path], sign_in: Callable[..., Any]
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin"), path="/imports/new")
    assert page.goto(live.url(hanyin.host, "/readyz")).status == 503
    assert page.goto(live.url(hanyin.host, "/households")).status == 200
    page.goto(live.url(hanyin.host, "/imports/new"))
    page.set_input_files("input[type=file]", {"name": "名单.xlsx", "mimeType": XLSX, "buffer": roster(head(1))})
    page.fill("[name=purpose]", "核对底册")
    page.press("[name=purpose]", "Enter")
    page.wait_for_url(lambda url: url.rsplit("/", 1)[-1].isdigit())
    page.wait_for_selector(".xy-job")
    batch_id = int(page.url.rsplit("/", 1)[-1])

    os.symlink(redis_socket[1], redis_socket[0])  # Redis is back

    def checked() -> bool:
        with hanyin.uow() as uow:
            return uow.get(ImportBatch, batch_id).state == "checked"

    wait_for(checked, seconds=60, what="the check of the roster")
    page.wait_for_selector("button:has-text('全部写入')", timeout=15_000)


def test_a_form_sent_while_the_database_is_away_is_sent_again(
    hanyin: County, live: LiveServer, embedded_servers: EmbeddedServers, sign_in: Callable[..., Any]
) -> None:
    household = register(hanyin, "王德福", address="一组1号")
    page = sign_in(hanyin, hanyin.account("county_admin"), path=f"/households/{household.id}/edit")
    page.fill("[name=address]", "三组33号")
    name = make_url(hanyin.runtime.settings.database_url).database
    assert name is not None
    forgetful = Directory(hanyin.runtime.engine, hanyin.runtime.settings.base_domain, ttl=0)
    known = forgetful.find(hanyin.host)
    with database_away(embedded_servers, name):
        assert forgetful.find(hanyin.host) == known
        with pytest.raises(DBAPIError):
            forgetful.find("nobody." + hanyin.host)
        with page.expect_response(lambda response: response.request.method == "POST") as sent:
            page.press("[name=address]", "Enter")
        assert sent.value.status == 503
        assert int(sent.value.all_headers()["retry-after"]) > 0
        page.wait_for_selector("[data-error] h1")
        words = page.inner_text("main")
        assert "内容没有丢" in words
    assert standing(hanyin, household.id).address == "一组1号"
    page.go_back()
    page.reload()
    page.wait_for_function("document.querySelector('[name=address]').value === '三组33号'")
    page.press("[name=address]", "Enter")
    page.wait_for_url(f"**/households/{household.id}")
    assert standing(hanyin, household.id).address == "三组33号"
