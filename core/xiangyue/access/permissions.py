"""Permission objects. A role holds their names; a route or a service function declares one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from xiangyue.errors import Forbidden, XiangyueError
from xiangyue.i18n import lazy_gettext as _l


class UnknownPermission(XiangyueError):
    """A name that no feature declared: stops start-up."""


@dataclass(frozen=True, slots=True)
class Permission:
    """``name`` like ``household.edit``; ``label`` lazy text; ``site`` is where it applies (county, operator or both).

    ``sensitive`` rights are never part of a role template but the county administrator's, and reading through them
    writes an audit row.
    """

    name: str
    label: Any = field(compare=False)
    site: str = "county"
    sensitive: bool = False
    group: Any = field(default="", compare=False)


def lacking(permission: Permission) -> Forbidden:
    """What is raised for somebody who has not this right."""
    return Forbidden(
        _l("You do not have the right “%(right)s”.", right=str(permission.label)), permission=permission.name
    )


class PermissionRegistry:
    """All permissions that the installed features and plugins declare."""

    def __init__(self) -> None:
        self._by_name: dict[str, Permission] = {}

    def add(self, permissions: Iterable[Permission]) -> None:
        for permission in permissions:
            known = self._by_name.setdefault(permission.name, permission)
            if known is not permission:
                raise UnknownPermission(f"permission {permission.name!r} is declared twice")

    def require(self, permission: Permission, where: str) -> None:
        """Refuse a permission nobody registered. ``where`` names the route or function."""
        if self._by_name.get(permission.name) is not permission:
            raise UnknownPermission(f"{where}: permission {permission.name!r} is not registered")

    def all(self, site: str | None = None) -> list[Permission]:
        return [p for p in self._by_name.values() if site is None or p.site in (site, "both")]

    def names(self, site: str | None = None) -> frozenset[str]:
        return frozenset(p.name for p in self.all(site))

    def get(self, name: str) -> Permission | None:
        return self._by_name.get(name)
