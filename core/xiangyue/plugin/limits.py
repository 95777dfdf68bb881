"""A time limit for what plugins do in a request.

Three nets, since code can hang in three ways. Statements are ended by PostgreSQL (``db.session.alone``). Waiting for
anything else is ended by a timer of gevent's loop. A loop that never waits is interrupted by a signal, which ticks
only while a hook runs. The last two look at the stack first: they stop only what is inside a hook over its time, and
not amid a conversation with the database, which the first net ends in order. A call into C that never comes back is
beyond all three; gunicorn ends such a worker.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any, TypeVar

import gevent
from gevent import monkey

from xiangyue.db.session import OutOfTime

T = TypeVar("T")

#: How long a hook may take in a request, unless ``allowing`` says otherwise.
SECONDS = 2.0
#: A page of a plugin's own may take so many times that.
LENGTH = 5
_allowed: ContextVar[float] = ContextVar("hook_seconds", default=SECONDS)
#: What waits on the database gets so much more: by then PostgreSQL has ended every statement.
GRACE = SECONDS + 1.0
#: Between two looks at hooks that run.
TICK = 0.1

_DRIVER = ("sqlalchemy", "psycopg", "xiangyue.db")


class _Run:
    """One hook that runs. ``until`` in monotonic seconds; ``greenlet`` where gevent shares the thread."""

    __slots__ = ("greenlet", "looks", "until")

    def __init__(self, seconds: float, greenlet: Any) -> None:
        self.until = time.monotonic() + seconds
        self.greenlet = greenlet
        self.looks = 0


_runs: set[_Run] = set()


def allowed() -> float:
    """Seconds that a hook may take here."""
    return _allowed.get()


def allowed_at_length() -> float:
    """Seconds for what nobody's page waits for beside others: a page of the plugin's own, a rule's ``propose``."""
    return LENGTH * _allowed.get()


@contextmanager
def allowing(seconds: float) -> Iterator[None]:
    """Give hooks another time until the end of the block."""
    before = _allowed.set(seconds)
    try:
        yield
    finally:
        _allowed.reset(before)


def limited(call: Callable[[], T], seconds: float) -> T:
    """``call()``, or OutOfTime soon after ``seconds``."""
    cooperative = monkey.is_module_patched("time")
    run = _Run(seconds, gevent.getcurrent() if cooperative else None)
    _runs.add(run)
    if cooperative:
        _look_now_and_then()
    ticking = _start_ticks()
    try:
        return _inside(run, call)
    finally:
        _runs.discard(run)
        if ticking and not _runs:
            _end_ticks()


def _inside(run: _Run, call: Callable[[], T]) -> T:
    """The frame by which a hook is found on a stack; what is raised below it is caught above it."""
    return call()


_INSIDE = _inside.__code__


def _overdue(frame: FrameType | None) -> bool:
    """Whether a stack is inside a hook over its time, at a place where it may be stopped."""
    now = time.monotonic()
    in_driver = False
    below: FrameType | None = None
    while frame is not None:
        if frame.f_code is _INSIDE and below is not None:
            until = frame.f_locals["run"].until
            if now > (until + GRACE if in_driver else until):
                return True
        elif frame.f_globals.get("__name__", "").startswith(_DRIVER):
            in_driver = True
        below, frame = frame, frame.f_back
    return False


def is_overdue() -> bool:
    """Whether the caller runs inside something limited whose time is up: an OutOfTime is meant for that, then."""
    return _overdue(sys._getframe())


#: The alarm as we found it: its handler and when it was to ring (monotonic; 0: not at all). RQ watches jobs by it.
_theirs: list[tuple[Any, float]] = []


def _start_ticks() -> bool:
    """Let the alarm tick. False outside the main thread, where no signal arrives."""
    handler = signal.getsignal(signal.SIGALRM)
    if handler is _tick:
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        return True
    try:
        signal.signal(signal.SIGALRM, _tick)
    except ValueError:
        return False
    left, _interval = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    _theirs[:] = [(handler, time.monotonic() + left if left else 0)]
    return True


def _end_ticks() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    if not _theirs:
        return
    handler, rings = _theirs.pop()
    if handler is not signal.SIG_DFL and handler is not None:
        signal.signal(signal.SIGALRM, handler)
        if rings:
            signal.setitimer(signal.ITIMER_REAL, max(rings - time.monotonic(), 0.001))


def _tick(number: int, frame: FrameType | None) -> None:
    # Python runs this in the main thread, in whatever greenlet is at work: its own stack says whether to stop it.
    if _overdue(frame):
        raise OutOfTime
    if _theirs and _theirs[0][1] and time.monotonic() > _theirs[0][1]:
        handler, _rings = _theirs[0]
        _theirs[0] = (handler, 0)
        handler(number, frame)


class _Lookout:
    """A timer of gevent's loop that stops greenlets while they wait; it rests while no hook runs."""

    def __init__(self) -> None:
        self.loop = gevent.get_hub().loop
        self.timer = self.loop.timer(TICK, TICK)

    def start(self) -> None:
        if not self.timer.active:
            self.timer.start(self.look)

    def look(self) -> None:
        now = time.monotonic()
        for run in tuple(_runs):
            if run.greenlet is None or now <= run.until or run.greenlet.dead:
                continue
            # Not at the first look: another greenlet may have held up the loop, and what this one waited for is here.
            run.looks += 1
            if run.looks > 1 and run in _runs and _overdue(run.greenlet.gr_frame):
                run.greenlet.throw(OutOfTime)
        if not _runs:
            self.timer.stop()


_lookouts: dict[int, _Lookout] = {}


def _look_now_and_then() -> None:
    hub = gevent.get_hub()
    lookout = _lookouts.get(id(hub))
    if lookout is None or lookout.loop is not hub.loop:
        lookout = _lookouts[id(hub)] = _Lookout()
    lookout.start()
