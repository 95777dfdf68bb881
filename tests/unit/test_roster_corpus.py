"""Messy files as counties have them, each with what exactly becomes of it."""

from __future__ import annotations

import pytest
from tests.corpus.case import Case
from tests.corpus.cells import CELLS
from tests.corpus.files import FILES
from tests.unit.roster_samples import COLUMNS, brief, checker

from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.features.imports.roster_read import SKIPPED, read_rows

CASES = (*FILES, *CELLS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_becomes_of_a_messy_file(case: Case) -> None:
    data = case.data()
    if case.problem:
        with pytest.raises(RosterFileError) as caught:
            read_rows(data, COLUMNS)
        assert caught.value.code == case.problem
        return
    sheet = read_rows(data, COLUMNS)
    assert [(problem.code, problem.header) for problem in sheet.problems] == list(case.headings)
    assert sheet.others == list(case.others)
    if sheet.blocking:
        return
    judge = checker()
    checked = [judge.check_row(row) for row in sheet.rows]
    errors = [error for row in checked for error in row.errors] + judge.finish()
    expected = [(row, column, kind) for row, column, kind, _suggestion in case.errors]
    assert brief(errors) == expected
    assert [error.suggestion for error in errors] == [suggestion for *_place, suggestion in case.errors]
    wrong = {error.row for error in errors}
    assert [row.row_no for row in checked if row.row_no not in wrong] == list(case.taken)
    assert sheet.skipped == {**dict.fromkeys(SKIPPED, 0), **case.skipped}
    by_row = {row.row_no: row.values for row in checked}
    for number, key, value in case.values:
        assert by_row[number][key] == value


def test_the_files_have_names_of_their_own_and_say_what_is_wrong() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.wrong for case in CASES)
