"""Writes on imports: upload, write into the register, cancel. The work itself is done by jobs."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.access.lawful import BASES, USUAL
from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Unavailable
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.imports.keeping import check_file_kept, check_rows_kept
from xiangyue.features.imports.models import ImportBatch, ImportMapping
from xiangyue.features.imports.offered import check_still_on
from xiangyue.features.imports.policy import CHECK_KIND, COMMIT_KIND, IMPORT_RUN, ROSTER, UPDATE
from xiangyue.features.imports.queries import (
    HEADINGS,
    as_json,
    batch_job,
    columns_for,
    columns_of_file,
    get_batch,
    import_ranges,
    mapping_key,
    remembered_headings,
)
from xiangyue.features.imports.registers import check_register_on, get_register, is_register, offered_registers
from xiangyue.features.imports.release import drop_batch, require_version, start_job
from xiangyue.features.imports.roster_book import columns_given, columns_of_sheet, of_sheet, sheet_of
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_errors import write_error_workbook
from xiangyue.features.imports.roster_header import HeaderFinder, heading_key
from xiangyue.features.imports.roster_match import FileColumn
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import sheet_names
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.roster_update import without_numbers
from xiangyue.features.imports.roster_upload import check_roster
from xiangyue.features.imports.staging import open_columns, seal_upload, wrong_rows
from xiangyue.features.imports.workbook_back import RowMarks
from xiangyue.features.privacy.queries_consent import published_version
from xiangyue.files.service import in_days, store_file
from xiangyue.files.storage import Storage
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import OPEN_STATES
from xiangyue.jobs.service import request_cancel
from xiangyue.plugin.dispatch import veto
from xiangyue.runtime import runtime_of
from xiangyue.tenancy.field_owners import DEPARTMENTS
from xiangyue.tenancy.own import own_settings

_MAX_WORDS = 200


@acts(IMPORT_RUN)
def upload_roster(
    uow: Uow,
    storage: Storage,
    *,
    stream: BinaryIO,
    name: str,
    source: str,
    purpose: str,
    lawful_basis: str = USUAL,
    department: str = "",
    notice_version_id: int | None = None,
    columns: Mapping[str, str] | None = None,
    kind: str = ROSTER,
) -> ImportBatch:
    """Take a spreadsheet in and start its check as a job.

    ``kind``: roster, update for a file that changes some columns of records that stand already (`roster_update`), or
    the key of a register that plugins or other features declare (`registers`) and the actor may import into.
    ``source``: where the data comes from; ``purpose``: what it is taken in for, never empty; ``lawful_basis``: on what
    ground, a key of ``access.lawful.BASES``; ``department``: for which it speaks (``field_owners.DEPARTMENTS``, "" for
    none): its facts overwrite what others set (`holding`); ``notice_version_id``: the published notice or form of
    consent by which the persons were told or asked, needed by nobody; all go into the audit trail. ``columns``: where
    columns of the file go, by heading or position (`roster_header.HeaderFinder.resolve`). The file is stored encrypted,
    for as many days as the county says. Raises Invalid (fields file, source, purpose, lawful_basis, department, notice,
    columns), TooLarge, or Forbidden for somebody who may not edit households anywhere.
    """
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Imports need a running instance."))
    register = next((found for _c, found in offered_registers(uow) if found.key == kind), None)
    permission = HOUSEHOLD_EDIT if register is None else register.permission
    ranges = import_ranges(uow.actor, permission)
    if ranges == ():
        raise lacking(permission)
    source, purpose = source.strip(), purpose.strip()
    wrong = {
        key: [_l("At most %(n)d characters.", n=_MAX_WORDS)]
        for key, text in (("source", source), ("purpose", purpose))
        if len(text) > _MAX_WORDS
    }
    if register is None and is_register(kind):
        wrong["kind"] = [_l("Choose one of the list.")]
    elif columns and (faults := _asked_faults(columns, columns_of_file(uow, kind))):
        wrong["columns"] = faults
    if not purpose:
        wrong["purpose"] = [_l("Say what the data is used for.")]
    if lawful_basis not in BASES:
        wrong["lawful_basis"] = [_l("Choose one of the options.")]
    if department and department not in DEPARTMENTS:
        wrong["department"] = [_l("Choose one of the options.")]
    notice = published_version(uow, notice_version_id) if notice_version_id is not None else None
    if notice_version_id is not None and notice is None:
        wrong["notice"] = [_l("Choose one of the options.")]
    try:
        upload = check_roster(stream, name, max_bytes=runtime.settings.max_upload_bytes)
    except Invalid as error:
        raise Invalid({**wrong, **error.fields}) from None
    if wrong:
        raise Invalid(wrong)
    file = store_file(
        uow,
        storage,
        stream=io.BytesIO(seal_upload(uow, runtime, stream.read())),
        name=upload.name,
        media_type=upload.media_type,
        purpose="import.roster",
        permission=IMPORT_RUN,
        expires_at=in_days(own_settings(uow).import_file_days),
    )
    batch = ImportBatch(
        kind=kind,
        file_id=file.id,
        file_name=upload.name,
        state="uploaded",
        source=source,
        purpose=purpose,
        lawful_basis=lawful_basis,
        department=department,
        notice_version_id=notice_version_id,
        file_expires_at=file.expires_at,
        header={"asked": dict(columns)} if columns else {},
        scope_ranges=as_json(ranges),
        created_by=uow.actor.account_id,
        created_by_name=uow.actor.name or uow.actor.login,
    )
    uow.session.add(batch)
    uow.session.flush()
    start_job(uow, batch, CHECK_KIND)
    audit(
        uow,
        action="import.upload",
        obj=batch,
        label=batch.file_name,
        after={
            "source": source,
            "size": upload.size,
            "lawful_basis": lawful_basis,
            **({"department": department} if department else {}),
            **({"notice": notice.title, "number": notice.number} if notice is not None else {}),
            "file_expires_at": file.expires_at,
        },
        purpose=purpose,
    )
    return batch


@acts(IMPORT_RUN)
def match_columns(
    uow: Uow,
    keys: TenantKeys,
    *,
    batch_id: int,
    version: int,
    targets: Mapping[int, str],
    sheets: Collection[str] | None = None,
) -> ImportBatch:
    """Say where the columns of the file go (position -> key; what is not named is left out) and which of its sheets are
    read (their names; None: as it stands), and check it anew.

    It is remembered: the next file of the county with the same headings goes the same way, and in others what was
    decided of headings that are not known. Raises Invalid (field
    columns) for a column or sheet that is not there, no sheet at all, a column that two of a sheet go to, or a required
    one that nothing goes to; Conflict when the batch does not wait for it; Stale when it is no longer what ``version``
    was.
    """
    batch = get_batch(uow, batch_id, lock=True)
    if batch.state not in ("mapping", "checked"):
        raise Conflict(_l("The columns of this import cannot be matched any more. Upload the file again."))
    require_version(batch, version)
    check_file_kept(batch)
    found = open_columns(keys, batch)
    check_register_on(uow, batch)
    known = columns_for(uow, batch)
    chosen = {position: key for position, key in sorted(targets.items()) if key}
    there: list[dict[str, Any]] = batch.header["sheets"]
    if sheets is not None:
        there = [{**sheet, "read": sheet["name"] in sheets} for sheet in there]
    wrong = _sheet_faults(chosen, found, there, known)
    if wrong:
        raise Invalid({"columns": wrong})
    given = {str(column.position): chosen.get(column.position, "") for column in found}
    read = [sheet["name"] for sheet in there if sheet["read"]]
    batch.header = {**batch.header, "given": given, "wanted": read, "sheets": there}
    for index, sheet in enumerate(there):
        if sheet["read"]:
            places = {str(place): key for place, key in columns_given(given, index).items()}
            _remember(uow, mapping_key(batch.kind, sheet["fingerprint"]), places)
            _remember_headings(uow, batch.kind, sheet, of_sheet(found, index), chosen, known)
    batch.state, batch.problem = "uploaded", None
    start_job(uow, batch, CHECK_KIND)
    cells = {c.position: c.cell if len(read) == 1 else f"{there[sheet_of(c.position)]['name']}!{c.cell}" for c in found}
    headings = {c.key: c.zh for sheet in there for c in columns_of_sheet(sheet, known)}
    chosen = {place: key for place, key in chosen.items() if there[sheet_of(place)]["read"]}
    audit(
        uow,
        action="import.columns",
        obj=batch,
        label=batch.file_name,
        after={"columns": ", ".join(f"{cells[place]} {headings[key]}" for place, key in chosen.items())},
    )
    return batch


def _remember(uow: Uow, fingerprint: str, targets: dict[str, str]) -> None:
    statement = select(ImportMapping).where(ImportMapping.fingerprint == fingerprint)
    mapping = uow.session.scalars(statement.with_for_update()).one_or_none()
    if mapping is None:
        mapping = ImportMapping(fingerprint=fingerprint)
        uow.session.add(mapping)
        uow.session.flush()
    else:
        mapping.version += 1
    mapping.targets, mapping.account_id = targets, uow.actor.account_id


def _remember_headings(
    uow: Uow,
    kind: str,
    sheet: Mapping[str, Any],
    found: Sequence[FileColumn],
    chosen: Mapping[int, str],
    columns: Sequence[Column],
) -> None:
    """Remember where the headings went that are not known and stand once, for files with other columns beside them;
    not of a sheet whose rows are households, where a heading says nothing without its group."""
    if sheet["members"] is not None:
        return
    finder = HeaderFinder(columns)
    times = Counter(heading_key(column.heading) for column in found)
    decided = {
        heading_key(column.heading): chosen.get(column.position, "")
        for column in found
        if column.heading and times[heading_key(column.heading)] == 1 and finder.key_of(column.heading) is None
    }
    if decided:
        _remember(uow, mapping_key(kind, HEADINGS), {**remembered_headings(uow, kind), **decided})


def _sheet_faults(
    chosen: Mapping[int, str],
    found: Sequence[FileColumn],
    sheets: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
) -> list[Any]:
    """What is wrong with where the columns of the sheets that are read go, each thing once."""
    if not any(sheet["read"] for sheet in sheets):
        return [_l("Choose a sheet to read.")]
    if not set(chosen) <= {column.position for column in found}:
        return [_l("There is no such column. Reload the page and match the columns again.")]
    faults: list[Any] = []
    for index, sheet in enumerate(sheets):
        if sheet["read"]:
            own = {place: key for place, key in chosen.items() if sheet_of(place) == index}
            places = {column.position for column in of_sheet(found, index)}
            faults += _column_faults(own, places, columns_of_sheet(sheet, columns))
    return list({str(fault): fault for fault in faults}.values())


def _asked_faults(asked: Mapping[str, str], columns: Sequence[Column]) -> list[Any]:
    """What is wrong with columns given in advance; whether any is missing shows when the file is read."""
    labels = {column.key: column.label for column in columns}
    keys = [key for key in asked.values() if key]
    return [_l("The roster has no column “%(key)s”.", key=key) for key in keys if key not in labels] + [
        _l("Two columns of the file go to “%(column)s”. Leave one of them out.", column=labels[key])
        for key in dict.fromkeys(keys)
        if key in labels and keys.count(key) > 1
    ]


def _column_faults(chosen: Mapping[int, str], positions: set[int], columns: Sequence[Column]) -> list[Any]:
    labels = {column.key: column.label for column in columns}
    keys = list(chosen.values())
    faults: list[Any] = []
    if not set(chosen) <= positions or not set(keys) <= set(labels):
        faults.append(_l("There is no such column. Reload the page and match the columns again."))
    faults += [
        _l("Two columns of the file go to “%(column)s”. Leave one of them out.", column=labels[key])
        for key in dict.fromkeys(keys)
        if key in labels and keys.count(key) > 1
    ]
    faults += [
        _l("No column of the file goes to “%(column)s”. Choose it, or add it to the file.", column=column.label)
        for column in columns
        if column.required and column.key not in keys
    ]
    return faults


@acts(IMPORT_RUN)
def request_commit(uow: Uow, *, batch_id: int, version: int, valid_only: bool = False) -> ImportBatch:
    """Start writing a checked batch into the register, as a job that keeps everything or nothing.

    Households with an error are left out whole, and only if ``valid_only`` says so. Raises Conflict when the batch is
    not checked, is being written, has errors nobody agreed to leave out, has nothing to write, or a column of a plugin
    that is off by now; Stale when it is no longer what ``version`` was; Refused when a plugin does not allow it.
    """
    batch = get_batch(uow, batch_id, lock=True)
    if batch.state == "committing":
        raise Conflict(_l("This import is being written already."))
    if batch.state == "committed":
        raise Conflict(_l("This import has been written already."))
    if batch.state != "checked":
        raise Conflict(_l("Only a checked import can be written."))
    require_version(batch, version)
    if batch.counts.get("errors") and not valid_only:
        raise Conflict(_l("Some households have errors. Mend them and upload again, or write only those without."))
    if not batch.counts.get("valid_households"):
        raise Conflict(_l("There is no household without errors to write."))
    if is_register(batch.kind):
        check_register_on(uow, batch)
        get_register(uow, batch.kind)
    else:
        check_still_on(uow, batch)
        veto(uow, "import_commit_requested", batch_id=batch.id)
    batch.state = "committing"
    start_job(uow, batch, COMMIT_KIND)
    audit(uow, action="import.commit", obj=batch, label=batch.file_name, after={"valid_only": valid_only})
    return batch


@acts(IMPORT_RUN)
def cancel_batch(uow: Uow, *, batch_id: int, version: int) -> ImportBatch:
    """Stop what runs for a batch; one for which nothing runs is dropped with its rows.

    A stopped writing leaves the batch as it was after its check. Raises Conflict for one that is written or dropped,
    Stale when it is no longer what ``version`` was. While its job runs the batch row is the job's and left alone.
    """
    batch = get_batch(uow, batch_id)
    job = batch_job(uow, batch)
    if job is not None and job.state in OPEN_STATES:
        request_cancel(uow, job_id=job.id)
        audit(uow, action="import.stop", obj=batch, label=batch.file_name)
        return batch
    batch = get_batch(uow, batch_id, lock=True)
    if batch.state in ("committed", "undoing", "undone"):
        raise Conflict(_l("This import has been written already."))
    if batch.state == "cancelled":
        raise Conflict(_l("This import was cancelled before."))
    require_version(batch, version)
    drop_batch(uow, batch)
    audit(uow, action="import.drop", obj=batch, label=batch.file_name)
    return batch


@acts(IMPORT_RUN)
def write_error_workbook_of(uow: Uow, keys: TenantKeys, *, batch_id: int, stream: IO[bytes]) -> int:
    """Write the households with errors as they were uploaded, what is wrong beside each cell; returns the rows.

    It holds personal data in the clear, as the upload did: who fetched it is in the audit trail. Of a file that changes
    some columns, citizen numbers are masked.
    """
    batch = get_batch(uow, batch_id)
    check_rows_kept(uow, batch)
    audit(uow, action="import.errors", obj=batch, label=batch.file_name, purpose=batch.purpose)
    columns = columns_for(uow, batch)
    marks = RowMarks(keys, batch.id, columns)
    made: dict[int, str] = {}

    def rows() -> Iterator[tuple[RosterRow, Sequence[CellError]]]:
        for row, errors in wrong_rows(uow, keys, batch.id):
            made.clear()
            made[row.number] = marks(row)
            yield row, errors

    shown = without_numbers(rows()) if batch.kind == UPDATE else rows()
    names = sheet_names(batch.header)
    return write_error_workbook(stream, columns, shown, names, lambda row: made[row.number])
