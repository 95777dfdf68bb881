"""Where the bytes of stored files lie: one small interface, a local folder behind it.

Keys are random and start with the county's id; every call names the county, and a key of another one is as
good as unknown. What a file is called, who may read it and when it expires is the database row's business.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from xiangyue.config import Settings, SettingsError
from xiangyue.errors import NotFound, TooLarge, Unavailable
from xiangyue.i18n import lazy_gettext as _l

_CHUNK = 1024 * 1024
_KEY = re.compile(r"(\d{1,10})/([0-9a-f]{2})/([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes that were stored: key to find them again, size in bytes, SHA-256 in hex."""

    key: str
    size: int
    sha256: str


class Storage(Protocol):
    """Stores bytes of counties. All methods raise Unavailable when the store is away or full."""

    def put(self, tenant_id: int, stream: BinaryIO, *, max_bytes: int | None = None) -> StoredBlob:
        """Store durably what the stream still gives. Raises TooLarge (keeps nothing) over ``max_bytes``."""
        ...

    def open(self, tenant_id: int, key: str) -> BinaryIO:
        """A seekable stream of the bytes, to be closed by the caller. Raises NotFound."""
        ...

    def delete(self, tenant_id: int, key: str) -> None:
        """Remove the bytes; nothing happens if there are none."""
        ...

    def exists(self, tenant_id: int, key: str) -> bool: ...

    def keys(self, tenant_id: int, *, older_than: float = 0) -> Iterator[str]:
        """Keys stored at least ``older_than`` seconds ago: to find bytes whose row was never committed."""
        ...


class LocalStorage:
    """A folder: ``<root>/<tenant id>/<two hex digits>/<32 hex digits>``, private to the system user."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, tenant_id: int, stream: BinaryIO, *, max_bytes: int | None = None) -> StoredBlob:
        name = secrets.token_hex(16)
        key = f"{int(tenant_id)}/{name[:2]}/{name}"
        try:
            return self._write(key, stream, max_bytes)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES):
                raise Unavailable(
                    _l("The file store is full or cannot be written. Ask the operator, then try again.")
                ) from error
            raise

    def open(self, tenant_id: int, key: str) -> BinaryIO:
        try:
            return self._path(tenant_id, key).open("rb")
        except FileNotFoundError:
            raise NotFound(_l("This file no longer exists.")) from None

    def delete(self, tenant_id: int, key: str) -> None:
        self._path(tenant_id, key).unlink(missing_ok=True)

    def exists(self, tenant_id: int, key: str) -> bool:
        try:
            return self._path(tenant_id, key).is_file()
        except NotFound:
            return False

    def keys(self, tenant_id: int, *, older_than: float = 0) -> Iterator[str]:
        limit = time.time() - older_than
        for path in sorted((self._root / str(int(tenant_id))).glob("??/*")):
            key = path.relative_to(self._root).as_posix()
            if _KEY.fullmatch(key) and path.stat().st_mtime <= limit:
                yield key

    def sweep_partial(self, *, older_than: float = 86_400) -> int:
        """Remove drafts of killed processes that are ``older_than`` seconds old; returns how many."""
        limit = time.time() - older_than
        removed = 0
        for path in self._root.glob("*/??/*.part"):
            if path.stat().st_mtime <= limit:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _path(self, tenant_id: int, key: str) -> Path:
        """Only keys of this county and of our own form become paths."""
        found = _KEY.fullmatch(key)
        if found is None or found[1] != str(int(tenant_id)):
            raise NotFound(_l("This file no longer exists."))
        return self._root / key

    def _write(self, key: str, stream: BinaryIO, max_bytes: int | None) -> StoredBlob:
        """Into a neighbour file first, synced, then renamed: a reader sees the whole file or none."""
        path = self._root / key
        _make_folder(path.parent)
        draft = path.with_suffix(".part")
        digest = hashlib.sha256()
        size = 0
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if max_bytes is not None and size > max_bytes:
                        raise too_large(max_bytes)
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return StoredBlob(key, size, digest.hexdigest())


def too_large(max_bytes: int) -> TooLarge:
    """The error of an upload over the limit."""
    return TooLarge(
        _l(
            "The file is larger than %(limit)s MB. Split it or leave out pictures.",
            limit=_megabytes(max_bytes),
        )
    )


_backends: dict[str, Callable[[Settings], Storage]] = {
    "local": lambda settings: LocalStorage(settings.home / "files"),
}


def register_storage(name: str, factory: Callable[[Settings], Storage]) -> None:
    """Make a further storage choosable by XIANGYUE_FILES_BACKEND. A taken name raises ValueError."""
    if name in _backends:
        raise ValueError(f"a storage named {name!r} is already registered")
    _backends[name] = factory


def storage(settings: Settings) -> Storage:
    """The storage these settings choose. Raises SettingsError for an unknown name."""
    factory = _backends.get(settings.files_backend)
    if factory is None:
        known = ", ".join(sorted(_backends))
        raise SettingsError(f"XIANGYUE_FILES_BACKEND={settings.files_backend!r}: expected one of {known}")
    return factory(settings)


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.4g}"


def _make_folder(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
