"""Erasure and imports: what was staged of an erased person goes, what was not written yet waits for a person to decide,
and a file that comes later does not bring the person back unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import delete, func, select, update

from xiangyue.access.actor import system_actor
from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Unavailable
from xiangyue.features.households.identifiers import ID_NUMBER, in_full
from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.judging import Judge, RowKeys
from xiangyue.features.imports.models import ImportBatch, ImportRepair, ImportRow
from xiangyue.features.imports.models_erased import ErasedPerson
from xiangyue.features.imports.repair_work import AtOnce
from xiangyue.features.imports.rework import WHOLE_ROW, MendedRow, Rework, touch
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.staging import open_row, payload_context, seal_row
from xiangyue.files.models import StoredFile
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import runtime_of

#: What of a held back row stays: where it stands in the file, so that its household is known.
PLACE = ("town", "village", "group", "household_no")
#: Batches that were not written yet and whose rows are staged.
_WAITING = ("uploaded", "checked", "mapping", "failed")
_BUSY = ("checking", "committing", "undoing")
_DIGITS = 12

_FOUND = """
SELECT r.batch_id, r.row_no, r.household_n, r.payload, e.id, e.person_key = r.person_key
  FROM import_row r JOIN erased_person e ON e.person_key = r.person_key OR e.household_key = r.household_key
 WHERE {tenant:r} AND {tenant:e} AND (CAST(:batch AS bigint) IS NULL OR r.batch_id = :batch)
   AND (CAST(:erased AS bigint[]) IS NULL OR e.id = ANY(CAST(:erased AS bigint[])))
 ORDER BY r.batch_id, r.row_no
"""
_STAGE = {"row_no": "int", "household_n": "int", "payload": "bytea", "errors": "jsonb"}
_SCRUB = """
UPDATE import_row r
   SET payload = s.payload, person_key = NULL, mended = '[]'::jsonb,
       errors = CASE WHEN r.action = 'out' THEN '[]'::jsonb ELSE s.errors END,
       error_count = CASE WHEN r.action = 'out' THEN 0 ELSE 1 END
  FROM stage_erased s
 WHERE {tenant:r} AND {tenant:s} AND r.batch_id = :batch AND r.row_no = s.row_no
"""
_HOLD = """
UPDATE import_row r SET action = 'error'
 WHERE {tenant:r} AND r.batch_id = :batch AND r.action <> 'out'
   AND r.household_n IN (SELECT s.household_n FROM stage_erased s WHERE {tenant:s})
"""
_NAMED = """
UPDATE import_row r SET errors = s.errors, error_count = 1
  FROM stage_erased s
 WHERE {tenant:r} AND {tenant:s} AND r.batch_id = :batch AND r.row_no = s.row_no AND r.action <> 'out'
