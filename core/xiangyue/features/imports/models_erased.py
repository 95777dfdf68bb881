"""Whose data was erased on request, so that an import does not bring it back unseen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, TenantOwned


class ErasedPerson(TenantOwned, Base):
    """已删除: by what a row of a roster is known to be of somebody whose data was erased (PIPL article 47).

    Keyed hashes only, which say nothing without the county's key: ``person_key`` of the citizen number and
    ``household_key`` of village and household number as in `judging.RowKeys`, ``name_key`` of the name,
    ``id_number_index`` as in the register. ``whole``: everything was erased, for the person had left; of the others
    only files from before the erasure are held back. No foreign key: it outlives the row.
    """

    __tablename__ = "erased_person"
    __table_args__ = (Index(None, "tenant_id", "person_key"), Index(None, "tenant_id", "household_key"))

    person_id: Mapped[int]
    household_id: Mapped[int]
    #: Of the request, as people know it.
    number: Mapped[str] = mapped_column(CText)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    whole: Mapped[bool]
    person_key: Mapped[int | None] = mapped_column(BigInteger)
    household_key: Mapped[int | None] = mapped_column(BigInteger)
    name_key: Mapped[int] = mapped_column(BigInteger)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
