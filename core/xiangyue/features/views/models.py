"""Saved views of one county's accounts."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, TenantOwned, Timestamps, Versioned, tenant_fk


class SavedView(Timestamps, Versioned, TenantOwned, Base):
    """已存视图. ``list``: a key of ``policy.LISTS``; ``query``: the address's parameters in order, encoded.

    What a view shows is read under the rights and areas of whoever opens it, so a shared one gives nothing away.
    """

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "list", "name"),
        tenant_fk("account_id", "account"),
        CheckConstraint("length(query) <= 2000", name="query"),
    )

    account_id: Mapped[int]
    list: Mapped[str] = mapped_column(CText)
    name: Mapped[str]
    query: Mapped[str]
    #: Everybody of the county who may see the list finds it there.
    shared: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
