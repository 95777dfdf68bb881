"""Fixtures: a runtime on real PostgreSQL and Redis, two counties aboard, accounts and signed-in clients.

Each test module gets a database of its own, copied from a template where the counties Hanyin and Tongyu are
provisioned from their profiles.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import make_url, select

from xiangyue.access.actor import Actor, Grant
from xiangyue.access.models import Account, AccountSession, ApiToken, Role, RoleGrant
from xiangyue.access.passwords import hash_password
from xiangyue.access.tokens import API_PREFIX, SESSION_PREFIX, new_token
from xiangyue.config import Settings
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.features.plugins.service import set_plugin_settings
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.local.postgres import OWNER
from xiangyue.local.servers import EmbeddedServers
from xiangyue.plugin.models import TenantPlugin
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.testing.seed import APPLICATION
from xiangyue.testing.statements import record
from xiangyue.testing.trail import SEEN as _TRAIL  # noqa: F401 - follows the trails from now on
from xiangyue.web import templating

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse 9 battery"  # noqa: S105 - accounts of tests
_numbers = itertools.count(1)


class Compiled(BytecodeCache):
    """Templates as some application of this process compiled them."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.known.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key] = (bucket.checksum, bucket.code)


templating.compiled = Compiled()


class CountyClient(FlaskClient):
    """A test client whose requests go to one county's host."""

    host = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        # A followed redirect comes as a ready builder, which has its host already.
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", f"http://{self.host}")
        return super().open(*args, **kwargs)


@dataclass
class County:
    """A county under test."""

    runtime: Runtime
    app: Any
    info: TenantInfo

    @property
    def host(self) -> str:
        base = self.runtime.settings.base_domain
        return base if self.info.is_operator else f"{self.info.slug}.{base}"

    def uow(self, actor: Actor | None = None, *, purpose: str = "") -> AbstractContextManager[Uow]:
        """A unit of work as the system, or as ``actor`` (whose writes then obey its area), for a stated purpose."""
        return self.runtime.uow(self.info.id, actor=actor, info=RequestInfo(purpose=purpose))

    def actor(self, *permissions: Any, area: int = 0) -> Actor:
        """An actor with these permissions in ``area`` (15 digits, 0 the whole county), without an account."""
        grant = Grant("test", "test", frozenset(p.name for p in permissions), area)
        return Actor("account", self.info.id, name="tester", grants=(grant,), tenant_area=self.info.area_code)

    def account(
        self,
        role: str | None = "county_admin",
        *,
        area: int | None = None,
        login: str | None = None,
        **columns: Any,
    ) -> Account:
        """An account with a role (by key) in an area; its password is ``PASSWORD``."""
        login = login or f"user{next(_numbers)}"
        with self.uow() as uow:
            account = Account(login=login, name=columns.pop("name", login), password_hash=_hash(), **columns)
            uow.session.add(account)
            uow.session.flush()
            if role is not None:
                role_id = uow.session.scalars(select(Role.id).where(Role.key == role)).one()
                code = self.info.area_code if area is None else area
                uow.session.add(RoleGrant(account_id=account.id, role_id=role_id, area_code=code))
        return account

    def client(self, account: Account | str | None = None, **options: Any) -> FlaskClient:
        """A test client at this county's host, signed in as ``account`` (or as a new one with that role)."""
        client = CountyClient(self.app, self.app.response_class)
        client.host = self.host
        if account is None:
            return client
        if isinstance(account, str):
            account = self.account(account, **options)
        token, digest = new_token(SESSION_PREFIX)
        with self.uow() as uow:
            uow.session.add(
                AccountSession(
                    token_hash=digest,
                    account_id=account.id,
                    expires_at=datetime.now(UTC) + timedelta(hours=1),
                )
            )
        client.set_cookie(f"xy_session_{self.runtime.settings.cookie_suffix}", token, domain=self.host)
        return client

    def account_with(self, *rights: Any, area: int = 0, **columns: Any) -> Account:
        """An account whose only role has exactly these rights (permissions or their names), in ``area`` (15 digits, 0
        the whole county)."""
        account = self.account(None, **columns)
        with self.uow() as uow:
            names = [getattr(right, "name", right) for right in rights]
            role = Role(key=f"role{account.id}", name="role", permissions=names)
            uow.session.add(role)
            uow.session.flush()
            code = area or self.info.area_code
            uow.session.add(RoleGrant(account_id=account.id, role_id=role.id, area_code=code))
        return account

    def bearer(self, account: Account) -> dict[str, str]:
        """Headers of an API call with a token of this account."""
        token, digest = new_token(API_PREFIX)
        expires = datetime.now(UTC) + timedelta(days=1)
        with self.uow() as uow:
            uow.session.add(
                ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires)
            )
        return {"Authorization": f"Bearer {token}"}

    def set_plugin(self, name: str, **values: Any) -> None:
        """Save the settings of a plugin, as its page does. Raises Invalid."""
        with self.uow() as uow:
            row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == name)).one()
            set_plugin_settings(uow, name=name, version=row.version, values=values)

    def run_jobs(self) -> list[str]:
        """Do in this process what waits in the queue, and what comes of it; the kinds in order."""
        kinds = []
        while waiting := self._queued():
            for job in waiting:
                state = run_with(self.runtime, self.info.id, job.id)
                assert state == "succeeded", (state, job.kind, job.params)
                kinds.append(job.kind)
        return kinds

    def _queued(self) -> list[Job]:
        with self.uow() as uow:
            return list(uow.session.scalars(select(Job).where(Job.state == "queued").order_by(Job.id)))


