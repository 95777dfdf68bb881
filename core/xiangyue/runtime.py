"""The parts of one process, put together once: settings, engine, tenant directory, registry, redis, keys, files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from sqlalchemy import Engine

from xiangyue.access.actor import Actor, system_actor
from xiangyue.access.crypto import TenantKeys
from xiangyue.access.kek import KekProvider, kek_provider
from xiangyue.access.keys import TenantKeyRing
from xiangyue.access.ratelimit import RateLimiter
from xiangyue.config import Settings
from xiangyue.db.session import make_engine
from xiangyue.db.uow import Uow
from xiangyue.files.storage import Storage
from xiangyue.files.storage import storage as open_storage
from xiangyue.i18n import add_catalogue
from xiangyue.plugin.dispatch import lend
from xiangyue.plugin.installed import UNMIGRATED
from xiangyue.plugin.load import discover
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.migrations import check_tables
from xiangyue.plugin.offer import Offer
from xiangyue.tenancy.directory import Directory
from xiangyue.tenancy.enablement import enabled_names

if TYPE_CHECKING:
    import redis

#: The core's own features, in the order of registration; plugins follow.
FEATURES = (
    "xiangyue.features.today.plugin",
    "xiangyue.features.areas.plugin",
    "xiangyue.features.households.plugin",
    "xiangyue.features.grids.plugin",
    "xiangyue.features.household_groups.plugin",
    "xiangyue.features.callouts.plugin",
    "xiangyue.features.drafts.plugin",
    "xiangyue.features.classifications.plugin",
    "xiangyue.features.duplicates.plugin",
    "xiangyue.features.facts.plugin",
    "xiangyue.features.imports.plugin",
    "xiangyue.features.cockpit.plugin",
    "xiangyue.features.accounts.plugin",
    "xiangyue.features.audit.plugin",
    "xiangyue.features.jobs.plugin",
    "xiangyue.features.files.plugin",
    "xiangyue.features.views.plugin",
    "xiangyue.features.privacy.plugin",
    "xiangyue.features.organisations.plugin",
    "xiangyue.features.settings.plugin",
    "xiangyue.features.plugins.plugin",
    "xiangyue.features.console.plugin",
    "xiangyue.features.demo.plugin",
)

#: Rooms whose own messages are shown to people; features bring theirs by registration.
ROOMS_WITH_WORDS = ("web", "api", "db", "access", "files", "jobs", "plugin", "tenancy", "text")

#: Between two looks at the tables of a plugin that is on and lacks them.
CHECK_SECONDS = 5.0

_BY_ENGINE: WeakValueDictionary[int, Runtime] = WeakValueDictionary()


@dataclass
class Runtime:
    """Shared by the web, the workers and the command line. Everything expensive is made on first use."""

    settings: Settings
    features: tuple[str, ...] = FEATURES
    #: Which plugins' tables were looked at, and when.
    _checked: tuple[tuple[str, ...], float] = field(default=((), 0.0), init=False, repr=False)

    @cached_property
    def engine(self) -> Engine:
        s = self.settings
        made = make_engine(
            s.database_url,
            pool_size=s.pool_size,
            statement_timeout_ms=s.statement_timeout_ms,
            behind_pgbouncer=s.behind_pgbouncer,
        )
        _BY_ENGINE[id(made)] = self  # the runtime keeps its engine alive, so the id stays its own
        return made

    @cached_property
    def directory(self) -> Directory:
        return Directory(self.engine, self.settings.base_domain)

    @cached_property
    def registry(self) -> Registry:
        for room in ROOMS_WITH_WORDS:
            add_catalogue(Path(__file__).parent / room / "translations")
        made = Registry(self.features)
        discover(made, self.settings.plugins)
        return made

    @cached_property
    def redis(self) -> redis.Redis:
        import redis

        return redis.Redis.from_url(self.settings.redis_url)

    @cached_property
    def limiter(self) -> RateLimiter:
        return RateLimiter(self.settings.redis_url, prefix=self.settings.cookie_suffix)

    @cached_property
    def kek(self) -> KekProvider:
        return kek_provider(self.settings)

    @cached_property
    def keys(self) -> TenantKeyRing:
        return TenantKeyRing(self.kek)

    @cached_property
    def storage(self) -> Storage:
        return open_storage(self.settings)

    def tenant_keys(self, uow: Uow) -> TenantKeys:
        """Data and index key of the unit of work's tenant."""
        return self.keys.of(uow)

    def check_plugins(self, uow: Uow, names: tuple[str, ...] | None = None) -> None:
        """Find out which plugins' tables are at their newest revision. Cheap: asked once, and again after a while as
        long as one of ``names`` lacks its tables. Without ``names``: ask now."""
        installed = self.registry.installed
        now = time.monotonic()
        if names is not None and self._checked[0] == tuple(installed):
            lacking = any(name in installed and installed[name].state == UNMIGRATED for name in names)
            if not lacking or now - self._checked[1] < CHECK_SECONDS:
                return
        self._checked = (tuple(installed), now)
        check_tables(uow.session, self.registry)

    @contextmanager
    def uow(self, tenant_id: int, *, actor: Actor | None = None, **options: Any) -> Iterator[Uow]:
        """A unit of work outside a request: committed at the end, rolled back on an error."""
        with Uow(self.engine, tenant_id=tenant_id, actor=actor or system_actor(tenant_id), **options) as uow:
            yield uow


def runtime_of(uow: Uow) -> Runtime | None:
    """The runtime whose engine a unit of work stands on: for what must leave the process after the commit."""
    return _BY_ENGINE.get(id(uow.bind.engine))


_OFFER = "offer"


def offer_of(uow: Uow) -> Offer:
    """What the core and the county's plugins offer, for this unit of work; without a runtime, the core alone."""
    names = enabled_names(uow)
    known: tuple[tuple[str, ...], Offer] | None = uow.session.info.get(_OFFER)
    if known is not None and known[0] == names:
        return known[1]
    runtime = runtime_of(uow)
    if runtime is not None:
        runtime.check_plugins(uow, names)
    offer = _core() if runtime is None else runtime.registry.offer(names)
    uow.session.info[_OFFER] = (names, offer)
    return offer


def installed_offer(uow: Uow) -> Offer:
    """What the core and every installed plugin whose tables are there offer, whether on in the county or not."""
    runtime = runtime_of(uow)
    if runtime is None:
        return _core()
    runtime.check_plugins(uow)
    return runtime.registry.offer(tuple(runtime.registry.installed))


lend(offer_of=offer_of, installed_offer=installed_offer)


@lru_cache(maxsize=1)
def _core() -> Offer:
    return Registry(FEATURES).offer(())
