"""Random tokens: sessions, API tokens, one-time links.

A token reads ``xyt_`` + 32 characters of randomness (190 bits) + 6 characters of checksum. The prefix lets
scanners of source code recognise a leaked one; the checksum tells a typing error without asking the database.
Only the SHA-256 is stored: with that much randomness a slow hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib

SESSION_PREFIX = "xys_"
API_PREFIX = "xyt_"
LINK_PREFIX = "xyl_"
PREFIXES = (SESSION_PREFIX, API_PREFIX, LINK_PREFIX)

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 32
_CHECK = 6
_LENGTH = 4 + _RANDOM + _CHECK


def new_token(prefix: str) -> tuple[str, bytes]:
    """(the token, shown once; its 32-byte hash, stored). ``prefix`` is one of PREFIXES."""
    if prefix not in PREFIXES:
        raise ValueError(f"unknown kind of token {prefix!r}")
    body = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    token = body + _checksum(body)
    return token, hash_token(token)


def hash_token(token: str) -> bytes:
    """SHA-256 of a token: what to look up. Use ``token_hash`` for text that came from outside."""
    return hashlib.sha256(token.encode()).digest()


def token_hash(text: str | None, prefix: str) -> bytes | None:
    """The hash to look up for text from outside, or None if it cannot be such a token (typo, cut off)."""
    return hash_token(text) if text and is_token(text, prefix) else None


def is_token(text: str, prefix: str) -> bool:
    """Whether the text has the form and checksum of such a token. Says nothing about its being valid."""
    if len(text) != _LENGTH or not text.isascii() or not text.startswith(prefix):
        return False
    return hmac.compare_digest(text[-_CHECK:], _checksum(text[:-_CHECK]))


def matches(text: str, stored: bytes) -> bool:
    """Constant-time comparison of a token with a stored hash."""
    return hmac.compare_digest(hash_token(text), stored)


def hint(token: str) -> str:
    """What a list of tokens may show of one: ``xyt_…f3Qa``, part of the checksum only."""
    return f"{token[:4]}…{token[-4:]}"


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
