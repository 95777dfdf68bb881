"""Key-encryption keys: who keeps the key that wraps every county's own keys.

A provider wraps and unwraps a few dozen bytes and knows by which key it did so. The wrapped form starts with
the key's id, so that a new key can be put in front while rows wrapped by the old one are still readable;
``rotate_wrapped`` moves a row to the new key. Losing the key means losing every encrypted value, so a key is
made by itself only at the default place of a fresh instance, never where the operator named a file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xiangyue.config import Settings, SettingsError

KEY_BYTES = 32
_FORMAT = 1
_ID_BYTES = 4
_NONCE_BYTES = 12
_PURPOSE = b"xiangyue key-encryption key"


class KekError(Exception):
    """The key-encryption key is missing, unreadable, open to others, or not the one that wrapped the value.

    Raised to the operator (start-up, command line), not to users: plain English that says what to mend.
    """


@runtime_checkable
class KekProvider(Protocol):
    """Wraps keys. ``key_id`` names the key that ``wrap`` uses now."""

    @property
    def key_id(self) -> str: ...

    def wrap(self, plain: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Raises KekError when this provider does not hold the key or the value was altered."""
        ...


class KeyRing:
    """A provider over keys held in memory: the first wraps, all of them unwrap."""

    def __init__(self, keys: Sequence[bytes], *, source: str) -> None:
        if not keys:
            raise KekError(f"{source} holds no key; expected 32 bytes in base64")
        self._source = source
        self._ciphers: dict[bytes, AESGCM] = {}
        for key in keys:
            if len(key) != KEY_BYTES:
                raise KekError(f"{source} holds a key of {len(key)} bytes; expected {KEY_BYTES}")
            self._ciphers[_id_of(key)] = AESGCM(key)
        self._current = _id_of(keys[0])

    def __repr__(self) -> str:
        return f"KeyRing({self._source}, key_id={self.key_id})"

    @property
    def key_id(self) -> str:
        return self._current.hex()

    def wrap(self, plain: bytes) -> bytes:
        header = bytes([_FORMAT]) + self._current
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._current].encrypt(nonce, plain, _PURPOSE + header)

    def unwrap(self, wrapped: bytes) -> bytes:
        header, rest = wrapped[: 1 + _ID_BYTES], wrapped[1 + _ID_BYTES :]
        if len(rest) < _NONCE_BYTES or header[0] != _FORMAT:
            raise KekError("not a wrapped key: unknown format")
        cipher = self._ciphers.get(header[1:])
        if cipher is None:
            held = ", ".join(key_id.hex() for key_id in self._ciphers)
            raise KekError(
                f"wrapped by key {header[1:].hex()}, but {self._source} holds {held}; "
                "put the former key back, after the current one"
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _PURPOSE + header)
        except InvalidTag:
            raise KekError(f"a key wrapped by {header[1:].hex()} was altered or cut short") from None


def rotate_wrapped(provider: KekProvider, wrapped: bytes) -> bytes:
    """The same key wrapped by the provider's current key. Raises KekError if it cannot be unwrapped."""
    return provider.wrap(provider.unwrap(wrapped))


def wrapped_by(wrapped: bytes) -> str:
    """Id of the key that a KeyRing used for this value: tells which rows still wait for rotation."""
    return wrapped[1 : 1 + _ID_BYTES].hex()


def file_provider(path: Path, *, create: bool) -> KekProvider:
    """Keys from a file, one base64 line each, the current one first; ``#`` starts a comment.

    ``create`` makes a missing file (0600, synced to disk, safe when several processes start at once).
    Raises KekError if it cannot be read or made, or if others than its owner and group may read it.
    """
    try:
        if create and not path.exists():
            _create(path)
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise KekError(
            f"key file {path} does not exist; put the instance's key there "
            f"(a first one: umask 077; openssl rand -base64 32 > {path})"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KekError(f"key file {path} cannot be read: {error}") from error
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise KekError(f"key file {path} is open to others (mode {stat.S_IMODE(mode):o}); chmod 600 {path}")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return KeyRing([_decode(line, str(path)) for line in lines if line], source=str(path))


def environment_provider(value: str) -> KekProvider:
    """Keys from the text of XIANGYUE_KEK: base64, separated by commas, the current one first."""
    if not value.strip():
        raise KekError("XIANGYUE_KEK is empty; expected 32 bytes in base64 (openssl rand -base64 32)")
    parts = [part.strip() for part in value.split(",")]
    return KeyRing([_decode(part, "XIANGYUE_KEK") for part in parts if part], source="XIANGYUE_KEK")


def default_key_file(settings: Settings) -> Path:
    """Where the key of an instance lies that was told nothing else."""
    return settings.home / "keys" / "kek"


def _from_file(settings: Settings) -> KekProvider:
    if settings.secret_key_file:
        return file_provider(Path(settings.secret_key_file), create=False)
    return file_provider(default_key_file(settings), create=True)


_providers: dict[str, Callable[[Settings], KekProvider]] = {
    "file": _from_file,
    "environment": lambda settings: environment_provider(settings.kek),
}


def register_kek_provider(name: str, factory: Callable[[Settings], KekProvider]) -> None:
    """Make a further provider (a KMS) choosable by XIANGYUE_KEK_PROVIDER. A taken name raises ValueError."""
    if name in _providers:
        raise ValueError(f"a key provider named {name!r} is already registered")
    _providers[name] = factory


def kek_provider(settings: Settings) -> KekProvider:
    """The provider these settings choose. Raises SettingsError (unknown name) or KekError (bad key)."""
    name = settings.kek_provider or ("environment" if settings.kek else "file")
    factory = _providers.get(name)
    if factory is None:
        known = ", ".join(sorted(_providers))
        raise SettingsError(f"XIANGYUE_KEK_PROVIDER={name!r}: expected one of {known}")
    return factory(settings)


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(_PURPOSE + key).digest()[:_ID_BYTES]


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KekError(f"{source} is not base64; expected 32 bytes in base64") from None
    if len(key) != KEY_BYTES:
        raise KekError(f"{source} holds a key of {len(key)} bytes; expected {KEY_BYTES}")
    return key


def _create(path: Path) -> None:
    """Write to a private file first and link it into place: a second process finds a whole key or none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first; its key counts
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
