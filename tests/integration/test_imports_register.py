"""An import of a register that a plugin declares: the same steps as a roster's, from the file to the undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from imports_kit import commit, job_of, undo
from registers_kit import checked, kinds, standing

from xiangyue.errors import Conflict
from xiangyue.features.imports import queries
from xiangyue.testing.fixtures import County


@pytest.fixture(name="county", scope="module")
def with_kinds(hanyin: County) -> Iterator[County]:
    with kinds(hanyin):
        yield hanyin


def test_rows_are_written_and_taken_back(county: County) -> None:
    first = checked(county, ["probe1", "甲", 1, "是", "关爱"], ["probe2", "乙", 2, "否", ""])
    assert first.state == "checked", first.problem
    assert first.counts["records_new"] == 2
    assert standing(county) == {}
    first = commit(county, first)
    assert first.state == "committed", job_of(county, first.id).error
    assert standing(county) == {"probe1": ("甲", 1, True), "probe2": ("乙", 2, False)}

    again = checked(county, ["probe1", "甲", 1, "是", "关爱"], ["probe2", "乙", 2, "否", ""])
    assert again.counts["records_unchanged"] == 2
    again = commit(county, again)
    assert again.counts["written"]["records_unchanged"] == 2

    second = checked(county, ["probe1", "丙", 1, "是", "奖励"], ["probe3", "丁", 3, "", ""])
    assert second.counts["records_changed"] == 1
    assert second.counts["samples"] == [
        {"entity": "record", "label": "丙", "before": {"title": "甲"}, "after": {"title": "丙"}}
    ]
    second = commit(county, second)
    assert standing(county)["probe1"] == ("丙", 1, True)

    with pytest.raises(Conflict, match="built on this import"):
        undo(county, first)
    second = undo(county, second)
    assert second.state == "undone", job_of(county, second.id).error
    assert second.counts["undone"] == {"records": 1, "records_back": 1}
    assert undo(county, first).state == "undone"
    assert standing(county) == {}


def test_wrong_cells_are_told(county: County) -> None:
    batch = checked(
        county, ["probe1", "甲", "many", "maybe", "别的"], ["probe1", "乙"], ["probe3", "禁用"], ["", "丁"],
        ["probe5", "戊", 5],
    )  # fmt: skip
    with county.uow() as uow:
        found, _next = queries.list_errors(uow, batch.id)
    assert [(e.row, e.column, e.code) for e in found] == [
        (2, "place_no", "integer_format"), (2, "in_use", "boolean_format"), (2, "type", "choice_unknown"),
        (3, "code", "record_twice"), (4, "title", "told"), (5, "code", "required"),
    ]  # fmt: skip
    batch = commit(county, batch, valid_only=True)
    assert standing(county) == {"probe5": ("戊", 5, True)}
    assert undo(county, batch).state == "undone"
