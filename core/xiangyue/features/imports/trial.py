"""The dry run: what writing the staged rows would do, and which of them the register would refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import orjson
from sqlalchemy import select

from xiangyue.access.audit import plain
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.policy import AREA_EDIT
from xiangyue.features.households.bulk import (
    FIRST_NEW,
    SAMPLES,
    BulkConflict,
    BulkCounts,
    HouseholdRow,
    upsert_households,
)
from xiangyue.features.households.bulk_ahead import Window
from xiangyue.features.imports.first_new import first_new
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.queries import mark_kinds
from xiangyue.features.imports.roster_check import shown
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.sift import Sifted, sift
from xiangyue.features.imports.speaking import speaks_of
from xiangyue.features.imports.staging import Household, cells_of, ready_windows
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l

__all__ = ["COMPARING", "CROSS", "FIRST_NEW", "LEAVE_OUT", "SAMPLES", "Watch", "enough", "samples_of", "try_out"]

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

LEAVE_OUT = """
UPDATE import_row r
   SET errors = r.errors || c.errors, error_count = r.error_count + c.error_count, action = 'error'
  FROM stage_import_cross c
 WHERE {tenant:r} AND {tenant:c} AND r.batch_id = :batch AND r.row_no = c.row_no
"""
CROSS = {"row_no": "int", "errors": "jsonb", "error_count": "int"}


class Watch(Protocol):
    """Who is told how far the work is, and may stop it: a job's context."""

    def progress(self, done: int, total: int, step: LazyText | str = "") -> None: ...

    def check_cancelled(self) -> None: ...


def try_out(
    context: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, *, again: bool = False, sifted: bool = False
) -> dict[str, Any]:
    """Compare the staged households with the register; those it would refuse become errors by cell.

    Returns ``valid_households``, the numbers of `BulkCounts` and ``samples``: the first new households (`first_new`),
    then changes. Writes nothing else.
    ``again``: of the households that were mended alone (`staging.ready_households`); ``sifted``: right after the check,
    whose rows still stand in ``stage_import``, so that only households that meet something are compared (`sift`).
    """
    new = sift(uow, batch.id) if sifted else None
    for _round in range(_ROUNDS):
        run = _Trial(context, uow, keys, batch, again, new)
        counts = run.compare()
        if not counts.conflicts:
            groups = _new_groups(uow, run.groups)
            if uow.actor.can(AREA_EDIT):
                counts.groups_new = len(groups)
            return {
                "valid_households": run.households,
                **counts.numbers(),
                "groups": groups if counts.groups_new else {},
                "samples": [*first_new(uow, keys, batch.id, counts.fresh), *samples_of(counts)],
                "conflicts": [],
            }
        run.leave_out(counts.conflicts)
    raise Conflict(_l("The register changes faster than it can be compared. Check again later."))


class _Trial:
    def __init__(
        self, context: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, again: bool, new: Sifted | None
    ) -> None:
        self.context, self.uow, self.keys, self.batch, self.again = context, uow, keys, batch, again
        self.new = new
        self.households = new.households if new is not None else 0
        #: Villager group -> households of it.
        self.groups: Counter[int] = Counter(new.groups if new is not None else ())
        #: Row number -> row numbers of its household.
        self.together: dict[int, tuple[int, ...]] = {}

    def compare(self) -> BulkCounts:
        total = max(len(self.together), int(self.batch.counts.get("households", 0)))

        def progress(done: int) -> None:
            self.context.progress(done, max(total, done), COMPARING)
            self.context.check_cancelled()

        progress(0)
        new = self.new
        if new is not None and not new.meets:
            return BulkCounts(households_new=new.households, persons_new=new.persons, fresh=new.first)
        counts = upsert_households(
            self.uow,
            self.keys,
            windows=self._windows(),
            batch_id=self.batch.id,
            dry_run=True,
            progress=progress,
            speaks=speaks_of(self.uow, self.batch),
        )
        if new is not None:
            counts.households_new += new.households
            counts.persons_new += new.persons
            counts.fresh = [*new.first, *counts.fresh][:FIRST_NEW]
        return counts

    def _windows(self) -> Iterator[Window]:
        for window in ready_windows(self.uow, self.keys, self.batch.id, again=self.again, meets=self.new is not None):
            yield partial(self._rows, window)

    def _rows(self, window: Callable[[], list[Household]]) -> list[HouseholdRow]:
        rows = []
        for household in window():
            self.households += 1
            members = tuple(row_no for row_no, _values in household.rows)
            for row_no in members:
                self.together[row_no] = members
            row = household.as_row()
            if row.area_code % 1000:
                self.groups[row.area_code] += 1
            rows.append(row)
        return rows

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
        stage_rows(self.uow.session, "stage_import_cross", CROSS, staged)
        scoped_sql(self.uow.session, LEAVE_OUT, {"batch": self.batch.id})


def _new_groups(uow: Uow, groups: Counter[int]) -> dict[str, int]:
    """Those of the groups that writing would make, with the number of their households."""
    with uow.tenant_wide("whether a group is there already"):
        known = set(uow.session.scalars(select(Area.area_code).where(Area.area_code.in_(groups))))
    return {str(code): number for code, number in groups.items() if code not in known}


def enough(samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many examples as are kept: the first new households with their persons, or records, and the first changes."""
    changed = [sample for sample in samples if sample["before"] is not None]
    rows = [sample["row"] for sample in samples if sample["before"] is None]
    first = list(dict.fromkeys(rows))[:FIRST_NEW]
    return [one for one in samples if one["before"] is None and one["row"] in first] + changed[:SAMPLES]


def samples_of(counts: BulkCounts) -> list[dict[str, Any]]:
    """The changes among the examples, as a batch keeps them."""
    return [
        {"entity": s.entity, "label": s.label, "before": plain(s.before), "after": plain(s.after)}
        for s in counts.samples
    ]
