"""Rows made ready for COPY arrive as they were."""

from __future__ import annotations

from datetime import date

import pytest

from xiangyue.db.copying import copy_rows
from xiangyue.db.sql import fill_stage, scoped_rows
from xiangyue.testing.fixtures import County

COLUMNS = {"n": "int", "said": "text", "raw": "bytea", "known": "bool", "born": "date", "later": "int"}
ROWS = [
    (1, "王德福", b"\x00\x01\xff\\", True, date(1980, 1, 1)),
    (2, "a\tb\nc\rd\\N\\.\x0b\x0c\x08", b"", False, date(1900, 2, 28)),
    (3, "", None, None, None),
    (4, None, b"\\x", True, date(9999, 12, 31)),
    (-5, "𠮷\u3000\u200b", b"\t\n", False, None),
]


def test_every_kind_of_value_arrives_as_it_was(hanyin: County) -> None:
    with hanyin.uow(hanyin.actor()) as uow:
        assert fill_stage(uow.session, "stage_try", COLUMNS, copy_rows(ROWS)) == len(ROWS)
        found = scoped_rows(
            uow.session, "SELECT n, said, raw, known, born, later FROM stage_try s WHERE {tenant:s} ORDER BY abs(n)"
        )
        assert [(*row, None) for row in ROWS] == found


def test_no_rows_leave_the_table_empty(hanyin: County) -> None:
    with hanyin.uow(hanyin.actor()) as uow:
        assert fill_stage(uow.session, "stage_try", COLUMNS, copy_rows(ROWS)) == len(ROWS)
        assert fill_stage(uow.session, "stage_try", COLUMNS, copy_rows([])) == 0
        assert scoped_rows(uow.session, "SELECT n FROM stage_try s WHERE {tenant:s}") == []


def test_other_kinds_of_values_are_refused() -> None:
    with pytest.raises(KeyError):
        copy_rows([(1.5,)])
