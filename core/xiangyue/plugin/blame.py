"""Whose doing an error is that came out of a plugin's code: the plugin's, the database's, or somebody's outside."""

from __future__ import annotations

import psycopg
from gevent import GreenletExit
from rq.timeouts import BaseTimeoutException
from sqlalchemy.exc import DBAPIError

from xiangyue.db.session import OutOfTime

#: Not a plugin's doing, whatever it was doing: somebody ends the process, the request or the job.
FROM_OUTSIDE = (KeyboardInterrupt, GreenletExit, BaseTimeoutException)


def is_timeout(error: BaseException) -> bool:
    """Whether its time was up, by our clock or PostgreSQL's."""
    return isinstance(error, OutOfTime) or getattr(getattr(error, "orig", error), "sqlstate", "") == "57014"


def is_away(error: BaseException) -> bool:
    """Whether the database is away or has no room (connections, memory, locks): whoever asks next may be lucky."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    told = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(told, psycopg.OperationalError | psycopg.InterfaceError) and not is_timeout(error)
