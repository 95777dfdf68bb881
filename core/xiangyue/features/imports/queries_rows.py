"""Reads of an import's rows: with their cells and what is wrong in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.staging import open_row, payload_context
from xiangyue.i18n import lazy_gettext as _l

#: Which rows: with something wrong, left out, mended, all.
WHICH = ("wrong", "out", "mended", "all")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row as it stands now: cells by column (raw, in the clear), errors, whether it is left out; ``mended``: columns
    that were; ``household_n``: number of the first row of its household."""

    row_no: int
    cells: dict[str, Any]
    errors: list[CellError]
    out: bool
    mended: frozenset[str]
    household_n: int


_SELECT = "SELECT r.row_no, r.payload, r.errors, r.action, r.household_n FROM import_row r"
_ROWS = f"""
{_SELECT}
 WHERE {{tenant:r}} AND r.batch_id = :batch AND r.row_no > :after
   AND CASE CAST(:which AS text) WHEN 'wrong' THEN r.error_count > 0 WHEN 'out' THEN r.action = 'out'
            WHEN 'mended' THEN r.mended <> '[]' ELSE true END
   AND (CAST(:code AS text) = '' OR EXISTS (
        SELECT FROM jsonb_array_elements(r.errors) AS e(value) WHERE e.value->>'code' = :code))
   AND (CAST(:column AS text) = '' OR EXISTS (
        SELECT FROM jsonb_array_elements(r.errors) AS e(value) WHERE e.value->>'column' = :column))
 ORDER BY r.row_no LIMIT :limit
"""  # noqa: S608 - constants of this module
_ONE = f"{_SELECT} WHERE {{tenant:r}} AND r.batch_id = :batch AND r.row_no = :row"
_FAMILY = (
    f"{_SELECT} WHERE {{tenant:r}} AND r.batch_id = :batch AND r.household_n = :household ORDER BY r.row_no LIMIT 60"
)


def list_rows(
    uow: Uow,
    keys: TenantKeys,
    batch_id: int,
    *,
    which: str = "wrong",
    code: str = "",
    column: str = "",
    after: int = 0,
    limit: int = 25,
) -> tuple[list[SheetRow], int | None]:
    """Rows in the sheet's order, and where the next page begins (None on the last). ``code`` and ``column``: only rows
    with such an error. The caller has checked that the batch may be seen."""
    params = {"batch": batch_id, "which": which, "code": code, "column": column, "after": after, "limit": limit + 1}
    found = scoped_rows(uow.session, _ROWS, params)
    rows = [_row(uow, keys, values) for values in found[:limit]]
    return rows, rows[-1].row_no if len(found) > limit else None


def get_row(uow: Uow, keys: TenantKeys, batch_id: int, row_no: int) -> SheetRow:
    found = scoped_rows(uow.session, _ONE, {"batch": batch_id, "row": row_no})
    if not found:
        raise NotFound(_l("The file has no such row."))
    return _row(uow, keys, found[0])


def household_of(uow: Uow, keys: TenantKeys, batch_id: int, row: SheetRow) -> list[SheetRow]:
    """The rows of a row's household, itself among them; at most 60."""
    found = scoped_rows(uow.session, _FAMILY, {"batch": batch_id, "household": row.household_n})
    return [_row(uow, keys, values) for values in found]


def _row(uow: Uow, keys: TenantKeys, values: tuple[Any, ...]) -> SheetRow:
    row_no, payload, errors, action, household_n = values
    whole = open_row(keys, payload_context(uow.tenant_id), payload)
    mended = frozenset(column for column in whole.get("mends") or () if column)
    return SheetRow(
        row_no,
        whole["cells"],
        [CellError.from_dict(error) for error in errors],
        action == "out",
        mended,
        household_n,
    )
