"""Rows of a sheet between check and register: encrypted in ``import_row``, in the order of their households."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import partial
from typing import Any

import orjson

from xiangyue.access.crypto import TenantKeys, column_context, decrypt, encrypt, sealer
from xiangyue.db.sql import scoped_bytes, scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk import HouseholdRow, PersonValues
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_match import FileColumn
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import Cell, RosterRow
from xiangyue.files.service import read_file
from xiangyue.runtime import Runtime
from xiangyue.text.codes import HEAD

#: Rows fetched at a time: those of about as many households as are written or compared at a time.
_FETCH = 6000


def seal_upload(uow: Uow, parts: Runtime, data: bytes) -> bytes:
    """An uploaded file as it is stored: a roster is full of personal data, so not even the disk sees it."""
    return encrypt(parts.tenant_keys(uow), data, _upload_context(uow.tenant_id))


def read_upload(uow: Uow, parts: Runtime, file_id: int) -> bytes:
    """The uploaded file in the clear. Raises NotFound when it has been cleared away."""
    with read_file(uow, parts.storage, file_id) as stream:
        return decrypt(parts.tenant_keys(uow), stream.read(), _upload_context(uow.tenant_id))


def _upload_context(tenant_id: int) -> bytes:
    return column_context(tenant_id, "import_batch.file")


def seal_columns(keys: TenantKeys, tenant_id: int, columns: Sequence[FileColumn]) -> str:
    """The file's columns with their sample values, encrypted, as JSON can hold it."""
    data = orjson.dumps([column.as_dict() for column in columns])
    return b64encode(encrypt(keys, data, column_context(tenant_id, "import_batch.header"))).decode()


def open_columns(keys: TenantKeys, batch: ImportBatch) -> list[FileColumn]:
    """The columns of the batch's file, as its check saw them; none before that."""
    sealed = (batch.header or {}).get("file_columns")
    if not sealed:
        return []
    data = decrypt(keys, b64decode(sealed), column_context(batch.tenant_id, "import_batch.header"))
    return [FileColumn(**column) for column in orjson.loads(data)]


def payload_context(tenant_id: int) -> bytes:
    return column_context(tenant_id, "import_row.payload")


def errors_json(errors: Sequence[CellError]) -> str:
    """Errors as their column takes them."""
    return orjson.dumps([error.as_dict() for error in errors], default=str).decode() if errors else "[]"


#: Cells as they were in the file, and after each repair: column -> [[0, cell], [repair, cell], …], the last one holds.
Mends = dict[str, list[list[Any]]]


def row_sealer(keys: TenantKeys, tenant_id: int) -> Callable[[str | bytes], bytes]:
    """What `row_bytes` of many rows are encrypted with (`crypto.sealer`)."""
    return sealer(keys, payload_context(tenant_id))


def seal_row(
    keys: TenantKeys, context: bytes, row: RosterRow, values: dict[str, Any], mends: Mends | None = None
) -> bytes:
    """One row as it is stored: its cells (for the error workbook), the values understood and what was mended in it,
    encrypted."""
    return encrypt(keys, row_bytes(row, values, mends), context)


