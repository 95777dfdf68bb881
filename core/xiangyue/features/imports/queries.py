"""Reads of imports: batches, their errors by cell, and what a county's roster may hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from xiangyue.access.actor import Actor
from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.areas.models import Area
from xiangyue.features.households.models import CustomField, MarkKind
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.imports.models import ImportBatch, ImportMapping
from xiangyue.features.imports.offered import offered_columns
from xiangyue.features.imports.policy import IMPORT_RUN, ROSTER, UPDATE
from xiangyue.features.imports.registers import columns_of_kind, cut, is_register, known_registers
from xiangyue.features.imports.roster_areas import AreaRow
from xiangyue.features.imports.roster_columns import Column, roster_columns
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_update import update_columns
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job


def import_ranges(actor: Actor, permission: Permission = HOUSEHOLD_EDIT) -> tuple[Range, ...] | None:
    """Where the actor may import: has the right to import and to edit households, or that of a register. None: the
    whole county."""
    return cut(actor.ranges(IMPORT_RUN), actor.ranges(permission))


def as_json(ranges: tuple[Range, ...] | None) -> list[list[int]] | None:
    return None if ranges is None else [list(r) for r in ranges]


def _visible(uow: Uow) -> list[ColumnElement[bool]]:
    """Whoever may import in the whole county sees all of a kind; others their own and those of colleagues with the same
    area. Kinds beside the roster have a right of their own; without it nobody sees even what he or she uploaded."""
    rights: dict[str | None, Permission] = {None: HOUSEHOLD_EDIT}
    rights |= {register.key: register.permission for _c, register in known_registers(uow)}
    kinds = [(kind, import_ranges(uow.actor, permission)) for kind, permission in rights.items()]
    if all(ranges is None for _kind, ranges in kinds):
        return []
    lost = [kind for kind, ranges in kinds if ranges == ()]
    no_longer = [key for kind in lost for key in ((kind,) if kind is not None else (ROSTER, UPDATE))]
    seen = [and_(ImportBatch.created_by == (uow.actor.account_id or 0), ImportBatch.kind.not_in(no_longer))]
    for kind, ranges in kinds:
        of_kind = ImportBatch.kind == kind if kind is not None else ImportBatch.kind.in_((ROSTER, UPDATE))
        if ranges is None:
            seen.append(of_kind)
        elif kind is None or ranges:
            seen.append(and_(of_kind, ImportBatch.scope_ranges == type_coerce(as_json(ranges), JSONB)))
    return [or_(*seen)]


def get_batch(uow: Uow, id: int, *, lock: bool = False) -> ImportBatch:
    """A batch the actor may see; NotFound for any other."""
    statement = select(ImportBatch).where(ImportBatch.id == id, *_visible(uow))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    batch = uow.session.scalars(statement).one_or_none()
    if batch is None:
        raise NotFound(_l("There is no such import, or it lies outside your area."))
    return batch


def batch_job(uow: Uow, batch: ImportBatch) -> Job | None:
    """The batch's latest job: of its check, then of its writing."""
    if batch.job_id is None:
        return None
    return uow.session.scalars(select(Job).where(Job.id == batch.job_id)).one_or_none()


def list_batches(
    uow: Uow, *, state: str | None = None, kind: str = "", q: str = "", limit: int = 50, before: int | None = None
) -> list[ImportBatch]:
    """Batches the actor may see, newest first. ``q``: part of the file's name, the source, or who uploaded it;
    ``before``: the id after which the page begins."""
    statement = select(ImportBatch).where(*_visible(uow))
    if state:
        statement = statement.where(ImportBatch.state == state)
    if kind:
        statement = statement.where(ImportBatch.kind == kind)
    if q:
        texts = (ImportBatch.file_name, ImportBatch.source, ImportBatch.created_by_name)
        statement = statement.where(or_(*(text.icontains(q, autoescape=True) for text in texts)))
    if before is not None:
        statement = statement.where(ImportBatch.id < before)
    return list(uow.session.scalars(statement.order_by(ImportBatch.id.desc()).limit(limit)))


def waiting_batches(uow: Uow) -> list[ImportBatch]:
    """The actor's own batches that wait: for their columns to be matched, or to be written."""
    if uow.actor.account_id is None or not uow.actor.can(IMPORT_RUN):
        return []
    statement = (
        select(ImportBatch)
        .where(
            ImportBatch.created_by == uow.actor.account_id,
            ImportBatch.state.in_(("checked", "mapping")),
            *_visible(uow),
        )
        .order_by(ImportBatch.id.desc())
        .limit(10)
    )
    return list(uow.session.scalars(statement))


def mapping_key(kind: str, fingerprint: str) -> str:
    """By what it is remembered where the columns of such a file go: rosters and changes of them go the same way."""
    return f"{kind}:{fingerprint}" if is_register(kind) else fingerprint


