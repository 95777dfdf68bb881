"""Less looking for garbage while an import makes millions of small things."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects until Python looks for cycles among them; 700 by itself. None of ours are in any, and each look takes
#: longer the more there are: a tenth of the time of a large import.
_AFTER = 100_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the garbage collector look seldom. What is in no cycle goes at once as ever."""
    before = gc.get_threshold()
    gc.set_threshold(_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