def row_bytes(row: RosterRow, values: dict[str, Any], mends: Mends | None = None) -> bytes:
    """The same before it is encrypted."""
    kept = {key: value for key, value in values.items() if value or value is False or value == 0}
    if custom := kept.get("custom"):
        kept["custom"] = {key: value for key, value in custom.items() if value is not None}
    whole = {"cells": row.cells, "values": kept, "mends": mends} if mends else {"cells": row.cells, "values": kept}
    return orjson.dumps(whole, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def open_row(keys: TenantKeys, context: bytes, payload: bytes) -> dict[str, Any]:
    """``cells``, ``values`` and, of a row that was mended, ``mends``."""
    row: dict[str, Any] = orjson.loads(decrypt(keys, payload, context))
    return row


def _plain(value: Cell) -> Any:
    """A cell that JSON does not hold as it is, reading back as the same text."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


@dataclass(slots=True)
class Household:
    """Rows of one household: the sheet's row numbers and the values of each, heads first as the sheet has them."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def head(self) -> tuple[int, dict[str, Any]]:
        """The row whose cells speak for the household."""
        return next((r for r in self.rows if r[1].get("relation") == HEAD), self.rows[0])

    def offered(self, columns: Iterable[Column]) -> Iterator[tuple[str, int, Any]]:
        """(column, row number, value) of the filled cells of plugins' columns."""
        for column in columns:
            for row_no, values in [self.head] if column.entity == "household" else self.rows:
                value = values.get("custom", {}).get(column.key)
                if value is not None:
                    yield column.key, row_no, date.fromisoformat(value) if column.kind == "date" else value

    def as_row(self) -> HouseholdRow:
        """What the register takes; address, income and own fields are those of the head's row."""
        head_no, head = self.head
        income = head.get("household_income")
        return HouseholdRow(
            area_code=head["area_code"],
            code=f"{head['village_code'] // 1000}{head['household_no']}",
            address=head.get("address", ""),
            persons=[_person(row_no, values) for row_no, values in self.rows],
            income=None if income is None else (head["income_year"], income),
            custom=_custom(head, "household"),
            row_no=head_no,
            clear=_clears(head, "household"),
        )


def _person(row_no: int, values: dict[str, Any]) -> PersonValues:
    born = values.get("birth_date")
    return {
        "name": values["name"],
        "relation": values.get("relation", ""),
        "sex": values.get("sex", 0),
        "birth_date": date.fromisoformat(born) if born else None,
        "nationality": values.get("nationality", ""),
        "id_number": values.get("id_number", ""),
        "phone": values.get("phone", ""),
        "away": values.get("away"),
        "marks": values.get("marks", ()),
        "custom": _custom(values, "person"),
        "row_no": row_no,
        "clear": _clears(values, "person"),
    }


def _clears(values: dict[str, Any], entity: str) -> Sequence[str]:
    """Facts of the household or person that are to say nothing, as the register calls them."""
    found = []
    for key in values.get("clear", ()):
        own = key.removeprefix(f"{entity}.")
        if own != key:
            found.append(f"custom.{own}")
        elif entity == "household" and key == "household_income":
            found.append(f"income.{values['income_year']}")
        elif "." not in key and (key == "address") == (entity == "household"):
            found.append(key)
    return found


def _custom(values: dict[str, Any], entity: str) -> dict[str, Any]:
    """Own fields of the entity by their key; the column's key is ``entity.key``."""
    prefix = f"{entity}."
    return {
        key.removeprefix(prefix): value
        for key, value in values.get("custom", {}).items()
        if key.startswith(prefix) and value is not None
    }


_ENDS = "SELECT min(r.id), max(r.id) FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch"
#: By ids between two bounds, and by no index of the batch (hence the + 0): of rows that this very transaction made
#: PostgreSQL knows nothing, and it would read all of the batch each time.
_READY = """
SELECT r.row_no, r.payload FROM import_row r
 WHERE {tenant:r} AND r.batch_id + 0 = :batch AND r.action = 'write' AND r.id BETWEEN :first AND :last
 ORDER BY r.id
"""
#: The same of the rows that stand in a temporary table; of the households that do.
_READY_AGAIN = _READY.replace(
    " ORDER BY", "   AND EXISTS (SELECT FROM stage_again a WHERE {tenant:a} AND a.row_no = r.row_no)\n ORDER BY"
)
# Tested so, the list is made once and not read through for each row.
_READY_MEETS = _READY.replace(
    " ORDER BY",
    "   AND (r.household_n IN (SELECT m.household_n FROM stage_meets m WHERE {tenant:m})) IS TRUE\n ORDER BY",
)


def ready_households(uow: Uow, keys: TenantKeys, batch_id: int, *, again: bool = False) -> Iterator[Household]:
    """The households of a batch that may be written, whole and one after the other. ``again``: only those with rows
    in the temporary table ``stage_again``."""
    for window in ready_windows(uow, keys, batch_id, again=again):
        yield from window()


def ready_windows(
    uow: Uow, keys: TenantKeys, batch_id: int, *, again: bool = False, meets: bool = False
) -> Iterator[Callable[[], list[Household]]]:
    """The same, some rows at a time: to go on asks PostgreSQL; to call what comes opens the rows, in any thread but in
    their order. A household that goes on in the next rows comes with those. ``meets``: only the households in the
    temporary table ``stage_meets`` (`sift`)."""
    makes = _Households(keys, payload_context(uow.tenant_id))
    statement = _READY_AGAIN if again else _READY_MEETS if meets else _READY
    ((first, last),) = scoped_rows(uow.session, _ENDS, {"batch": batch_id})
    if first is None:
        return
    # Ids of a batch are close together: they were drawn in one statement.
    for start in range(first, last + 1, _FETCH):
        params = {"batch": batch_id, "first": start, "last": start + _FETCH - 1}
        rows = scoped_bytes(uow.session, statement, params)
        if rows or start + _FETCH > last:
            yield partial(makes.of, rows, last=start + _FETCH > last)


class _Households:
    """Puts rows together, which come in the order of their households."""

    def __init__(self, keys: TenantKeys, context: bytes) -> None:
        self._keys, self._context = keys, context
        self._open = Household()
        self._key: tuple[int, str] | None = None

    def of(self, rows: Sequence[tuple[Any, ...]], *, last: bool) -> list[Household]:
        """The households that are whole with these rows."""
        whole: list[Household] = []
        for row_no, payload in rows:
            values = orjson.loads(decrypt(self._keys, payload, self._context))["values"]
            own = (values["village_code"], values["household_no"])
            if own != self._key:
                if self._key is not None:
                    whole.append(self._open)
                self._open, self._key = Household(), own
            self._open.rows.append((row_no, values))
        if last and self._key is not None:
            whole.append(self._open)
        return whole


_OF_ROWS = """
SELECT r.row_no, r.payload FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch AND r.action = 'write' AND r.household_n = ANY(ARRAY(
       SELECT x.household_n FROM import_row x
        WHERE {tenant:x} AND x.batch_id = :batch AND x.row_no = ANY(CAST(:rows AS int[]))))
 ORDER BY r.household_n, r.row_no
"""


def households_of(uow: Uow, keys: TenantKeys, batch_id: int, rows: Sequence[int]) -> list[Household]:
    """The households to which these rows belong, of those that may be written."""
    found = scoped_bytes(uow.session, _OF_ROWS, {"batch": batch_id, "rows": list(rows)}) if rows else []
    return _Households(keys, payload_context(uow.tenant_id)).of(found, last=True)


_IN_ORDER = """
SELECT r.row_no, r.payload FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch AND r.action = 'write' AND r.row_no > :after
 ORDER BY r.row_no LIMIT :limit
"""
_IN_ORDER_AGAIN = _IN_ORDER.replace(
    " ORDER BY", "   AND EXISTS (SELECT FROM stage_again a WHERE {tenant:a} AND a.row_no = r.row_no)\n ORDER BY"
)


def ready_rows(
    uow: Uow, keys: TenantKeys, batch_id: int, *, again: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, values) of each row that may be written, in the sheet's order. ``again``: see `ready_households`."""
    context, statement = payload_context(uow.tenant_id), _IN_ORDER_AGAIN if again else _IN_ORDER
    after = 0
    while True:
        found = scoped_bytes(uow.session, statement, {"batch": batch_id, "after": after, "limit": _FETCH})
        for row_no, payload in found:
            yield row_no, orjson.loads(decrypt(keys, payload, context))["values"]
        if len(found) < _FETCH:
            return
        after = found[-1][0]


_WRONG = """
SELECT r.row_no, r.payload, r.errors FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch AND r.action = 'error' AND r.row_no > :after
 ORDER BY r.row_no LIMIT :limit
"""


def wrong_rows(uow: Uow, keys: TenantKeys, batch_id: int) -> Iterator[tuple[RosterRow, Sequence[CellError]]]:
    """All rows of the households that have errors, in the order of the file, with the errors of each row."""
    context = payload_context(uow.tenant_id)
    after = 0
    while True:
        found = scoped_rows(uow.session, _WRONG, {"batch": batch_id, "after": after, "limit": _FETCH})
        for row_no, payload, errors in found:
            cells = orjson.loads(decrypt(keys, payload, context))["cells"]
            yield RosterRow(row_no, cells), [CellError.from_dict(error) for error in errors]
        if len(found) < _FETCH:
            return
        after = found[-1][0]


def cells_of(uow: Uow, keys: TenantKeys, batch_id: int, row_nos: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Cells of single rows, by row number."""
    rows = scoped_rows(
        uow.session,
        "SELECT r.row_no, r.payload FROM import_row r"
        " WHERE {tenant:r} AND r.batch_id = :batch AND r.row_no = ANY(:rows)",
        {"batch": batch_id, "rows": list(row_nos)},
    )
    context = payload_context(uow.tenant_id)
    return {row_no: orjson.loads(decrypt(keys, payload, context))["cells"] for row_no, payload in rows}