def remembered(uow: Uow, kind: str, fingerprint: str) -> dict[int, str] | None:
    """Where the columns of such a file go (position -> key), as somebody of the county last decided; None for a new
    kind of file."""
    statement = select(ImportMapping.targets).where(ImportMapping.fingerprint == mapping_key(kind, fingerprint))
    targets = uow.session.scalars(statement).one_or_none()
    return None if targets is None else {int(position): key for position, key in targets.items()}


#: In the place of a fingerprint: what was decided of single headings, by `roster_header.heading_key`.
HEADINGS = "headings"


def remembered_headings(uow: Uow, kind: str) -> dict[str, str]:
    """Where headings that are not known went in files of the kind, as somebody of the county last decided."""
    statement = select(ImportMapping.targets).where(ImportMapping.fingerprint == mapping_key(kind, HEADINGS))
    return dict(uow.session.scalars(statement).one_or_none() or {})


_ERRORS = """
SELECT r.row_no, e.place, e.value
  FROM import_row r, jsonb_array_elements(r.errors) WITH ORDINALITY AS e(value, place)
 WHERE {tenant:r} AND r.batch_id = :batch AND r.error_count > 0
   AND (r.row_no > :row OR (r.row_no = :row AND e.place > :place))
   AND (CAST(:code AS text) = '' OR e.value->>'code' = :code)
   AND (CAST(:column AS text) = '' OR e.value->>'column' = :column)
 ORDER BY r.row_no, e.place LIMIT :limit
"""

_KINDS = """
SELECT e.value->>'code', count(*)
  FROM import_row r, jsonb_array_elements(r.errors) AS e(value)
 WHERE {tenant:r} AND r.batch_id = :batch AND r.error_count > 0
 GROUP BY 1 ORDER BY 2 DESC, 1
"""


def list_errors(
    uow: Uow,
    batch_id: int,
    *,
    code: str | None = None,
    column: str | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> tuple[list[CellError], tuple[int, int] | None]:
    """Errors by cell in the sheet's order, and where the next page begins (None on the last).

    The caller has checked that the batch may be seen (``get_batch``).
    """
    row, place = after or (0, 0)
    values: dict[str, Any] = {"batch": batch_id, "code": code or "", "column": column or "", "limit": limit + 1}
    rows = scoped_rows(uow.session, _ERRORS, {**values, "row": row, "place": place})
    more, rows = len(rows) > limit, rows[:limit]
    return [CellError.from_dict(value) for _row, _place, value in rows], rows[-1][:2] if more else None


def error_kinds(uow: Uow, batch_id: int) -> list[tuple[str, int]]:
    """Codes of the batch's errors with their numbers, the most frequent first."""
    return [(code, n) for code, n in scoped_rows(uow.session, _KINDS, {"batch": batch_id})]


def columns_of(uow: Uow) -> tuple[Column, ...]:
    """The roster's columns of this county: the standard ones, its own fields, and those of its plugins."""
    return roster_columns(custom_fields(uow), mark_kinds(uow), offered_columns(uow))


def columns_for(uow: Uow, batch: ImportBatch) -> tuple[Column, ...]:
    """What the columns of the batch's file may go to."""
    return columns_of_file(uow, batch.kind)


def columns_of_file(uow: Uow, kind: str) -> tuple[Column, ...]:
    """What the columns of such a file may go to."""
    if is_register(kind):
        return columns_of_kind(uow, kind)
    return update_columns(columns_of(uow)) if kind == UPDATE else columns_of(uow)


def custom_fields(uow: Uow) -> list[CustomField]:
    statement = select(CustomField).where(CustomField.active)
    return list(uow.session.scalars(statement.order_by(CustomField.entity, CustomField.position, CustomField.id)))


def mark_kinds(uow: Uow) -> list[MarkKind]:
    statement = select(MarkKind).where(MarkKind.active)
    return list(uow.session.scalars(statement.order_by(MarkKind.position, MarkKind.id)))


def county_areas(uow: Uow) -> list[AreaRow]:
    """All areas of the county: a sheet names them, whoever may write there."""
    with uow.tenant_wide("names of areas are known to everybody in the county"):
        statement = select(Area).where(Area.active).order_by(Area.area_code)
        return [
            AreaRow(
                area.area_code,
                area.level,
                area.official_name,
                area.name,
                area.parent_code or None,
                tuple(area.former_names),
            )
            for area in uow.session.scalars(statement)
        ]


def areas_to_fill(uow: Uow, ranges: Iterable[Range] | None) -> list[AreaRow]:
    """Areas for the template of somebody who may import in ``ranges``: those inside, and the towns above them."""
    areas = county_areas(uow)
    if ranges is None:
        return areas
    inside = [a for a in areas if any(lo <= a.code <= hi for lo, hi in ranges)]
    known = {a.code for a in inside}
    towns = {a.code // 10**6 * 10**6 for a in inside} - known
    return sorted(inside + [a for a in areas if a.code in towns], key=lambda a: a.code)
