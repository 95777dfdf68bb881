"""Messy files as counties have them, each with what exactly becomes of it."""

from __future__ import annotations

import pytest
from tests.corpus.case import Case
from tests.corpus.cells import CELLS
from tests.corpus.files import FILES
from tests.corpus.shapes import SHAPES
from tests.unit.roster_samples import COLUMNS, brief, checker

from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.features.imports.roster_places import row_text
from xiangyue.features.imports.roster_read import SKIPPED, read_book

CASES = (*FILES, *CELLS, *SHAPES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_becomes_of_a_messy_file(case: Case) -> None:
    data = case.data()
    if case.problem:
        with pytest.raises(RosterFileError) as caught:
            read_book(data, COLUMNS)
        assert caught.value.code == case.problem
        return
    book = read_book(data, COLUMNS)
    sheets = book.sheets
    names = [sheet.name for sheet in book.found] if len(sheets) > 1 else []
    assert [(problem.code, problem.header) for sheet in sheets for problem in sheet.problems] == list(case.headings)
    assert book.aside == list(case.others)
    if any(sheet.blocking for sheet in sheets):
        return
    judge = checker()
    checked = [judge.check_row(row) for sheet in sheets for row in sheet.rows]
    errors = [error for row in checked for error in row.errors] + judge.finish()
    expected = [(row, column, kind) for row, column, kind, _suggestion in case.errors]
    assert [(row_text(row, names), column, kind) for row, column, kind in brief(errors)] == expected
    assert [error.suggestion for error in errors] == [suggestion for *_place, suggestion in case.errors]
    wrong = {error.row for error in errors}
    assert [row_text(row.row_no, names) for row in checked if row.row_no not in wrong] == list(case.taken)
    skipped = {kind: sum(sheet.skipped[kind] for sheet in sheets) for kind in SKIPPED}
    assert skipped == {**dict.fromkeys(SKIPPED, 0), **case.skipped}
    assert sum(sheet.above.filled for sheet in sheets if sheet.above) == case.filled
    by_row = {row_text(row.row_no, names): row.values for row in checked}
    for number, key, value in case.values:
        assert by_row[number][key] == value


def test_the_files_have_names_of_their_own_and_say_what_is_wrong() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.wrong for case in CASES)
