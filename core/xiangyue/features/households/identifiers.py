"""Citizen numbers and phones: encrypted with the county's key, found again by a keyed hash, shown masked."""

from __future__ import annotations

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, decrypt_text, encrypt
from xiangyue.features.households.bulk_stage import ID_NUMBER, PHONE
from xiangyue.text import idnumber
from xiangyue.text.phone import mask_phone

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


__all__ = ["ID_NUMBER", "PHONE", "in_full", "masked", "sealed"]
