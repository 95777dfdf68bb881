"""A second process that does half of a check's work on the rows.

Judging and encrypting rows is most of a check and needs nothing but the interpreter, which has one processor at a time.
The helper is forked with all that is loaded, is asked for block after block and ends with its maker, however that ends.
"""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from multiprocessing.connection import Connection, Pipe
from typing import Generic, NoReturn, TypeVar

from gevent import monkey

from xiangyue.features.households.bulk_ahead import quick_turns

A = TypeVar("A")
R = TypeVar("R")

#: Blocks that wait for the helper besides the one it works on, so that it has work while its maker has other things to
#: do; and blocks under way at most.
_WAITING, _UNDER_WAY = 3, 8


def can_help() -> bool:
    """Whether a second process would be of use: two processors, and no gevent, whose loop would wait with us."""
    return len(os.sched_getaffinity(0)) > 1 and not monkey.is_module_patched("socket")


class Helper(Generic[A, R]):
    """A process that answers questions with ``work``. What it is asked and answers is pickled."""

    def __init__(self, work: Callable[[A], R]) -> None:
        ours, theirs = Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(ours, theirs, work)
        theirs.close()
        self._pipe: Connection = ours
        # Two threads: the next questions are on their way while an answer is, and the helper has always work.
        self._asking, self._hearing = (ThreadPoolExecutor(1, f"helper-{does}") for does in ("asking", "hearing"))

    def ask(self, question: A) -> Future[R]:
        """The answer, some time; answers come in the order of the questions. It fails with EOFError or OSError when the
        helper is gone: ``work`` failed, or somebody ended it."""
        return self._hearing.submit(self._heard, self._asking.submit(self._pipe.send, question))

    def _heard(self, asked: Future[None]) -> R:
        asked.result()  # of what could not be sent there is no answer: the next one would be another question's
        answer: R = self._pipe.recv()
        return answer

    def end(self) -> None:
        """End the process; who still waits for an answer is told that it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def close(self) -> None:
        """Give the pipe back, once nobody asks any more: before that its number could become another file's."""
        for thread in (self._asking, self._hearing):
            thread.shutdown()
        self._pipe.close()


def _serve(ours: Connection, theirs: Connection, work: Callable[[A], R]) -> NoReturn:
    """In the child. Ends at once, as nothing of what it was forked with may be put in order twice: connections,
    buffers, exit handlers."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kept = theirs.fileno()
        # A connection held open here would keep PostgreSQL at work for a parent that was killed; and without the
        # parent's end of the pipe, reading finds that it is gone.
        os.closerange(3, kept)
        os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
        gc.freeze()  # looking for garbage in what the maker made would copy its memory
        while True:
            theirs.send(work(theirs.recv()))
    finally:
        os._exit(0)


def spread(blocks: Iterable[A], work: Callable[[A], R], helper: Helper[A, R] | None) -> Generator[R, None, None]:
    """``work`` of each block, in their order; done here or by the helper, whoever has time. What a helper that went
    away did not answer is done here."""
    if helper is None:
        yield from map(work, blocks)
        return
    with closing(helper), quick_turns():
        under_way: deque[tuple[A, Future[R] | None, R | None]] = deque()
        try:
            for block in blocks:
                asked = [future for _block, future, _own in under_way if future is not None and not future.done()]
                if len(asked) <= _WAITING:
                    under_way.append((block, helper.ask(block), None))
                else:
                    under_way.append((block, None, work(block)))
                while under_way and (len(under_way) > _UNDER_WAY or _is_done(under_way[0][1])):
                    yield _answer(*under_way.popleft(), work)
            while under_way:
                yield _answer(*under_way.popleft(), work)
        finally:
            helper.end()  # its threads do not wait for it any longer


def _is_done(future: Future[R] | None) -> bool:
    return future is None or future.done()


def _answer(block: A, future: Future[R] | None, own: R | None, work: Callable[[A], R]) -> R:
    if future is None:
        return own  # type: ignore[return-value]
    try:
        return future.result()
    except (EOFError, OSError):
        return work(block)
