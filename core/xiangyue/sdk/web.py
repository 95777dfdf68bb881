"""Pages: what a view knows of its request, the shell, and the values that component macros take."""

from __future__ import annotations

from xiangyue.web.components import (
    BulkAction,
    Chart,
    Column,
    ConflictRow,
    Filter,
    FormView,
    ListView,
    Series,
    TimelineItem,
)
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow, is_fragment
from xiangyue.web.shell import flash, here, page, safe_next

__all__ = [
    "BulkAction",
    "Chart",
    "Column",
    "ConflictRow",
    "Filter",
    "FormView",
    "ListView",
    "Series",
    "TimelineItem",
    "current_actor",
    "current_tenant",
    "current_uow",
    "flash",
    "here",
    "is_fragment",
    "page",
    "safe_next",
]
