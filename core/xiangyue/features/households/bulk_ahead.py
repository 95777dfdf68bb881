"""Chunks of a bulk write, made ready while the database is busy with the one before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

from xiangyue.features.households.bulk_stage import HouseholdRow, Prepared

#: How long a thread keeps the interpreter while another wants it.
_SWITCH_SECONDS = 0.000_5


#: Gives some rows; see `windows_ahead`.
Window = Callable[[], list[HouseholdRow]]


def rows_ahead(prepared: Iterator[Prepared]) -> Generator[Prepared, None, None]:
    """The chunks, each made in a thread while the one before is in the caller's hands."""
    with _thread() as thread:
        waiting = thread.submit(next, prepared, None)
        while (made := waiting.result()) is not None:
            waiting = thread.submit(next, prepared, None)
            yield made


def windows_ahead(
    windows: Iterable[Window], prepare: Callable[[list[HouseholdRow]], Prepared]
) -> Generator[Prepared, None, None]:
    """The same where only the caller may ask the database: to get a window does so, to call it needs nothing but the
    interpreter."""
    with _thread() as thread:
        waiting: Future[Prepared] | None = None
        for window in windows:
            following = thread.submit(_prepared, window, prepare)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _prepared(window: Window, prepare: Callable[[list[HouseholdRow]], Prepared]) -> Prepared:
    return prepare(window())


@contextmanager
def _thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, "bulk-ahead") as thread, quick_turns():
        yield thread


@contextmanager
def quick_turns() -> Iterator[None]:
    """In here threads take turns often. One that mostly waits, for PostgreSQL or another process, would after each of a
    hundred answers stand in line for a busy thread's five milliseconds while those have nothing to do."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def chunks_of(rows: Iterable[HouseholdRow], size: int) -> Iterator[list[HouseholdRow]]:
    """The rows, so many at a time; fewer at first, as PostgreSQL waits for those."""
    source = iter(rows)
    number = max(size // 8, 1)
    while chunk := list(islice(source, number)):
        yield chunk
        number = min(2 * number, size)
