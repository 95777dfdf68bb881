"""The dry run: what writing the staged rows would do, and which of them the register would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from xiangyue.access.audit import plain
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households.bulk import BulkConflict, BulkCounts, HouseholdRow, upsert_households
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.queries import mark_kinds
from xiangyue.features.imports.roster_check import shown
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.staging import cells_of, ready_households
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext

COMPARING = _l("Comparing with the register")

#: Each round leaves out what the one before found; more than a few would mean that something else is wrong.
_ROUNDS = 5

#: Kind of conflict -> (column that shows it, code of the message).
_CELLS = {
    "area_unknown": ("group", "group_unknown"),
    "area_outside": ("village", "outside_area"),
    "household_elsewhere": ("household_no", "household_elsewhere"),
    "household_twice": ("household_no", "household_twice"),
    "head_other": ("relation", "head_other"),
    "person_elsewhere": ("id_number", "person_elsewhere"),
    "person_twice": ("id_number", "person_twice"),
    "mark_unknown": ("marks", "mark_unknown"),
    "mark_forbidden": ("marks", "mark_forbidden"),
}

_LEAVE_OUT = """
UPDATE import_row r
   SET errors = r.errors || c.errors, error_count = r.error_count + c.error_count, action = 'error'
  FROM stage_import_cross c
 WHERE {tenant:r} AND {tenant:c} AND r.batch_id = :batch AND r.row_no = c.row_no
"""
_CROSS = {"row_no": "int", "errors": "jsonb", "error_count": "int"}


def try_out(context: JobContext, uow: Uow, keys: TenantKeys, batch: ImportBatch) -> dict[str, Any]:
    """Compare the staged households with the register; those it would refuse become errors by cell.

    Returns ``valid_households``, the numbers of `BulkCounts` and ``samples`` of changes. Writes nothing else.
    """
    for _round in range(_ROUNDS):
        run = _Trial(context, uow, keys, batch)
        counts = run.compare()
        if not counts.conflicts:
            return {
                "valid_households": run.households,
                **counts.numbers(),
                "samples": _samples(counts),
                "conflicts": [],
            }
        run.leave_out(counts.conflicts)
    raise Conflict(_l("The register changes faster than it can be compared. Check again later."))


class _Trial:
    def __init__(self, context: JobContext, uow: Uow, keys: TenantKeys, batch: ImportBatch) -> None:
        self.context, self.uow, self.keys, self.batch = context, uow, keys, batch
        self.households = 0
        #: Row number -> row numbers of its household.
        self.together: dict[int, tuple[int, ...]] = {}

    def compare(self) -> BulkCounts:
        total = max(len(self.together), int(self.batch.counts.get("households", 0)))

        def progress(done: int) -> None:
            self.context.progress(done, max(total, done), COMPARING)
            self.context.check_cancelled()

        progress(0)
        return upsert_households(
            self.uow, self.keys, self._rows(), batch_id=self.batch.id, dry_run=True, progress=progress
        )

    def _rows(self) -> Iterator[HouseholdRow]:
        for household in ready_households(self.uow, self.keys, self.batch.id):
            self.households += 1
            members = tuple(row_no for row_no, _values in household.rows)
            for row_no in members:
                self.together[row_no] = members
            yield household.as_row()

    def leave_out(self, conflicts: list[BulkConflict]) -> None:
        """Note the conflicts at their cells and take their whole households out."""
        cells = cells_of(self.uow, self.keys, self.batch.id, [conflict.row_no for conflict in conflicts])
        names = {kind.key: kind.name for kind in mark_kinds(self.uow)}
        by_row: dict[int, list[CellError]] = {}
        for conflict in conflicts:
            column, code = _CELLS.get(conflict.kind, ("household_no", "not_taken"))
            params = {"mark": names.get(conflict.detail, conflict.detail)} if column == "marks" else {}
            text = shown(column, cells.get(conflict.row_no, {}).get(column))
            by_row.setdefault(conflict.row_no, []).append(CellError(conflict.row_no, column, code, params, text))
        affected = {row_no for conflict in conflicts for row_no in self.together.get(conflict.row_no, ())}
        staged = (
            (
                row_no,
                orjson.dumps([error.as_dict() for error in by_row.get(row_no, ())]).decode(),
                len(by_row.get(row_no, ())),
            )
            for row_no in sorted(affected | set(by_row))
        )
        stage_rows(self.uow.session, "stage_import_cross", _CROSS, staged)
        scoped_sql(self.uow.session, _LEAVE_OUT, {"batch": self.batch.id})


def _samples(counts: BulkCounts) -> list[dict[str, Any]]:
    return [
        {"entity": s.entity, "label": s.label, "before": plain(s.before), "after": plain(s.after)}
        for s in counts.samples
    ]
