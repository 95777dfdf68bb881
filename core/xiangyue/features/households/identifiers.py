"""Citizen numbers and phones: encrypted with the county's key, found again by a keyed hash, shown masked.

A citizen number that somebody searches for must not stand in an address: addresses live on in histories, bookmarks
and logs of proxies. So the forms that search send by POST and are answered by a redirect to an address in which the
number is replaced by its **seal**, ``q=~<32 hex digits>``: the keyed hash it is found by anyway, worthless in another
county and to anybody without the right to look people up. The seal is an ordinary search word, so that paging,
sorting, saved columns and export work with it, and no script is needed. An address that holds a number all the same
(typed by hand, an old bookmark) is answered by the same redirect. Nothing is stored.
"""

from __future__ import annotations

import re
from typing import Final

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, decrypt_text, encrypt
from xiangyue.features.households.bulk_stage import ID_NUMBER, PHONE, tail_index
from xiangyue.text import idnumber
from xiangyue.text.folding import half_width
from xiangyue.text.phone import mask_phone

SEAL = "~"
_SEALED = re.compile(r"~[0-9a-f]{32}")
_TAIL: Final = re.compile(r"[0-9]{3}[0-9X]", re.ASCII)

_MASKS = {ID_NUMBER: idnumber.mask, PHONE: mask_phone}


def _context(tenant_id: int, column: str) -> bytes:
    return column_context(tenant_id, f"person.{column}")


def sealed(keys: TenantKeys, tenant_id: int, column: str, value: str) -> tuple[bytes | None, bytes | None]:
    """(encrypted, keyed hash) of a citizen number or phone; nothing for ""."""
    if not value:
        return None, None
    return encrypt(keys, value, _context(tenant_id, column)), blind_index(keys, column, value)


def in_full(keys: TenantKeys, tenant_id: int, column: str, value: bytes | None) -> str:
    """The full value, "" for none. Whoever shows it writes an audit entry."""
    return "" if value is None else decrypt_text(keys, value, _context(tenant_id, column))


def masked(keys: TenantKeys | None, tenant_id: int, column: str, value: bytes | None) -> str:
    """``610921********34``, ``138****2091``; "" for none, dots without the keys."""
    if value is None:
        return ""
    return "•••" if keys is None else _MASKS[column](in_full(keys, tenant_id, column, value))


def id_number_of(q: str) -> str:
    """The search word as a citizen number (18 characters), or "" when it is none."""
    text = idnumber.plain(q)
    return text if len(text) == 18 and idnumber.tells_number(text) else ""


def seal_word(keys: TenantKeys, q: str) -> str:
    """The search word with a citizen number replaced by its seal; other words as they are. Numbers of 17
    digits are sealed too (and find nobody): no household's code is that long."""
    return SEAL + blind_index(keys, ID_NUMBER, idnumber.plain(q)).hex() if idnumber.tells_number(q) else q


def is_seal(q: str) -> bool:
    return _SEALED.fullmatch(q) is not None


def number_index(keys: TenantKeys | None, q: str) -> bytes | None:
    """The keyed hash to look for when ``q`` is a seal or, with ``keys``, a citizen number; otherwise None."""
    if is_seal(q):
        return bytes.fromhex(q[1:])
    number = id_number_of(q)
    return blind_index(keys, ID_NUMBER, number) if number and keys is not None else None


def tail_of(q: str) -> str:
    """The search word as the last four characters of a citizen number or phone, "" when it is none."""
    text = half_width(q).strip().upper()
    return text if _TAIL.fullmatch(text) else ""


__all__ = [
    "ID_NUMBER",
    "PHONE",
    "id_number_of",
    "in_full",
    "is_seal",
    "masked",
    "number_index",
    "seal_word",
    "sealed",
    "tail_index",
    "tail_of",
]
