"""Who may do what: rights, the marks of views and services, and the audit trail."""

from __future__ import annotations

from xiangyue.access.actor import Actor, system_actor
from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.access.permissions import Permission
from xiangyue.access.sensitive import needs_purpose, sensitive_ranges
from xiangyue.web.access import public, requires, signed_in

__all__ = [
    "Actor",
    "Permission",
    "acts",
    "audit",
    "changed",
    "needs_purpose",
    "public",
    "requires",
    "sensitive_ranges",
    "signed_in",
    "system_actor",
]
