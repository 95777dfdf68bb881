"""Sensitive facts (敏感个人信息, 个人信息保护法 第二十八条) are read for a stated purpose only.

Somebody with the right says once what it is for (a form, or the header ``X-Purpose`` of the API); until then the right
reaches nothing. Whoever then reads is in the audit trail with that purpose.
"""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Range
from xiangyue.db.uow import Uow

#: Characters of a purpose.
SHORTEST, LONGEST = 2, 200


def needs_purpose(uow: Uow) -> bool:
    """Whether a purpose would open more: a person (or their token) is asking and has stated none."""
    return uow.actor.kind in ("account", "token") and not uow.info.purpose


def sensitive_ranges(uow: Uow, permission: Permission) -> tuple[Range, ...] | None:
    """Where the actor may read what ``permission`` guards: areas, None for everywhere, () for nowhere (yet)."""
    return () if needs_purpose(uow) else uow.actor.ranges(permission)
