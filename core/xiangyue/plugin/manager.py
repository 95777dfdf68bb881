"""Collects what features and plugins register, once per process."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

import pluggy

from xiangyue.access.permissions import PermissionRegistry
from xiangyue.i18n import add_catalogue
from xiangyue.plugin import hookspecs
from xiangyue.plugin.registry import Feature, JobKind, NavItem, ProfileSection, Schedule, WorkProvider


class Registry:
    """All registrations, in the order of registration."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.manager = pluggy.PluginManager(hookspecs.NAMESPACE)
        self.manager.add_hookspecs(hookspecs)
        for name in modules:
            self.manager.register(importlib.import_module(name), name=name)
        self.manager.check_pending()
        # pluggy answers last registered first.
        features: list[Feature] = list(reversed(self.manager.hook.register_feature()))
        self.features = features
        self.permissions = PermissionRegistry()
        for feature in features:
            self.permissions.add(feature.permissions)
            if feature.translations is not None:
                add_catalogue(feature.translations)

    def _all(self, attribute: str) -> Iterator[Any]:
        for feature in self.features:
            yield from getattr(feature, attribute)

    @property
    def navigation(self) -> list[NavItem]:
        return list(self._all("navigation"))

    @property
    def work(self) -> list[WorkProvider]:
        return list(self._all("work"))

    @property
    def jobs(self) -> dict[str, JobKind]:
        return {kind.key: kind for kind in self._all("jobs")}

    @property
    def schedules(self) -> list[Schedule]:
        return list(self._all("schedules"))

    @property
    def profile_sections(self) -> list[ProfileSection]:
        return sorted(self._all("profile_sections"), key=lambda s: s.position)

    @property
    def commands(self) -> list[Any]:
        return list(self._all("commands"))

    @property
    def actions(self) -> dict[str, Any]:
        """Words for the audit trail's actions."""
        return {key: label for feature in self.features for key, label in feature.actions.items()}

    def area_switch(self, uow: Any) -> Any:
        """The area switcher of the top bar, or None."""
        for feature in self.features:
            if feature.area_switch is not None:
                return feature.area_switch(uow)
        return None

    def role_template(self, key: str) -> frozenset[str]:
        """Union of what the features put into a template (county_admin, department, town, village, …)."""
        found: frozenset[str] = frozenset()
        for feature in self.features:
            found |= feature.role_templates.get(key, frozenset())
        return found

    def role_templates(self) -> dict[str, frozenset[str]]:
        keys = {key for feature in self.features for key in feature.role_templates}
        return {key: self.role_template(key) for key in sorted(keys)}
