"""All that is installed in this process, and what of it a county sees."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from xiangyue.i18n import add_catalogue
from xiangyue.plugin import hookspecs
from xiangyue.plugin.installed import Installed
from xiangyue.plugin.offer import Contributor, Offer


class Registry(Offer):
    """Everything registered, in the order of registration: the core's features, then plugins.

    ``offer(names)`` is what a county with these plugins on sees. ``installed``: every plugin distribution that was
    found, also those that could not be taken in (``plugin.load``).
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self.manager = pluggy.PluginManager(hookspecs.NAMESPACE)
        for family in hookspecs.FAMILIES:
            self.manager.add_hookspecs(family)
        self.installed: dict[str, Installed] = {}
        super().__init__([self._feature(importlib.import_module(name)) for name in modules])
        self.manager.check_pending()
        self.offer = lru_cache(maxsize=256)(self._offer)

    def _feature(self, module: ModuleType) -> Contributor:
        """A feature of the core: what it does wrong stops the start."""
        key = module.__name__.split(".")[-2]
        self.manager.register(module, name=key)
        offered = {
            attribute: implementation.function()
            for hook, attribute in hookspecs.REGISTRATIONS.items()
            for implementation in getattr(self.manager.hook, hook).get_hookimpls()
            if implementation.plugin_name == key
        }
        words = Path(str(module.__file__)).parent / "translations"
        if words.is_dir():
            add_catalogue(words)
        return Contributor(key, module, offered=offered)

    @cached_property
    def retired(self) -> dict[str, Any]:
        """Words for keys that plugins no longer have but whose rows are still there (``Manifest.retired``)."""
        manifests = [c.manifest for c in self.contributors if c.manifest is not None]
        return {key: label for manifest in manifests for key, label in manifest.retired.items()}

    @cached_property
    def actions(self) -> dict[str, Any]:
        """Of everything installed, on or off, and of what was: the trail outlives it."""
        return {**self.retired, **self._merged("audit_actions")}

    def job_label(self, key: str) -> Any:
        """What a kind of job is called, on or off; its key when what brought it is gone."""
        kind = self.jobs.get(key)
        return kind.label if kind is not None else self.retired.get(key, key)

    def add(self, contributor: Contributor) -> None:
        """Take in one more, behind the others; its claims were checked (``plugin.claims``)."""
        self.take((*self.contributors, contributor))

    def remove(self, name: str) -> None:
        """Take a plugin's hooks and registrations out, as far as it got."""
        module = self.manager.get_plugin(name)
        if module is not None and not any(c.core and c.key == name for c in self.contributors):
            self.manager.unregister(module, name=name)
        self.take(c for c in self.contributors if c.core or c.key != name)

    def mark(self, name: str, state: str, reason: Any = "") -> None:
        """Note how an installed plugin stands now. Only ready ones are in offers."""
        installed = self.installed[name]
        installed.state, installed.reason = state, reason
        self.offer.cache_clear()

    def take(self, contributors: Iterable[Contributor]) -> None:
        """These and no others from now on."""
        self.contributors = tuple(contributors)
        for name in [name for name in self.__dict__ if isinstance(getattr(type(self), name, None), cached_property)]:
            del self.__dict__[name]
        self.offer.cache_clear()

    def ready(self, name: str) -> bool:
        installed = self.installed.get(name)
        return installed is not None and installed.ready

    def _offer(self, names: tuple[str, ...]) -> Offer:
        """The core, then these plugins in this order, as far as they are ready."""
        plugins = {c.key: c for c in self.contributors if not c.core}
        wanted = [plugins[name] for name in names if name in plugins and self.ready(name)]
        return Offer([*(c for c in self.contributors if c.core), *wanted])
