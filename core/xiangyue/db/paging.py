"""Keyset paging: a cursor is the sort values and id of the last row shown, opaque to the client."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

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
    return decode_as(cursor, *[int] * size)


def decode_as(cursor: str, *kinds: type, field: str = "cursor") -> list[Any]:
    """The values of a cursor made by encode_cursor, one of each kind: int, str, bool, date, datetime or UUID.

    Raises Invalid on ``field`` for anything that no row can have. TypeError for another kind: a mistake of ours.
    """
    readers = [_READERS.get(kind) for kind in kinds]
    if None in readers:
        raise TypeError(f"kinds of a cursor's values are {', '.join(kind.__name__ for kind in _READERS)}")
    try:
        values = decode_cursor(cursor, len(kinds))
        return [read(value) for read, value in zip(readers, values, strict=True) if read is not None]
    except (Invalid, ValueError, TypeError):
        raise unreadable(field) from None


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:  # PostgreSQL holds no such text
        raise ValueError
    value.encode()  # nor half a character
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


_READERS: Mapping[type, Callable[[Any], Any]] = {
    int: _int,
    str: _text,
    bool: _bool,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    UUID: lambda value: UUID(_text(value)),
}


def unreadable(field: str = "cursor") -> Invalid:
    """A page marker that we never gave."""
    return Invalid({field: [_l("This page marker is not readable. Start again from the first page.")]})
