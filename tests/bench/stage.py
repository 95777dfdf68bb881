"""What every benchmark stands on, made when first asked for: servers, counties, people, a token."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select

from bench.enlarge import enlarge
from bench.population import Population, populate, settle
from bench.servers import ROOT
from xiangyue.access.models import Account, AccountSession, ApiToken, Role, RoleGrant
from xiangyue.access.tokens import API_PREFIX, SESSION_PREFIX, new_token
from xiangyue.config import Settings
from xiangyue.db.migrate import upgrade
from xiangyue.local.servers import EmbeddedServers
from xiangyue.runtime import Runtime
from xiangyue.tenancy import provision
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.tenancy.profile import load_profile
from xiangyue.web import logs

HOUSEHOLDS = 100_000
#: Of the benchmarks of large data: households of the first county, and of all counties.
COUNTY = 200_000
DEPLOYMENT = 1_000_000
COUNTIES = ("hanyin", "tongyu")
ROLE = "town"


class Stage:
    """Embedded servers as ``make demo`` runs them (with fsync), in a folder of their own that ``close`` removes."""

    def __init__(self, county: int = COUNTY, deployment: int = DEPLOYMENT) -> None:
        self.county_size, self.deployment = county, max(deployment, 2 * county)
        self.households = min(HOUSEHOLDS, county)
        self._home: Path | None = None
        self._servers: EmbeddedServers | None = None

    @cached_property
    def settings(self) -> Settings:
        """Of the migrated database; nobody is aboard yet."""
        home = self._home = Path(tempfile.mkdtemp(prefix="xiangyue-bench-"))
        home.chmod(0o711)  # the servers' system user has to pass through when root runs this
        servers = self._servers = EmbeddedServers(home)
        servers.join()
        made = replace(
            Settings.load({}),
            home=servers.layout.home,
            database_url=servers.postgres.app_url,
            migration_database_url=servers.postgres.owner_url,
            redis_url=servers.redis.url,
            migrations_dir=ROOT / "migrations",
            profiles_dir=ROOT / "tenants",
            instance="bench",
            log_level="WARNING",
            # The core alone, whatever is installed here.
            plugins=(),
        )
        logs.configure(made)
        upgrade(made.migration_database_url, made.migrations_dir)
        return made

    @property
    def servers(self) -> EmbeddedServers:
        """The servers that run."""
        assert self._servers is not None
        return self._servers

    @cached_property
    def runtime(self) -> Runtime:
        """Hanyin and Tongyu aboard from their real profiles."""
        return _aboard(Runtime(self.settings))

    def empty_counties(self, name: str) -> None:
        """Make another database ``name`` with the same counties aboard and nobody in them, to copy from."""
        settings = self._database(name)
        upgrade(settings.migration_database_url, settings.migrations_dir)
        _aboard(Runtime(settings)).engine.dispose()

    @contextmanager
    def copy_of(self, template: str) -> Iterator[Runtime]:
        """A runtime on a fresh copy of a database nobody is connected to; the copy is dropped afterwards."""
        runtime = Runtime(self._database(f"{template}_copy", template=template))
        try:
            yield runtime
        finally:
            runtime.engine.dispose()
            assert self._servers is not None
            self._servers.postgres.drop_database(f"{template}_copy")

    def _database(self, name: str, *, template: str | None = None) -> Settings:
        settings = self.settings
        assert self._servers is not None
        owner, app = self._servers.postgres.create_database(name, template=template)
        return replace(settings, database_url=app, migration_database_url=owner)

    def county(self, slug: str = COUNTIES[0]) -> TenantInfo:
        found = self.runtime.directory.by_slug(slug)
        assert found is not None
        return found

    @cached_property
    def people(self) -> Population:
        """Both counties full; what is in the first."""
        begin = time.perf_counter()
        made = [populate(self.runtime, self.county(slug), self.households, seed) for seed, slug in enumerate(COUNTIES)]
        settle(self.runtime)
        print(f"data: {made[0]} and a second county alike, in {time.perf_counter() - begin:.0f} s", flush=True)
        return made[0]

    @cached_property
    def many(self) -> Population:
        """The same counties grown to the large size; what is in the first then. Benchmarks of smaller data come
        before."""
        people = self.people
        begin = time.perf_counter()
        owner = self.settings.migration_database_url
        for slug, size in zip(COUNTIES, (self.county_size, self.deployment - self.county_size), strict=True):
            enlarge(owner, self.county(slug).id, size)
        settle(self.runtime)
        with psycopg.connect(owner) as connection:
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM household h WHERE h.tenant_id = %(id)s),"
                " (SELECT count(*) FROM person p WHERE p.tenant_id = %(id)s),"
                " (SELECT count(*) FROM name_suffix n WHERE n.tenant_id = %(id)s),"
                " (SELECT count(*) FROM household t WHERE t.tenant_id = %(id)s AND t.area_code / 1000000 = %(town)s)",
                {"id": self.county().id, "town": people.town // 10**6},
            ).fetchone()
        assert counts is not None
        self.__dict__["people"] = Population(counts[0], counts[1], counts[2], people.town, counts[3])
        print(f"grown to {self.deployment:,} households in {time.perf_counter() - begin:.0f} s", flush=True)
        return self.people

    @cached_property
    def account(self) -> int:
        """Id of a town officer's account: role ``town`` in the town with the most households."""
        area = self.people.town
        with self.runtime.uow(self.county().id) as uow:
            account = Account(login="bench", name="bench")
            uow.session.add(account)
            uow.session.flush()
            role = uow.session.scalars(select(Role.id).where(Role.key == ROLE)).one()
            uow.session.add(RoleGrant(account_id=account.id, role_id=role, area_code=area))
            return account.id

    @cached_property
    def bearer(self) -> str:
        """An access token of the account with all its rights."""
        token, digest = new_token(API_PREFIX)
        self._add(ApiToken(account_id=self.account, name="bench", token_hash=digest, scopes=["*"], expires_at=soon()))
        return token

    @cached_property
    def clerk(self) -> int:
        """Id of the account of a county administrator, who sees the whole county."""
        county = self.county()
        with self.runtime.uow(county.id) as uow:
            account = Account(login="bench-county", name="bench")
            uow.session.add(account)
            uow.session.flush()
            role = uow.session.scalars(select(Role.id).where(Role.key == "county_admin")).one()
            uow.session.add(RoleGrant(account_id=account.id, role_id=role, area_code=county.area_code))
            return account.id

    @cached_property
    def clerk_bearer(self) -> str:
        """An access token of that account."""
        token, digest = new_token(API_PREFIX)
        self._add(ApiToken(account_id=self.clerk, name="b", token_hash=digest, scopes=["*"], expires_at=soon()))
        return token

    @cached_property
    def cookie(self) -> str:
        """A session of the account."""
        token, digest = new_token(SESSION_PREFIX)
        self._add(AccountSession(account_id=self.account, token_hash=digest, expires_at=soon()))
        return token

    def _add(self, row: Any) -> None:
        with self.runtime.uow(self.county().id) as uow:
            uow.session.add(row)

    @property
    def about(self) -> dict[str, object]:
        """Rows, role and versions, for the ``about`` of results that read the counties."""
        people = self.people
        return {
            "rows": f"{people.households:,} households, {people.persons:,} persons and {people.suffixes:,} suffixes in"
            f" the county (a second county beside it: {self._beside():,} households); {people.town_households:,}"
            f" households in the area of the account (town {people.town // 10**6 % 1000:03d}, role template '{ROLE}')",
            **self.versions,
        }

    def _beside(self) -> int:
        return self.deployment - self.county_size if "many" in self.__dict__ else self.households

    @cached_property
    def versions(self) -> dict[str, object]:
        """Database role, worker class and versions."""
        with self.runtime.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            role, server = driver.execute("SELECT current_user, current_setting('server_version')").fetchone()
        return {
            "database role": f"{role} (no superuser, no BYPASSRLS)",
            "web workers": f"{self.settings.web_workers} of gunicorn's class gevent, by xiangyue.gunicorn_conf on both"
            " sides; requests logged from WARNING on",
            "versions": f"Python {platform.python_version()}, PostgreSQL {server}, {os.cpu_count()} processors",
        }

    def close(self) -> None:
        """Stop the servers and remove everything."""
        if "runtime" in self.__dict__:
            self.runtime.engine.dispose()
        if self._servers is not None:
            self._servers.leave()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)


def _aboard(runtime: Runtime) -> Runtime:
    provision.ensure_operator(runtime)
    for slug in COUNTIES:
        provision.apply(runtime, load_profile(ROOT / "tenants" / slug))
    return runtime


def soon() -> datetime:
    """When what a benchmark signs in with ends."""
    return datetime.now(UTC) + timedelta(hours=12)
