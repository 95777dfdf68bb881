"""What is done with each row of a roster by itself: judged, encrypted, hashed. In any process (`helper`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.features.imports.judging import Judge
from xiangyue.features.imports.roster_between import Noted
from xiangyue.features.imports.roster_check import RosterChecker
from xiangyue.features.imports.roster_read import Cell, RosterRow
from xiangyue.features.imports.sift import Sieve
from xiangyue.features.imports.staging import errors_json, row_bytes, row_sealer

#: Rows that are judged at a time.
BLOCK = 500

#: A `RosterRow` that is quick to pickle.
Plain = tuple[int, dict[str, Cell]]
#: A row: what is staged of it behind its household's number, and what the other rows are compared with.
Worked = tuple[tuple[Any, ...], Noted]


class RowWork:
    """Works on blocks of rows; returns the rows and how many cells were mended without asking, by kind."""

    def __init__(self, judge: Judge, keys: TenantKeys, tenant_id: int, sieve: Sieve) -> None:
        self._judge, self._keys, self._tenant_id, self._sieve = judge, keys, tenant_id, sieve
        self._checker: RosterChecker = judge.roster_checker()
        self._row_keys = judge.row_keys(keys)

    def __call__(self, block: Sequence[Plain]) -> tuple[list[Worked], dict[str, int]]:
        checker = self._checker
        checker.repaired = {}
        seal = row_sealer(self._keys, self._tenant_id)
        return [self._row(checker, seal, RosterRow(*row)) for row in block], checker.repaired

    def _row(self, checker: RosterChecker, seal: Any, row: RosterRow) -> Worked:
        checked = self._judge.judge_row(checker, row)
        values, errors = checked.values, checked.errors
        staged = (
            self._row_keys.household(row, values),
            self._row_keys.person(values),
            seal(row_bytes(row, values)),
            row.number,
            errors_json(errors),
            len(errors),
            self._judge.leads(values),
            *self._sieve.of(values),
        )
        return staged, checker.noted(row, values)


def blocks_of(rows: Iterable[RosterRow]) -> Iterator[list[Plain]]:
    """The rows, some at a time."""
    source = ((row.number, row.cells) for row in rows)
    while block := list(islice(source, BLOCK)):
        yield block
