"""Rows judged by two processes: in order, whatever becomes of the second one, and with what one alone would say."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.corpus.case import Case
from tests.corpus.cells import CELLS
from tests.unit.roster_samples import COLUMNS, checker

from xiangyue.features.imports.helper import Helper, spread
from xiangyue.features.imports.roster_read import RosterRow, read_book

BLOCKS = [list(range(start, start + 50)) for start in range(0, 2_000, 50)]


def work(block: list[int]) -> tuple[int, list[int]]:
    """Squares, and by whom."""
    return os.getpid(), [number * number for number in block]


def all_of(answers: list[tuple[int, list[int]]]) -> list[int]:
    return [number for _pid, numbers in answers for number in numbers]


def test_answers_come_in_the_order_of_the_blocks_and_from_both_processes() -> None:
    helper = Helper(work)
    answers = list(spread(BLOCKS, work, helper))
    assert all_of(answers) == [n * n for n in range(2_000)]
    assert {pid for pid, _numbers in answers} <= {os.getpid(), helper.pid}
    assert helper.pid in {pid for pid, _numbers in answers}
    with pytest.raises(ProcessLookupError):
        os.kill(helper.pid, 0)  # it is gone, and nobody has to wait for it any more


def test_what_a_killed_helper_leaves_undone_is_done_here() -> None:
    helper = Helper(work)
    os.kill(helper.pid, signal.SIGKILL)
    answers = list(spread(BLOCKS, work, helper))
    assert all_of(answers) == [n * n for n in range(2_000)]
    assert {pid for pid, _numbers in answers} == {os.getpid()}


def test_what_goes_wrong_is_raised_here() -> None:
    def faulty(block: list[int]) -> tuple[int, list[int]]:
        if 1_000 in block:
            raise ValueError("a thousand")
        return work(block)

    with pytest.raises(ValueError, match="a thousand"):
        list(spread(BLOCKS, faulty, Helper(faulty)))


def test_a_question_that_cannot_be_sent_has_no_answer_and_the_others_have_their_own() -> None:
    helper: Helper[Any, Any] = Helper(lambda question: question * 2)
    answers = [helper.ask(question) for question in (1, threading.Lock(), 3)]
    assert answers[0].result(10) == 2
    with pytest.raises(TypeError, match="pickle"):
        answers[1].result(10)
    assert answers[2].result(10) == 6
    helper.end()
    helper.close()


def test_who_stops_in_the_middle_leaves_no_process() -> None:
    helper = Helper(work)
    answers = spread(BLOCKS, work, helper)
    next(answers)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(helper.pid, 0)


def test_the_helper_ends_with_its_maker_and_holds_nothing_open() -> None:
    with _pipe() as (reading, writing):
        pid = os.fork()
        if pid == 0:
            Helper(work)  # inherits the writing end of the pipe
            os._exit(0)  # without a word to it, as after a kill
        os.waitpid(pid, 0)
        os.close(writing)
        assert os.read(reading, 1) == b""  # nobody holds the other end any more: the read returns


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(reading)


@pytest.mark.parametrize("case", [case for case in CELLS if not case.problem], ids=lambda case: case.name)
def test_rows_judged_elsewhere_are_remembered_as_if_here(case: Case) -> None:
    rows = [RosterRow(*row) for sheet in read_book(case.data(), COLUMNS).sheets for row in sheet.rows]
    alone, elsewhere, here = checker(), checker(), checker()
    one = [alone.check_row(row) for row in rows]
    two = [elsewhere.judge_row(row) for row in rows]
    assert two == one
    for row, checked in zip(rows, two, strict=True):
        here.remember(pickle.loads(pickle.dumps(elsewhere.noted(row, checked.values))))
    assert here.finish() == alone.finish()
    assert elsewhere.finish() == []  # it remembered nothing
    assert elsewhere.repaired == alone.repaired
