"""Who acts: a person's account, one of its tokens, or the system on somebody's behalf."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Range, Scope, area_range, merge_ranges
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Grant:
    """One role held in one area."""

    role_key: str
    role_name: str
    permissions: frozenset[str]
    area_code: int
    role_name_en: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """``kind``: account, token, system, anonymous. ``token_scopes`` cut a token down to some permissions."""

    kind: str
    tenant_id: int
    account_id: int | None = None
    login: str = ""
    name: str = ""
    grants: tuple[Grant, ...] = ()
    token_scopes: frozenset[str] | None = None
    #: 15-digit code of the whole tenant; a grant on it (or on 0) reaches everything.
    tenant_area: int = 0
    locale: str = ""
    large_text: bool = False
    current_area: int = 0
    must_change_password: bool = False
    totp_enabled: bool = False
    totp_required: bool = False
    session_id: int | None = None
    token_id: int | None = None
    extra: dict[str, Any] = field(default_factory=dict, compare=False)

    def can(self, permission: Permission) -> bool:
        """Whether the actor has the right in any area at all."""
        return self.kind == "system" or bool(self._codes(permission))

    def _codes(self, permission: Permission) -> list[int]:
        if self.token_scopes is not None and not ({"*", permission.name} & self.token_scopes):
            return []
        return [g.area_code for g in self.grants if permission.name in g.permissions]

    def ranges(self, permission: Permission) -> tuple[Range, ...] | None:
        """Area ranges where the right holds; None for the whole tenant, () for nowhere."""
        if self.kind == "system":
            return None
        codes = self._codes(permission)
        if any(code in (0, self.tenant_area) for code in codes):
            return None
        return merge_ranges(area_range(code) for code in codes)

    def scope(self, permission: Permission) -> Scope:
        return Scope(self.tenant_id, self.ranges(permission))

    def area_codes(self) -> tuple[int, ...]:
        """The areas of all grants, for the area switcher."""
        return tuple(sorted({g.area_code or self.tenant_area for g in self.grants}))


#: What actors are called that are no person, by the name they write.
SYSTEM_NAMES: dict[str, Any] = {
    "": _l("The system"),
    "system": _l("The system"),
    "command line": _l("Command line"),
}
#: After the name of an operator's account that acts in a county.
FROM_CONSOLE = " @ operator"


def system_words(name: str) -> str | None:
    """Words for the name of an actor without an account in this county; None when it is a name as it stands."""
    words = SYSTEM_NAMES.get(name)
    if words is not None:
        return str(words)
    if name.endswith(FROM_CONSOLE):
        return _("%(name)s (operator)", name=name.removesuffix(FROM_CONSOLE))
    return None


def system_actor(tenant_id: int, name: str = "system") -> Actor:
    """Jobs, provisioning and the command line; it reaches the whole tenant and is named in the audit trail."""
    return Actor(kind="system", tenant_id=tenant_id, name=name)


def anonymous(tenant_id: int) -> Actor:
    """Nobody signed in: no right at all."""
    return Actor(kind="anonymous", tenant_id=tenant_id)
