"""What the core's features and a set of plugins offer together: the view that pages, jobs and lists read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

from xiangyue.access.permissions import PermissionRegistry
from xiangyue.plugin import registry as r
from xiangyue.plugin.manifest import Manifest
from xiangyue.plugin.registers import ImportRegister


@dataclass(frozen=True, slots=True, eq=False)
class Contributor:
    """A core feature or a plugin with what its ``register_*`` hooks returned (attribute of ``Offer`` -> value)."""

    key: str
    module: ModuleType
    manifest: Manifest | None = None
    offered: Mapping[str, Any] = field(default_factory=dict)

    @property
    def core(self) -> bool:
        return self.manifest is None


class Offer:
    """Registrations of some contributors, in their order. A county's is that of the core and its plugins."""

    def __init__(self, contributors: Sequence[Contributor]) -> None:
        self.contributors = tuple(contributors)

    def each(self, attribute: str) -> Iterator[tuple[Contributor, Any]]:
        """(contributor, registration) of one kind: who to blame for what it does."""
        for contributor in self.contributors:
            for item in contributor.offered.get(attribute, ()):
                yield contributor, item

    def _all(self, attribute: str) -> list[Any]:
        return [item for _contributor, item in self.each(attribute)]

    def has(self, key: str) -> bool:
        return any(c.key == key for c in self.contributors)

    @cached_property
    def permissions(self) -> PermissionRegistry:
        found = PermissionRegistry()
        found.add(self._all("permissions"))
        return found

    @cached_property
    def pages(self) -> list[Any]:
        return self._all("pages")

    @cached_property
    def api(self) -> list[Any]:
        return self._all("api")

    @cached_property
    def navigation_by(self) -> list[tuple[Contributor, r.NavItem]]:
        """Lines of the navigation in their order, each with whose it is."""
        return sorted(self.each("navigation"), key=lambda pair: pair[1].position)

    @cached_property
    def navigation(self) -> list[r.NavItem]:
        return [item for _contributor, item in self.navigation_by]

    @cached_property
    def work(self) -> list[r.WorkProvider]:
        return self._all("work")

    @cached_property
    def jobs(self) -> dict[str, r.JobKind]:
        return {kind.key: kind for kind in self._all("jobs")}

    @cached_property
    def schedules(self) -> list[r.Schedule]:
        return self._all("schedules")

    @cached_property
    def profile_sections(self) -> list[r.ProfileSection]:
        return sorted(self._all("profile_sections"), key=lambda section: section.position)

    @cached_property
    def commands(self) -> list[Any]:
        return self._all("commands")

    @cached_property
    def classifiers(self) -> dict[str, r.Classifier]:
        return {classifier.key: classifier for classifier in self._all("classifiers")}

    @cached_property
    def imports(self) -> dict[str, ImportRegister]:
        return {register.key: register for register in self._all("imports")}

    @cached_property
    def follows(self) -> list[r.Follows]:
        return self._all("follows")

    @cached_property
    def actions(self) -> dict[str, Any]:
        """Words for the audit trail's actions."""
        return self._merged("audit_actions")

    @cached_property
    def role_templates(self) -> dict[str, frozenset[str]]:
        """Template (county_admin, department, town, village …) -> names of permissions from all contributors."""
        found: dict[str, frozenset[str]] = {}
        for contributor in self.contributors:
            for key, names in contributor.offered.get("role_templates", {}).items():
                found[key] = found.get(key, frozenset()) | names
        return dict(sorted(found.items()))

    def _merged(self, attribute: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for contributor in self.contributors:
            found |= contributor.offered.get(attribute, {})
        return found
