"""Encryption of personal identifiers, per county.

Each county has a data key (encrypts) and an index key (finds again). Both exist in the database only wrapped
by the key-encryption key of ``kek``. An encrypted value is

    1 byte algorithm · 4 bytes key id · 12 bytes nonce · ciphertext · 16 bytes tag

and is bound to its county and column by the associated data: copied elsewhere, it does not open.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from typing import NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xiangyue.access.kek import KekProvider

AES_GCM = 1
SM4_GCM = 2
INDEX_BYTES = 16

_KEY_BYTES = 32
_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
#: Nonces that a `sealer` draws at a time.
_NONCES = 256
_HEADER_BYTES = 1 + _ID_BYTES
_OVERHEAD = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
_BUNDLE_FORMAT = 1
#: Bytes that SHA-256 takes at a time.
_BLOCK = 64


class CryptoError(Exception):
    """A value does not open: other county, other column, unknown key, unknown algorithm, or altered."""


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> _Hash: ...


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class _Sm4Gcm:
    """SM4 (GB/T 32907) in GCM with the same interface as AESGCM; its 128-bit key is derived from ours."""

    def __init__(self, data_key: bytes) -> None:
        self._key = hashlib.sha256(b"xiangyue sm4-gcm" + data_key).digest()[:16]

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        body = encryptor.update(data) + encryptor.finalize()
        return body + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        body, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(body) + decryptor.finalize()


_ALGORITHMS: dict[int, type[AESGCM] | type[_Sm4Gcm]] = {AES_GCM: AESGCM, SM4_GCM: _Sm4Gcm}


class TenantKeys:
    """One county's keys, unwrapped, for as long as a process needs them.

    ``previous`` are former data keys that still open old values. ``algorithm`` is what new values are written
    with; reading follows the value. Never printed, never pickled (so never in a queue).
    """

    __slots__ = ("_ciphers", "_halves", "_head", "_seal", "algorithm", "data_key", "index_key", "previous")

    def __init__(
        self, data_key: bytes, index_key: bytes, previous: tuple[bytes, ...] = (), algorithm: int = AES_GCM
    ) -> None:
        if any(len(key) != _KEY_BYTES for key in (data_key, index_key, *previous)):
            raise CryptoError(f"county keys have {_KEY_BYTES} bytes")
        if algorithm not in _ALGORITHMS:
            raise CryptoError(f"unknown algorithm {algorithm}")
        self.data_key = data_key
        self.index_key = index_key
        self.previous = previous
        self.algorithm = algorithm
        # The cipher objects are made once: building one costs more than encrypting a name with it.
        self._ciphers: dict[bytes, _Aead] = {
            bytes([number]) + _id_of(key): make(key)
            for key in (data_key, *previous)
            for number, make in _ALGORITHMS.items()
        }
        self._head = bytes([algorithm]) + _id_of(data_key)
        self._seal = self._ciphers[self._head]
        #: The two hashes of an HMAC after their key, the inner one by kind: an import asks for half a million.
        self._halves: dict[str, tuple[_Hash, _Hash]] = {}

    def __repr__(self) -> str:
        return f"TenantKeys(key_id={self.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not to be pickled: hand over the tenant id instead")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TenantKeys):
            return NotImplemented
        return (self.data_key, self.index_key, self.previous, self.algorithm) == (
            other.data_key,
            other.index_key,
            other.previous,
            other.algorithm,
        )

    def __hash__(self) -> int:
        return hash(self._head)

    @property
    def key_id(self) -> str:
        """Id of the data key that new values are written with."""
        return self._head[1:].hex()


def new_tenant_keys(algorithm: int = AES_GCM) -> TenantKeys:
    """Fresh random keys for a county that comes aboard."""
    return TenantKeys(secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_KEY_BYTES), algorithm=algorithm)


def with_new_data_key(keys: TenantKeys) -> TenantKeys:
    """A new data key in front, the former ones kept for reading; the index key stays, so look-ups do too."""
    former = (keys.data_key, *keys.previous)
    return TenantKeys(secrets.token_bytes(_KEY_BYTES), keys.index_key, former, keys.algorithm)


def wrap_keys(kek: KekProvider, tenant_id: int, keys: TenantKeys) -> bytes:
    """What the database stores of a county's keys. The county's id goes inside, so rows cannot be swapped."""
    head = bytes([_BUNDLE_FORMAT, keys.algorithm]) + tenant_id.to_bytes(8, "big")
    return kek.wrap(head + b"".join((keys.index_key, keys.data_key, *keys.previous)))


def unwrap_keys(kek: KekProvider, tenant_id: int, wrapped: bytes) -> TenantKeys:
    """The reverse. Raises KekError (key not held, altered) or CryptoError (another county's keys)."""
    bundle = kek.unwrap(wrapped)
    head, body = bundle[:10], bundle[10:]
    if len(body) < 2 * _KEY_BYTES or len(body) % _KEY_BYTES or head[0] != _BUNDLE_FORMAT:
        raise CryptoError("not a county's key bundle: unknown format")
    owner = int.from_bytes(head[2:], "big")
    if owner != tenant_id:
        raise CryptoError(f"these keys belong to county {owner}, not {tenant_id}")
    index_key, data_key, *previous = (body[i : i + _KEY_BYTES] for i in range(0, len(body), _KEY_BYTES))
    return TenantKeys(data_key, index_key, tuple(previous), head[1])


def column_context(tenant_id: int, column: str) -> bytes:
    """Associated data of a column's values: ``column_context(7, "person.id_number")``."""
    return b"%d:%s" % (tenant_id, column.encode())


def encrypt(keys: TenantKeys, plaintext: str | bytes, context: bytes) -> bytes:
    """Encrypt one value (text as UTF-8) for ``context`` (see ``column_context``). 33 bytes longer than it."""
    data = plaintext.encode() if isinstance(plaintext, str) else plaintext
    nonce = secrets.token_bytes(_NONCE_BYTES)
    head = keys._head
    return head + nonce + keys._seal.encrypt(nonce, data, head + context)


def sealer(keys: TenantKeys, context: bytes) -> Callable[[str | bytes], bytes]:
    """``encrypt`` for the many values of one loop: nonces are drawn some hundred at a time, because asking the system
    for one costs more than encrypting with it.

    For one loop in one process: what outlives a fork would use the same nonces on both sides.
    """
    head, seal = keys._head, keys._seal.encrypt
    bound = head + context
    process = os.getpid()
    nonces: list[bytes] = []

    def sealed(plaintext: str | bytes) -> bytes:
        if os.getpid() != process:
            raise CryptoError("a sealer belongs to the process that made it")
        if not nonces:
            drawn = secrets.token_bytes(_NONCE_BYTES * _NONCES)
            nonces.extend(drawn[i : i + _NONCE_BYTES] for i in range(0, len(drawn), _NONCE_BYTES))
        nonce = nonces.pop()
        return head + nonce + seal(nonce, plaintext.encode() if isinstance(plaintext, str) else plaintext, bound)

    return sealed


def decrypt(keys: TenantKeys, value: bytes, context: bytes) -> bytes:
    """The plaintext. Raises CryptoError, saying why, for a value not made for this county and column."""
    if len(value) < _OVERHEAD:
        raise CryptoError("encrypted value is cut short")
    head = value[:_HEADER_BYTES]
    cipher = keys._ciphers.get(head)
    if cipher is None:
        if head[0] not in _ALGORITHMS:
            raise CryptoError(f"encrypted value uses unknown algorithm {head[0]}")
        raise CryptoError(f"encrypted by key {head[1:].hex()}, which this county does not hold")
    nonce, body = value[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES], value[_HEADER_BYTES + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, body, head + context)
    except InvalidTag:
        raise CryptoError("encrypted value was altered or belongs to another county or column") from None


def decrypt_text(keys: TenantKeys, value: bytes, context: bytes) -> str:
    """``decrypt`` for values that were text."""
    return decrypt(keys, value, context).decode()


def needs_reencryption(keys: TenantKeys, value: bytes) -> bool:
    """Whether a value was written with a former key or another algorithm than new ones are."""
    return value[:_HEADER_BYTES] != keys._head


def blind_index(keys: TenantKeys, kind: str, normalised: str) -> bytes:
    """16 bytes by which an encrypted value is found again: HMAC-SHA256 of kind and normalised text.

    Equal only within one county and one ``kind`` ("id_number", "phone", …); normalising is the caller's part.
    """
    halves = keys._halves.get(kind)
    if halves is None:
        halves = keys._halves[kind] = _halves(keys.index_key, kind.encode() + b"\x00")
    inner, outer = halves[0].copy(), halves[1].copy()
    inner.update(normalised.encode())
    outer.update(inner.digest())
    return outer.digest()[:INDEX_BYTES]


def _halves(key: bytes, prefix: bytes) -> tuple[_Hash, _Hash]:
    """HMAC-SHA256 (RFC 2104) taken apart, ``prefix`` of the message already in."""
    padded = key.ljust(_BLOCK, b"\x00")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    inner.update(prefix)
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"xiangyue data key" + key).digest()[:_ID_BYTES]
