"""Keyset paging: a cursor is the sort values and id of the last row shown, opaque to the client."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from xiangyue.errors import Invalid
from xiangyue.i18n import lazy_gettext as _l


def encode_cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> list[Any]:
    """The values of a cursor made by encode_cursor with ``size`` values. Raises Invalid on ``cursor``."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list) or len(values) != size:
        raise unreadable()
    return values


def decode_ids(cursor: str, size: int = 1) -> list[int]:
    """The same where all values are ids or codes. Raises Invalid on ``cursor`` for anything that no row can have."""
    values = decode_cursor(cursor, size)
    if not all(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 for value in values):
        raise unreadable()
    return values


def unreadable(field: str = "cursor") -> Invalid:
    """A page marker that we never gave."""
    return Invalid({field: [_l("This page marker is not readable. Start again from the first page.")]})
