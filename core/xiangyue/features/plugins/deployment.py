"""Plugins of the whole deployment: where each is on, and the time spent in its hooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.plugins.queries import recent_faults
from xiangyue.i18n import N_, pick
from xiangyue.jobs.metrics import hook_seconds
from xiangyue.plugin.models import TenantPlugin
from xiangyue.runtime import Runtime
from xiangyue.tenancy.cross import each_tenant
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.web.metrics import REGISTRY, multiprocess_folder

#: Histogram of ``plugin.dispatch``, labels plugin and hook.
HOOK_SECONDS = "xiangyue_hook_seconds"
#: So many counties are looked at for a page.
COUNTIES = 50
SPREAD_READ = N_("which counties have plugins on, and how many faults")


@dataclass(frozen=True, slots=True)
class InCounty:
    """A plugin in one county: whether it is on and how many faults it had lately; nothing of what they say."""

    county: TenantInfo
    enabled: bool
    faults: int

    @property
    def name(self) -> str:
        return pick(self.county.name, self.county.name_en)


@dataclass(frozen=True, slots=True)
class Spread:
    """What a look at some counties found, in the order of their names in addresses.

    ``first`` to ``last`` of ``total`` counties were looked at, counted from 1; ``after`` leads to those that follow,
    None at the end.
    """

    plugins: Mapping[str, list[InCounty]]
    first: int
    last: int
    total: int
    after: str | None

    @property
    def whole(self) -> bool:
        """Whether all counties were looked at."""
        return self.last - self.first + 1 >= self.total

    def on(self, name: str) -> int:
        """In how many of these counties a plugin is on."""
        return sum(1 for county in self.plugins.get(name, ()) if county.enabled)

    def faults(self, name: str) -> int:
        return sum(county.faults for county in self.plugins.get(name, ()))


def spread(runtime: Runtime, uow: Uow, after: str = "") -> Spread:
    """By plugin, the counties that have it on or that it had faults in, among the ``COUNTIES`` that follow the slug
    ``after``: one visit of each of them, told in the operator's trail. No statement reaches several counties, so that
    a look at all of thousands would be thousands of visits."""
    known = sorted(runtime.directory.all(counties_only=True), key=lambda county: county.slug)
    start = sum(1 for county in known if county.slug <= after)
    start = start if start < len(known) else 0  # an address that is past the last one begins again
    chosen = known[start : start + COUNTIES]
    found: dict[str, list[InCounty]] = {}
    with each_tenant(runtime, reason=SPREAD_READ, actor=uow.actor, info=uow.info, tenants=chosen) as visits:
        for county, inside in visits:
            on = set(inside.session.scalars(select(TenantPlugin.name).where(TenantPlugin.enabled)))
            faults = recent_faults(inside)
            for name in on | faults.keys():
                found.setdefault(name, []).append(InCounty(county, name in on, faults.get(name, 0)))
    end = start + len(chosen)
    return Spread(found, start + 1, end, len(known), chosen[-1].slug if chosen and end < len(known) else None)


@dataclass(slots=True)
class HookTime:
    """Time spent in one hook of one plugin: in pages since the servers started, over all their processes, and in
    background work of all workers.

    ``most``: an upper bound of the longest call in seconds, as fine as the histogram's buckets; None beyond the last.
    """

    hook: str
    calls: int = 0
    seconds: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return self.seconds / self.calls if self.calls else 0.0

    @property
    def most(self) -> float | None:
        bound = min((le for le, count in self.buckets.items() if count >= self.calls), default=float("inf"))
        return None if bound == float("inf") else bound


def _numbers() -> CollectorRegistry:
    """Those of all processes of this machine where they share a folder, else of this one."""
    folder = multiprocess_folder()
    if not folder:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    return registry


def hook_times(runtime: Runtime) -> dict[str, list[HookTime]]:
    """By plugin, its hooks, the most expensive first."""
    found: dict[tuple[str, str], HookTime] = {}
    in_pages = [family for family in _numbers().collect() if family.name == HOOK_SECONDS]
    for family in (*in_pages, hook_seconds(runtime)):
        for sample in family.samples:
            key = sample.labels.get("plugin", ""), sample.labels.get("hook", "")
            time = found.setdefault(key, HookTime(key[1]))
            if sample.name.endswith("_count"):
                time.calls += int(sample.value)
            elif sample.name.endswith("_sum"):
                time.seconds += sample.value
            elif sample.name.endswith("_bucket"):
                bound = float(sample.labels["le"])
                time.buckets[bound] = time.buckets.get(bound, 0) + sample.value
    by_plugin: dict[str, list[HookTime]] = {}
    for (plugin, _hook), time in sorted(found.items(), key=lambda item: -item[1].seconds):
        if time.calls:
            by_plugin.setdefault(plugin, []).append(time)
    return by_plugin


def total(times: Iterable[HookTime]) -> HookTime:
    """All hooks of a plugin together."""
    made = HookTime("")
    for time in times:
        made.calls += time.calls
        made.seconds += time.seconds
    return made
