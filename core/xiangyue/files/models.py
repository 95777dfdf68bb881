"""Stored files of one tenant: the row says what it is, the storage holds the bytes."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, TenantOwned


class StoredFile(TenantOwned, Base):
    """文件. ``token`` stands in links; ``permission`` is the name of the right needed to fetch it."""

    __tablename__ = "stored_file"
    __table_args__ = (UniqueConstraint("tenant_id", "token"),)

    token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    storage_key: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    purpose: Mapped[str]
    permission: Mapped[str]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
