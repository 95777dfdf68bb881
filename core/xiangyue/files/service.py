"""Stored files: the row says what it is and who may fetch it, the storage holds the bytes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.permissions import Permission, PermissionRegistry
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.files.models import StoredFile
from xiangyue.files.names import safe_name
from xiangyue.files.storage import Storage
from xiangyue.i18n import lazy_gettext as _l

#: Bytes without a row are removed when they are older than this: until then their transaction may still be open.
ORPHAN_SECONDS = 86_400


@acts(None)
def store_file(
    uow: Uow,
    storage: Storage,
    *,
    stream: BinaryIO,
    name: str,
    media_type: str,
    purpose: str,
    permission: Permission,
    expires_at: datetime | None = None,
    max_bytes: int | None = None,
) -> StoredFile:
    """Keep the bytes of ``stream`` and write their row; the caller has checked content and right.

    ``purpose``: what it is for, such as ``import.roster``. ``permission``: the right needed to fetch it. Should the
    transaction be rolled back, the bytes are cleared away a day later. Raises TooLarge or Unavailable.
    """
    blob = storage.put(uow.tenant_id, stream, max_bytes=max_bytes)
    file = StoredFile(
        token=uuid.uuid4(),
        storage_key=blob.key,
        name=safe_name(name),
        media_type=media_type,
        size=blob.size,
        sha256=blob.sha256,
        purpose=purpose,
        permission=permission.name,
        created_by=uow.actor.account_id,
        expires_at=expires_at,
    )
    uow.session.add(file)
    uow.session.flush()
    return file


def find_file(uow: Uow, permissions: PermissionRegistry, *, token: uuid.UUID) -> StoredFile:
    """The file of a link, if the actor may fetch it; NotFound otherwise, as for one of another tenant.

    Whoever has the row's right in the whole county may; a right in some areas reaches one's own files only, because a
    file may speak of the whole county.
    """
    file = uow.session.scalars(select(StoredFile).where(StoredFile.token == token)).one_or_none()
    permission = permissions.get(file.permission) if file is not None else None
    gone = file is not None and file.expires_at is not None and file.expires_at <= datetime.now(UTC)
    if file is None or permission is None or gone:
        raise NotFound(_l("This file no longer exists."))
    ranges = uow.actor.ranges(permission)
    own = file.created_by is not None and file.created_by == uow.actor.account_id
    if ranges is not None and not (ranges and own):
        raise NotFound(_l("This file no longer exists."))
    return file


@acts(None)
def open_file(
    uow: Uow, storage: Storage, permissions: PermissionRegistry, *, token: uuid.UUID
) -> tuple[StoredFile, BinaryIO]:
    """The file of a link and its bytes, to be closed by the caller; the fetch is audited. Raises NotFound."""
    file = find_file(uow, permissions, token=token)
    stream = storage.open(uow.tenant_id, file.storage_key)
    audit(uow, action="file.fetch", obj=file, label=file.name, purpose=file.purpose)
    return file, stream


def read_file(uow: Uow, storage: Storage, file_id: int) -> BinaryIO:
    """The bytes of a file by its id: for jobs, which checked the right to what the file belongs to."""
    return storage.open(uow.tenant_id, uow.get(StoredFile, file_id).storage_key)


@acts(None)
def expire_files(uow: Uow, storage: Storage, *, limit: int = 1000) -> list[str]:
    """Delete the bytes of files past their time; the rows stay as a record. Returns the storage keys."""
    statement = (
        select(StoredFile)
        .where(StoredFile.expires_at <= datetime.now(UTC), StoredFile.storage_key != "")
        .order_by(StoredFile.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = []
    for file in uow.session.scalars(statement):
        keys.append(file.storage_key)
        # First the bytes: should the row's change be lost, the next run finds them gone and goes on.
        storage.delete(uow.tenant_id, file.storage_key)
        file.storage_key = ""
    return keys


@acts(None)
def delete_orphans(uow: Uow, storage: Storage, *, older_than: float = ORPHAN_SECONDS) -> int:
    """Remove bytes that no row knows, ``older_than`` seconds old: their transaction was rolled back."""
    removed = 0
    for chunk in _chunks(storage.keys(uow.tenant_id, older_than=older_than), 1000):
        known = set(uow.session.scalars(select(StoredFile.storage_key).where(StoredFile.storage_key.in_(chunk))))
        for key in chunk:
            if key not in known:
                storage.delete(uow.tenant_id, key)
                removed += 1
    return removed


def in_days(days: int) -> datetime:
    """A time of expiry."""
    return datetime.now(UTC) + timedelta(days=days)


def _chunks(keys: Iterable[str], size: int) -> Iterable[list[str]]:
    chunk: list[str] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
