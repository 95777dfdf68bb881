"""Judging the rows of a declared register, in the same steps as a roster's: at the check, and again after repairs."""

from __future__ import annotations

from functools import partial
from typing import Any

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.imports import queries
from xiangyue.features.imports.judging import Checker, Grouping, Judge, RowKeys
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import UPDATE
from xiangyue.features.imports.register_check import RegisterChecker
from xiangyue.features.imports.register_trial import NUMBERS, Comparer, compare_rows, leave_out
from xiangyue.features.imports.registers import check_register_on, find_register, is_register
from xiangyue.features.imports.roster_areas import ListAreaIndex
from xiangyue.features.imports.roster_places import row_text, sheet_names
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.trial import Watch
from xiangyue.features.imports.update_judge import UpdateJudge
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime


def judge_of(runtime: Runtime, uow: Uow, batch: ImportBatch) -> Judge:
    """What the batch's rows are judged by. Raises Conflict for a register whose plugin is off."""
    if is_register(batch.kind):
        return RegisterJudge(uow, batch)
    return (UpdateJudge if batch.kind == UPDATE else Judge)(runtime, uow, batch)


class RegisterJudge(Judge):
    """Each row stands for itself; its record is what two rows may not share."""

    numbers = NUMBERS
    by_itself = False

    def __init__(self, uow: Uow, batch: ImportBatch) -> None:
        found = find_register(uow, batch.kind)
        if found is None:
            check_register_on(uow, batch)
            raise Conflict(_l("This import was discarded, or is being checked by newer work."))
        self.found = found
        self.columns = queries.columns_for(uow, batch)
        self.areas = queries.county_areas(uow)
        self._index = ListAreaIndex(self.areas)
        self._batch = batch
        self.scope = batch_scope(uow, batch)

    def checker(self) -> Checker:
        text = partial(row_text, sheets=sheet_names(self._batch.header))
        return RegisterChecker(self.found[1], self.columns, self._index, row_text=text)

    def grouping(self) -> Grouping:
        return _Rows()

    def row_keys(self, keys: TenantKeys) -> RowKeys:
        return _RecordKeys(keys)

    def leads(self, values: dict[str, Any]) -> bool:
        return True

    def identity(self, values: dict[str, Any]) -> str | None:
        found: str | None = values.get("identity")
        return found

    def try_out(
        self, watch: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, *, again: bool = False
    ) -> dict[str, Any]:
        comparer = Comparer(uow, keys, self.found, self.scope, batch)
        tried = compare_rows(watch, uow, keys, batch, comparer, again=again)
        if tried.errors:
            leave_out(uow, keys, batch, tried.errors)
        return {"valid_households": tried.rows, **tried.as_dict(), "conflicts": []}

    def tried(self, uow: Uow, keys: TenantKeys, batch: ImportBatch) -> dict[str, Any]:
        comparer = Comparer(uow, keys, self.found, self.scope, batch)
        return compare_rows(_Nobody(), uow, keys, batch, comparer, again=True).as_dict()


def batch_scope(uow: Uow, batch: ImportBatch) -> Scope:
    """Where the uploader could import when the file came."""
    ranges = batch.scope_ranges
    return Scope(uow.tenant_id, None if ranges is None else tuple((lo, hi) for lo, hi in ranges))


class _Nobody:
    def progress(self, done: int, total: int, step: Any = "") -> None: ...

    def check_cancelled(self) -> None: ...


class _Rows(Grouping):
    def number(self, row: RosterRow, values: dict[str, Any], *, adjacent: bool = True) -> int:
        self.count += 1
        return row.number


class _RecordKeys(RowKeys):
    def household(self, row: RosterRow, values: dict[str, Any]) -> int | None:
        return None

    def person(self, values: dict[str, Any]) -> int | None:
        """Of what the record is known by."""
        identity = values["identity"]
        if identity is None:
            return None
        return int.from_bytes(blind_index(self._keys, "import.record", identity)[:8], "big", signed=True)
