"""The API: blueprints, lists by cursor, and changes by version."""

from __future__ import annotations

from xiangyue.api.lists import (
    ListArgs,
    chosen_fields,
    list_response,
    may_take_version,
    required_version,
    set_etag,
    takes_version,
)
from xiangyue.api.setup import ApiBlueprint

__all__ = [
    "ApiBlueprint",
    "ListArgs",
    "chosen_fields",
    "list_response",
    "may_take_version",
    "required_version",
    "set_etag",
    "takes_version",
]