_password_hash: list[str] = []


def _hash() -> str:
    if not _password_hash:
        _password_hash.append(hash_password(PASSWORD))
    return _password_hash[0]


def make_settings(home: Path, urls: tuple[str, str], redis_url: str, plugins: tuple[str, ...]) -> Settings:
    owner, app = urls
    return Settings(
        home=home,
        database_url=app,
        migration_database_url=owner,
        redis_url=redis_url,
        migrations_dir=ROOT / "migrations",
        profiles_dir=ROOT / "tenants",
        # Redis is shared by the run: queues of different databases must not meet.
        instance=make_url(app).database or "",
        statement_timeout_ms=120_000,
        plugins=plugins,
    )


@pytest.fixture(scope="session")
def loaded_plugins() -> tuple[str, ...]:
    """Installed plugins that a module's tests load: none for the core's; a plugin's own override this."""
    return ()


@pytest.fixture(scope="session")
def provisioned_with(pg_server: Any, redis_server: str) -> Callable[[tuple[str, ...]], Settings]:
    """``provisioned_with(plugins)``: settings of a template database where these are loaded, made once per run."""
    made: dict[tuple[str, ...], Settings] = {}
    home = pg_server.servers.layout.home / APPLICATION

    def get(plugins: tuple[str, ...]) -> Settings:
        if plugins not in made:
            postgres, name = pg_server.servers.postgres, _template(plugins)
            kept = pg_server.has(_template(()))
            if kept and not plugins:
                urls = postgres.url(name, OWNER), postgres.url(name)
            else:
                urls = pg_server.create_database(name, template=_template(()) if kept else None)
            made[plugins] = make_settings(home, urls, redis_server, plugins)
            if plugins or not kept:
                _provision(made[plugins])
        return made[plugins]

    return get


def fill(servers: EmbeddedServers, home: Path) -> None:
    """Make the template database of the core alone on these servers; ``home`` becomes the application's."""
    urls = servers.postgres.create_database(_template(()))
    _provision(make_settings(home, urls, servers.redis.url, ()))


def _template(plugins: tuple[str, ...]) -> str:
    return "_".join(("provisioned", *(plugins if plugins != ("*",) else ("all",))))


def _provision(settings: Settings) -> None:
    from xiangyue.features.accounts.roles import ensure_operator_roles
    from xiangyue.plugin.migrations import upgrade_all
    from xiangyue.tenancy import provision
    from xiangyue.tenancy.profile import load_profile

    runtime = Runtime(settings)
    upgrade_all(settings.migration_database_url, settings.migrations_dir, runtime.registry)
    ensure_operator_roles(runtime)
    for slug in ("hanyin", "tongyu"):
        provision.apply(runtime, load_profile(ROOT / "tenants" / slug))
    runtime.engine.dispose()


@pytest.fixture(scope="module")
def provisioned(provisioned_with: Callable[[tuple[str, ...]], Settings], loaded_plugins: tuple[str, ...]) -> Settings:
    """Settings of the template database: migrated, the operator and two counties aboard."""
    return provisioned_with(loaded_plugins)


@contextmanager
def runtime_on(name: str, provisioned: Settings, pg_server: Any) -> Iterator[Runtime]:
    """A runtime on a new copy of the template database called ``name``, as the runtime role."""
    urls = pg_server.create_database(name, template=_template(provisioned.plugins))
    made = Runtime(make_settings(provisioned.home, urls, provisioned.redis_url, provisioned.plugins))
    record(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def runtime(provisioned: Settings, pg_server: Any, request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """A runtime on this module's own copy of the template database, as the runtime role. The copy goes with it."""
    name = module_database(request.module.__name__)
    with runtime_on(name, provisioned, pg_server) as made:
        yield made
    pg_server.drop_database(name)


def module_database(module: str) -> str:
    """A name for the database of a test module."""
    return f"t{next(_numbers)}_" + "".join(c if c.isalnum() else "_" for c in module.lower())[-40:]


@pytest.fixture(scope="session")
def core_app() -> list[Any]:
    """The application of the core alone, once it was made: all modules use it, each with a runtime of its own."""
    return []


@pytest.fixture(scope="module")
def app(runtime: Runtime, core_app: list[Any]) -> Any:
    from xiangyue.app import create_app

    if core_app and not runtime.settings.plugins:
        core_app[0].extensions["xiangyue"] = runtime
        return core_app[0]
    flask_app = create_app(runtime=runtime)
    flask_app.testing = False
    if not runtime.settings.plugins:
        core_app.append(flask_app)
    return flask_app


def _county(runtime: Runtime, app: Any, slug: str) -> County:
    info = runtime.directory.by_slug(slug)
    assert info is not None
    return County(runtime, app, info)


@pytest.fixture(scope="module")
def hanyin(runtime: Runtime, app: Any) -> County:
    """汉阴县: 10 towns, 160 villages."""
    return _county(runtime, app, "hanyin")


@pytest.fixture(scope="module")
def tongyu(runtime: Runtime, app: Any) -> County:
    """通榆县, the other county: what must never be seen from Hanyin."""
    return _county(runtime, app, "tongyu")


@pytest.fixture(scope="module")
def operator(runtime: Runtime, app: Any) -> County:
    """The operator's console, a tenant of its own kind."""
    return _county(runtime, app, "operator")
