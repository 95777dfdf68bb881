"""Checked rows on their way into ``import_row``: portion by portion while the next ones are judged, and at the end what
only the whole file can tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from xiangyue.db.sql import analyze_columns, fill_stage, read_once, scoped_rows, scoped_sql, stage_rows
from xiangyue.features.imports import sift
from xiangyue.features.imports.trial import CROSS, LEAVE_OUT

# ruff: noqa: S608 - statements are put together from constants of this module and another one only

#: Rows kept at a time: two portions are in memory at once.
_PORTION = 2_000
_PART = {
    "household_n": "int", "household_key": "bigint", "person_key": "bigint", "payload": "bytea", "row_no": "int",
    "errors": "text", "error_count": "int", "head": "bool", **sift.COLUMNS,
}  # fmt: skip
#: Places in a staged row.
_HOUSEHOLD, _ERRORS, _HEAD = 0, 6, 7
_SIFTED = {"household_n": "int", **sift.COLUMNS}
_NAMES = ", ".join(_SIFTED)

_KEEP = """
INSERT INTO import_row (tenant_id, batch_id, row_no, household_n, household_key, person_key, payload, errors,
                        error_count, action)
SELECT s.tenant_id, :batch, s.row_no, s.household_n, s.household_key, s.person_key, s.payload,
       CAST(s.errors AS jsonb), s.error_count, CASE WHEN s.error_count > 0 THEN 'error' ELSE 'write' END
  FROM stage_import_part s WHERE {tenant:s}
"""
_GATHER = f"INSERT INTO stage_import ({_NAMES}) SELECT {_NAMES} FROM stage_import_part s WHERE {{tenant:s}}"
_CROSSED = """
SELECT DISTINCT r.household_n FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch
   AND (r.row_no IN (SELECT c.row_no FROM stage_import_cross c WHERE {tenant:c})) IS TRUE
"""
#: Tested so, the list is made once: of rows made in this very transaction the planner believes that there is one.
_LEAVE_OUT_WHOLE = """
UPDATE import_row r SET action = 'error'
 WHERE {tenant:r} AND r.batch_id = :batch AND r.action <> 'error'
   AND (r.household_n IN (SELECT w.household_n FROM stage_import_wrong w WHERE {tenant:w})) IS TRUE
"""
_IN_ORDER = """
UPDATE import_row r SET id = o.id
  FROM (SELECT k.row_no, nextval('public.import_row_id_seq'::regclass) AS id
          FROM (SELECT x.row_no FROM import_row x WHERE {tenant:x} AND x.batch_id = :batch
                 ORDER BY x.household_n, x.row_no) k) o
 WHERE {tenant:r} AND r.batch_id = :batch AND r.row_no = o.row_no
"""


class RowStore:
    """Takes the rows of one check, each as `_PART` has it without what `sift` asks about where nobody asks."""

    def __init__(self, session: Session, batch_id: int, *, sifted: bool) -> None:
        self._session, self._batch, self._sifted = session, {"batch": batch_id}, sifted
        self._households: set[int] = set()
        #: Of those with an error of their own, and of those with a row that speaks for them.
        self._wrong: set[int] = set()
        self._led: set[int] = set()
        self._last: int | None = None
        #: Whether a household goes on after rows of another.
        self._torn = False

    def take(self, rows: Iterable[Sequence[Any]], *, aside: bool) -> int:
        """All rows; returns their number. ``aside``: the next ones are made while PostgreSQL keeps the last, so making
        them must not ask with this session."""
        if self._sifted:
            fill_stage(self._session, "stage_import", _SIFTED, ())
        source, count = iter(rows), 0
        with ThreadPoolExecutor(1, "rows") as thread:
            kept: Future[None] | None = None
            while portion := list(islice(source, _PORTION)):
                if kept is not None:
                    kept.result()
                kept = thread.submit(self._keep, portion)
                if not aside:
                    kept.result()
                count += len(portion)
                self._note(portion)
            if kept is not None:
                kept.result()
        if self._sifted:
            analyze_columns(self._session, "stage_import", tuple(_SIFTED))
        return count

    def finish(self, cross: Iterable[tuple[int, str, int]]) -> None:
        """Note errors between rows (`trial.CROSS`); leave out every household with an error, or without a row that
        speaks for it, whole; put households together that do not stand so in the file."""
        session = self._session
        wrong = self._wrong | (self._households - self._led)
        if stage_rows(session, "stage_import_cross", CROSS, cross):
            scoped_sql(session, LEAVE_OUT, self._batch)
            wrong |= {household for (household,) in scoped_rows(session, _CROSSED, self._batch)}
        if wrong:
            stage_rows(session, "stage_import_wrong", {"household_n": "int"}, ((n,) for n in sorted(wrong)))
            scoped_sql(session, _LEAVE_OUT_WHOLE, self._batch)
        if self._torn:
            with read_once(session):
                scoped_sql(session, _IN_ORDER, self._batch)

    def _keep(self, portion: Sequence[Sequence[Any]]) -> None:
        fill_stage(self._session, "stage_import_part", _PART, portion, binary=True)
        scoped_sql(self._session, _KEEP, self._batch)
        if self._sifted:
            scoped_sql(self._session, _GATHER)

    def _note(self, portion: Sequence[Sequence[Any]]) -> None:
        known, last = self._households, self._last
        for row in portion:
            household = row[_HOUSEHOLD]
            if household != last:
                self._torn = self._torn or household in known
                known.add(household)
                last = household
            if row[_ERRORS]:
                self._wrong.add(household)
            if row[_HEAD]:
                self._led.add(household)
        self._last = last
