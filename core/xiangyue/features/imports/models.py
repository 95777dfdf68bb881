"""Import batches: a file on its way into the register, its rows staged so that a kill loses nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk


class ImportBatch(Versioned, TenantOwned, Base):
    """导入批次. states: uploaded, checking, mapping (a person must
    match the columns), checked, committing, committed, undoing, undone, cancelled, failed.

    ``counts`` after the check: rows, persons, households, errors (wrong cells), error_rows, valid_households, what
    writing would do (households_new, _changed, _unchanged, persons_…, households_emptied, groups_new) and ``samples``
    of what is new and of changes; after the writing what was done under ``written``, after an undo under ``undone``.
    ``written``: where what was written is found again (`undo_built.Written`), None before that and for imports of older
    versions. ``problem``: code and params of a file that cannot be read. ``scope_ranges`` are the uploader's area
    ranges: rows outside are errors. A job that fails or is stopped gives the batch back (`release.let_go`).
    """

    __tablename__ = "import_batch"
    __table_args__ = (
        CheckConstraint(
            "state in ('uploaded', 'checking', 'mapping', 'checked', 'committing', 'committed', 'undoing', 'undone', "
            "'cancelled', 'failed')",
            name="state",
        ),
        tenant_fk("file_id", "stored_file"),
        tenant_fk("notice_version_id", "notice_version"),
    )

    kind: Mapped[str] = mapped_column(default="roster")
    file_id: Mapped[int]
    file_name: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploaded")
    counts: Mapped[Json] = mapped_column(default=dict)
    problem: Mapped[Json | None]
    header: Mapped[Json] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(default="")
    purpose: Mapped[str] = mapped_column(default="")
    #: On what ground the data is taken in: a key of ``access.lawful.BASES``; "" for what came before it was asked.
    lawful_basis: Mapped[str] = mapped_column(default="", server_default="")
    #: For which department it speaks: a key of ``tenancy.field_owners.DEPARTMENTS``, "" for none.
    department: Mapped[str] = mapped_column(default="", server_default="")
    #: The version of a notice by which the persons were told or consented, where somebody named one.
    notice_version_id: Mapped[int | None]
    #: When the bytes of the uploaded file are deleted; the batch stays.
    file_expires_at: Mapped[datetime | None]
    scope_ranges: Mapped[list[list[int]] | None] = mapped_column(JSONB)
    job_id: Mapped[int | None]
    created_by: Mapped[int | None]
    created_by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checked_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    written: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    undone_at: Mapped[datetime | None]


class ImportRow(TenantOwned, Base):
    """One row of the sheet: its cells and normalised values encrypted with the tenant's key, its errors in
    the clear (they carry masked values only). ``action``: write, error for every row of a household that has one, or
    out for one that a person left out. Ids follow the households, so their rows stand together.

    ``household_n``: number of the first row of its household; ``household_key``, ``person_key``: see
    `judging.RowKeys`; ``mended``: the repairs that changed it, the first first. No foreign key to the batch, which is
    never deleted and is held by whoever writes its rows: a look for each of 100,000 rows (ADR 0007)."""

    __tablename__ = "import_row"
    __table_args__ = (
        UniqueConstraint("tenant_id", "batch_id", "row_no"),
        Index(None, "tenant_id", "batch_id", "error_count", postgresql_where=text("error_count > 0")),
    )

    batch_id: Mapped[int]
    row_no: Mapped[int] = mapped_column(Integer)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    errors: Mapped[list[Json]] = mapped_column(JSONB, default=list)
    error_count: Mapped[int] = mapped_column(Integer, default=0)
    action: Mapped[str] = mapped_column(default="", server_default="")
    household_n: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    household_key: Mapped[int | None]
    person_key: Mapped[int | None]
    mended: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default="[]")


class ImportRepair(TenantOwned, Base):
    """修正: what a person mended in the rows of a batch before it was written; the file stays as it was uploaded.

    ``kind``: cell, alike (the same wrong value of a column in all rows), out (rows left out), back (one of them not),
    workbook (the error workbook came back). ``row_no``: of a single row; ``column_key``: "" where it is about rows;
    ``old_value``, ``new_value``: encrypted. ``state``: waiting (a job works on it), done, undoing, undone. ``result``:
    ``rows`` changed, and what the kind needs besides. Which rows it changed stands in them (`ImportRow.mended`).
    """

    __tablename__ = "import_repair"
    __table_args__ = (
        CheckConstraint("kind in ('cell', 'alike', 'out', 'back', 'workbook')", name="kind"),
        CheckConstraint("state in ('waiting', 'done', 'undoing', 'undone')", name="state"),
        tenant_fk("batch_id", "import_batch", ondelete="CASCADE"),
        Index(None, "tenant_id", "batch_id", "id"),
    )

    batch_id: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="done")
    row_no: Mapped[int | None] = mapped_column(Integer)
    column_key: Mapped[str] = mapped_column(default="")
    old_value: Mapped[bytes | None] = mapped_column(LargeBinary)
    new_value: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Whether the value was one of those that were suggested.
    suggested: Mapped[bool] = mapped_column(default=False)
    result: Mapped[Json] = mapped_column(default=dict)
    account_id: Mapped[int | None]
    account_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]
    undone_by_name: Mapped[str] = mapped_column(default="")


class ImportMapping(Timestamps, Versioned, TenantOwned, Base):
    """Where the columns of a kind of file go, as a person last decided; the next file of the kind follows it.

    ``fingerprint``: see `roster_match.fingerprint`; ``targets``: position from 0, as text, -> key of the column, ""
    for one left out. One row of each kind has what was decided of single headings (`queries.HEADINGS`), by their hash.
    Holds no heading and no value of a file."""

    __tablename__ = "import_mapping"
    __table_args__ = (UniqueConstraint("tenant_id", "fingerprint"),)

    fingerprint: Mapped[str] = mapped_column(CText)
    targets: Mapped[Json] = mapped_column(default=dict)
    account_id: Mapped[int | None]