"""
_ERRORS = """
SELECT coalesce(sum(r.error_count), 0), count(*) FILTER (WHERE r.error_count > 0)
  FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A staged row of an erased person."""

    batch_id: int
    row_no: int
    household_n: int
    number: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """An uploaded file that holds the person (``sure``), or may hold the person because its rows are gone already."""

    batch_id: int
    name: str
    until: datetime | None
    sure: bool


def remember_erased(
    uow: Uow, keys: TenantKeys, persons: Sequence[Person], *, number: str, whole: bool
) -> list[ErasedPerson]:
    """Note by what rows of rosters are known to be of these records, before what is erased is gone; ``number``: of the
    request. Raises Conflict while an import is read or written: nobody knows then what it brings."""
    busy = select(func.count()).select_from(ImportBatch).where(ImportBatch.state.in_(_BUSY))
    # Those that could be written meanwhile are locked until this is done.
    list(uow.session.scalars(select(ImportBatch.id).where(ImportBatch.state.in_(_WAITING)).with_for_update()))
    if uow.session.scalar(busy):
        raise Conflict(_l("An import is being checked or written right now. Erase when it is done."))
    row_keys, made = RowKeys(keys), []
    homes = select(Household.id, Household.code).where(Household.id.in_({p.household_id for p in persons}))
    codes = {row.id: row.code for row in uow.session.execute(homes)}
    for person in persons:
        identity = in_full(keys, uow.tenant_id, ID_NUMBER, person.id_number) or None
        code = codes.get(person.household_id, "")
        place = {"household_no": code[_DIGITS:] or None, "village_code": int(code[:_DIGITS] or 0) * 1000}
        made.append(
            ErasedPerson(
                person_id=person.id,
                household_id=person.household_id,
                number=number,
                at=datetime.now(UTC),
                whole=whole,
                person_key=row_keys.person({"id_number": identity}),
                household_key=row_keys.household(RosterRow(0, {}), place),
                name_key=_name_key(keys, person.name),
                id_number_index=person.id_number_index,
            )
        )
    uow.session.add_all(made)
    uow.session.flush()
    return made


def erase_staged(uow: Uow, keys: TenantKeys, erased: Sequence[ErasedPerson]) -> list[KeptFile]:
    """Erase the staged rows of these records. Of an import that was written they are deleted; in one that was not, they
    stand empty, with an error that a person must decide about, and their households wait with them. Returns the
    uploaded files that are still kept and hold the person, or may.

    Raises Conflict for a batch that cannot be judged anew.
    """
    found: dict[int, list[Held]] = {}
    for held in _held(uow, keys, erased=[one.id for one in erased]):
        found.setdefault(held.batch_id, []).append(held)
    for batch in uow.session.scalars(select(ImportBatch).where(ImportBatch.id.in_(found))):
        rows = {held.row_no: held for held in found[batch.id]}
        if batch.state == "checked":
            _hold(uow, keys, batch, rows)
        else:
            # Written or dropped: they would be deleted soon anyway.
            gone = delete(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_no.in_(rows))
            uow.session.execute(gone, execution_options={"synchronize_session": False})
        mended = update(ImportRepair).where(ImportRepair.batch_id == batch.id, ImportRepair.row_no.in_(rows))
        uow.session.execute(
            mended.values(old_value=None, new_value=None), execution_options={"synchronize_session": False}
        )
        # The examples of changes name people.
        counts = {key: value for key, value in batch.counts.items() if key != "samples"}
        if "written" in counts:
            counts["written"] = {key: value for key, value in counts["written"].items() if key != "samples"}
        batch.counts = counts
    uow.session.flush()
    return _files(uow, set(found))


def hold_back_erased(uow: Uow, keys: TenantKeys, batch: ImportBatch) -> int:
    """At the check of a file: rows of erased persons wait for a person, with their households, and lose what they say.
    Returns how many."""
    held = {one.row_no: one for one in _held(uow, keys, batch=batch)}
    if held:
        _stage(uow, keys, held)
        scoped_sql(uow.session, _SCRUB, {"batch": batch.id})
        scoped_sql(uow.session, _HOLD, {"batch": batch.id})
    return len(held)


def _hold(uow: Uow, keys: TenantKeys, batch: ImportBatch, rows: dict[int, Held]) -> None:
    """As if somebody had emptied the rows by hand: all that depends on them is judged anew and counted."""
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Imports need a running instance."))

    def emptied(row: MendedRow) -> None:
        out = row.mends.get(WHOLE_ROW)
        row.mends = {WHOLE_ROW: out} if out else {}
        for column in [key for key in row.cells if key not in PLACE]:
            del row.cells[column]

    touch(uow, rows)
    actor = uow.actor
    # Comparing with the register is not what whoever erases has a right to; nothing of it is shown to them.
    uow.actor = system_actor(uow.tenant_id, "imports")
    try:
        rework = Rework(AtOnce(), uow, keys, batch, Judge(runtime, uow, batch))
        rework.foresee(emptied)
        rework.apply(emptied)
    finally:
        uow.actor = actor
    _stage(uow, keys, rows)
    scoped_sql(uow.session, _NAMED, {"batch": batch.id})
    ((errors, wrong),) = scoped_rows(uow.session, _ERRORS, {"batch": batch.id})
    batch.counts = {**batch.counts, "errors": int(errors), "error_rows": wrong}


def _stage(uow: Uow, keys: TenantKeys, rows: dict[int, Held]) -> None:
    context = payload_context(uow.tenant_id)
    numbers = list(rows)
    batch_id = next(iter(rows.values())).batch_id
    kept = scoped_rows(
        uow.session,
        "SELECT r.row_no, r.payload FROM import_row r"
        " WHERE {tenant:r} AND r.batch_id = :batch AND r.row_no = ANY(:rows)",
        {"batch": batch_id, "rows": numbers},
    )
    staged = []
    for row_no, payload in kept:
        whole = open_row(keys, context, payload)
        cells = {key: value for key, value in whole["cells"].items() if key in PLACE}
        out = {WHOLE_ROW: found} if (found := (whole.get("mends") or {}).get(WHOLE_ROW)) else None
        error = CellError(row_no, "name", "erased", {"request": rows[row_no].number})
        sealed = seal_row(keys, context, RosterRow(row_no, cells), {}, out)
        staged.append((row_no, rows[row_no].household_n, sealed, orjson.dumps([error.as_dict()]).decode()))
    stage_rows(uow.session, "stage_erased", _STAGE, staged)


def _held(
    uow: Uow, keys: TenantKeys, *, batch: ImportBatch | None = None, erased: Sequence[int] | None = None
) -> Iterator[Held]:
    """Staged rows of erased persons; of ``batch`` (None: of all), by ``erased`` (None: by all of them)."""
    params = {"batch": batch.id if batch is not None else None, "erased": list(erased) if erased is not None else None}
    candidates = scoped_rows(uow.session, _FOUND, params)
    wanted = select(ErasedPerson).where(ErasedPerson.id.in_({row[4] for row in candidates}))
    known = {one.id: one for one in uow.session.scalars(wanted)} if candidates else {}
    context, seen = payload_context(uow.tenant_id), set()
    for batch_id, row_no, household_n, payload, id, by_number in candidates:
        name = open_row(keys, context, payload)["values"].get("name", "")
        # Without a number on both sides the name within the household says who it is.
        theirs = by_number if by_number is not None else _name_key(keys, name) == known[id].name_key
        if not theirs or (batch_id, row_no) in seen or (batch is not None and not _stands(uow, known[id], batch, name)):
            continue
        seen.add((batch_id, row_no))
        yield Held(batch_id, row_no, household_n, known[id].number)


def _stands(uow: Uow, one: ErasedPerson, batch: ImportBatch, name: str) -> bool:
    """Whether the erasure holds for a file: always for one from before it; for later ones only where everything was
    erased and nobody has registered the person again by hand."""
    if batch.created_at <= one.at:
        return True
    if not one.whole:
        return False
    again = select(func.count()).select_from(Person).where(Person.state == "active", Person.erased_at.is_(None))
    if one.id_number_index is not None:
        again = again.where(Person.id_number_index == one.id_number_index)
    else:
        again = again.where(Person.household_id == one.household_id, Person.name == name)
    with uow.tenant_wide("whether the person was registered again, wherever that was"):
        return not uow.session.scalar(again)


def _name_key(keys: TenantKeys, name: str) -> int:
    return int.from_bytes(blind_index(keys, "import.name", name)[:8], "big", signed=True)


def _files(uow: Uow, sure: set[int]) -> list[KeptFile]:
    """Uploaded files that are still kept and hold the person, or whose rows are gone so that nobody can say."""
    now = datetime.now(UTC)
    rows = select(ImportRow.id).where(ImportRow.batch_id == ImportBatch.id).exists()
    rows_of_repair = select(ImportRow.id).where(ImportRow.batch_id == ImportRepair.batch_id).exists()
    statement = select(ImportBatch, StoredFile.expires_at, rows).join(
        StoredFile, (StoredFile.tenant_id == ImportBatch.tenant_id) & (StoredFile.id == ImportBatch.file_id)
    )
    found = []
    for batch, until, staged in uow.session.execute(statement.order_by(ImportBatch.id)):
        gone = until is not None and until <= now
        if not gone and (batch.id in sure or not staged):
            found.append(KeptFile(batch.id, batch.file_name, until, batch.id in sure))
    # Error workbooks that came back hold some of the rows of their file.
    returned = ImportRepair.result["file_id"].as_integer()
    back = (
        select(ImportRepair.batch_id, StoredFile.name, StoredFile.expires_at, rows_of_repair)
        .join(StoredFile, (StoredFile.tenant_id == ImportRepair.tenant_id) & (StoredFile.id == returned))
        .where(ImportRepair.kind == "workbook")
        .order_by(ImportRepair.id)
    )
    for batch_id, name, until, staged in uow.session.execute(back):
        gone = until is not None and until <= now
        if not gone and (batch_id in sure or not staged):
            found.append(KeptFile(batch_id, name, until, sure=False))
    return found


__all__ = ["KeptFile", "erase_staged", "hold_back_erased", "remember_erased"]
