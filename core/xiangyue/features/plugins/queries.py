"""Reads of plugins: how each stands in a county, its faults, the rows it keeps, its tables' state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from xiangyue.db.plugin_tables import count_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import Installed
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.models import PluginFault, PluginInstallation, TenantPlugin

#: A fault counts as recent for so long.
LATELY = timedelta(days=7)

WORKS = "works"
OFF = "off"
#: On, but left out: it is broken, incompatible, refused or without its tables.
FAILED = "failed"
#: On, but another plugin that it needs is off or left out.
WAITS = "waits"
#: The county has it on, or kept its settings; the deployment has it no more.
GONE = "gone"

STATES: dict[str, Any] = {
    WORKS: _l("On"),
    OFF: _l("Off"),
    FAILED: _l("On, but left out"),
    WAITS: _l("On, but waits for another plugin"),
    GONE: _l("Not installed any more"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A plugin in a county. ``needs``: plugins it requires that do not work here; ``needed_by``: those that are on and
    require it. ``faults``: how often something went wrong in it lately."""

    name: str
    installed: Installed | None
    row: TenantPlugin | None
    faults: int = 0
    needs: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        return self.row is not None and self.row.enabled

    @property
    def version(self) -> int:
        """Of the county's row, for lost updates; 0 before there is one."""
        return self.row.version if self.row is not None else 0

    @property
    def label(self) -> Any:
        return self.installed.label if self.installed is not None else self.name

    @property
    def summary(self) -> Any:
        manifest = self.installed.manifest if self.installed is not None else None
        return manifest.summary if manifest is not None else ""

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.installed is None:
            return GONE
        if not self.enabled:
            return OFF
        if not self.installed.ready:
            return FAILED
        return WAITS if self.needs else WORKS

    @property
    def can_be_on(self) -> bool:
        return self.installed is not None and self.installed.ready and not self.needs

    @property
    def reason(self) -> Any:
        """Why it cannot be on or does not work; "" when nothing is in the way."""
        if self.installed is None:
            return _l("Its distribution is not installed any more. Settings and data are kept.")
        if not self.installed.ready:
            return self.installed.reason
        if self.needs:
            return _l("It needs a plugin that is not on here: %(names)s.", names=join_words(self.needs))
        return ""

    @property
    def can_be_off(self) -> bool:
        """Not while another that is on requires it."""
        return not self.needed_by


def county_plugins(uow: Uow) -> list[TenantPlugin]:
    """The county's rows: plugins that it has on or had on, in their turn."""
    return list(uow.session.scalars(select(TenantPlugin).order_by(TenantPlugin.position, TenantPlugin.id)))


def standings(uow: Uow, registry: Registry) -> list[Standing]:
    """All plugins that are installed or that the county ever had: those that are on first, in their turn."""
    rows = {row.name: row for row in county_plugins(uow)}
    faults = recent_faults(uow)
    on = {name for name, row in rows.items() if row.enabled}
    working = {name for name in on if registry.ready(name)}
    required = {name: _required(installed) for name, installed in registry.installed.items()}
    found = [
        Standing(
            name=name,
            installed=registry.installed.get(name),
            row=rows.get(name),
            faults=faults.get(name, 0),
            needs=tuple(n for n in required.get(name, ()) if n not in working),
            needed_by=tuple(sorted(n for n in on if name in required.get(n, ()))),
        )
        for name in {*registry.installed, *rows}
    ]
    return sorted(found, key=lambda s: (not s.enabled, s.row.position if s.enabled and s.row else 0, s.name))


def _required(installed: Installed) -> tuple[str, ...]:
    return installed.manifest.requires if installed.manifest is not None else ()


def standing(uow: Uow, registry: Registry, name: str) -> Standing:
    """One plugin in the county. Raises NotFound for a name that neither is installed nor ever was on."""
    for found in standings(uow, registry):
        if found.name == name:
            return found
    raise NotFound(_l("There is no plugin of this name."))


def recent_faults(uow: Uow) -> dict[str, int]:
    """How often something went wrong lately, by plugin."""
    since = datetime.now(UTC) - LATELY
    counted = (
        select(PluginFault.plugin, func.sum(PluginFault.count))
        .where(PluginFault.last_at >= since)
        .group_by(PluginFault.plugin)
    )
    return {row[0]: int(row[1]) for row in uow.session.execute(counted)}


def faults_of(uow: Uow, name: str, limit: int = 20) -> list[PluginFault]:
    """The last faults of a plugin in the county, newest first."""
    found = select(PluginFault).where(PluginFault.plugin == name).order_by(PluginFault.last_at.desc(), PluginFault.id)
    return list(uow.session.scalars(found.limit(limit)))


def installations(uow: Uow) -> Mapping[str, PluginInstallation]:
    """How far each plugin's tables are, by its name."""
    return {row.name: row for row in uow.session.scalars(select(PluginInstallation))}


def kept_rows(uow: Uow, name: str) -> list[tuple[str, int]]:
    """(table, rows of this county) of a plugin's tables, also of one that is not installed any more."""
    return sorted(count_rows(uow.session, f"plugin_{name}").items())
