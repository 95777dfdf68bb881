"""Every route says who may reach it; an undeclared one stops start-up.

The decorators only mark the view; ``web.pipeline`` enforces the mark before the view runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from xiangyue.access.permissions import Permission

V = TypeVar("V", bound=Callable[..., Any])

Who = Literal["anywhere", "public", "pending", "signed_in", "permission"]


@dataclass(frozen=True, slots=True)
class AccessMark:
    """``who``: anywhere (any host, no tenant: probes, assets), public (a tenant's, no account needed), pending (also
    with the second factor or a password change still owed), signed_in, or permission. ``site`` None means both kinds
    of tenant."""

    who: Who
    permission: Permission | None = None
    site: str | None = "county"


def _mark(view: V, mark: AccessMark) -> V:
    view.__access__ = mark  # type: ignore[attr-defined]
    return view


def requires(permission: Permission) -> Callable[[V], V]:
    """Only those who have ``permission`` somewhere; inside the view the scope is where they have it."""
    site = None if permission.site == "both" else permission.site
    return lambda view: _mark(view, AccessMark("permission", permission, site))


def signed_in(view: V) -> V:
    """Anyone with an account of this tenant: one's own things."""
    return _mark(view, AccessMark("signed_in", site=None))


def sign_in_pending(view: V) -> V:
    """Also reachable when the second factor or a new password is still owed."""
    return _mark(view, AccessMark("pending", site=None))


def public(view: V) -> V:
    """Anyone at a known host, without an account."""
    return _mark(view, AccessMark("public", site=None))


def anywhere(view: V) -> V:
    """Any host, no tenant: probes and static assets."""
    return _mark(view, AccessMark("anywhere", site=None))


def mark_of(view: Any) -> AccessMark | None:
    mark: AccessMark | None = getattr(view, "__access__", None)
    return mark
