"""What plugins did wrong, written down for the county's plugins page.

In a transaction of its own, after the one in which it happened, so that no rollback takes it along; the same fault is
counted, not repeated. No personal data: places in the code instead of values, and the words of an error only where it
is of a kind that speaks of code.
"""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from threading import Lock

import jinja2
import psycopg
import structlog
from sqlalchemy import Engine, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from xiangyue.access.actor import system_actor
from xiangyue.db.guard import Misuse
from xiangyue.db.session import OutOfTime
from xiangyue.db.uow import Uow
from xiangyue.plugin.limits import allowed
from xiangyue.plugin.models import PluginFault

log = structlog.get_logger()

#: The same fault is written at most this often by a process; what came between is counted with the next one.
EVERY_SECONDS = 1.0
_LONGEST_ERROR = 300
_MOST_FRAMES = 16

#: Their words name code: variables, attributes, modules, columns, templates.
_SPEAK_OF_CODE = (
    AttributeError,
    ImportError,
    Misuse,
    NameError,
    RecursionError,
    TypeError,
    ZeroDivisionError,
    jinja2.TemplateError,
    psycopg.ProgrammingError,
    psycopg.errors.QueryCanceled,
)


#: Begins the line of a hook whose caller could not go on.
LOST = "The transaction was lost"


class Nonsense(TypeError):
    """A hook answered something that it may not answer."""


Key = tuple[str, int, str, str, str]
#: Key -> (when it was last written, how many wait for the next time).
_written: dict[Key, tuple[float, int]] = {}
_lock = Lock()


def error_line(error: BaseException, *, near: str = "", seconds: float | None = None) -> str:
    """An error in a line: its kind, its words where they speak of code, and the place, best in the folder ``near``.

    ``seconds``: how much time it had, where that is not a hook's usual one.
    """
    if isinstance(error, OutOfTime):
        said = f"OutOfTime: more than {seconds or allowed():g} s"
    else:
        told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        said = type(told).__name__
        if isinstance(told, _SPEAK_OF_CODE) and (words := _words(told)):
            said += f": {words}"
        if isinstance(told, psycopg.Error) and told.sqlstate:
            said += f" [{told.sqlstate}]"
    place = _place(error, near)
    return " ".join(f"{said} ({place})".split())[:_LONGEST_ERROR] if place else said[:_LONGEST_ERROR]


def _words(error: BaseException) -> str:
    """Of a database error the first line alone: the others may show a row."""
    return str((isinstance(error, psycopg.Error) and error.diag.message_primary) or error)


def _place(error: BaseException, near: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if near and frame.filename.startswith(near)]
    if not (own or frames):
        return ""
    last = (own or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def trace_of(error: BaseException) -> str:
    """The last frames that led to an error and to what caused it: places and lines of code, no values."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 3:
        frames = traceback.extract_tb(seen.__traceback__)[-_MOST_FRAMES:]
        lines = [f"{_short(f.filename)}:{f.lineno} {f.name}\n    {f.line or ''}" for f in frames]
        parts.append("\n".join([*lines, type(seen).__name__]))
        seen = seen.__cause__
    return "\n\ncaused by:\n".join(parts)


def _short(filename: str) -> str:
    """Without the folders of this machine."""
    return "/".join(Path(filename).parts[-3:])


def record_loss(
    uow: Uow, plugin: str, hook: str, error: BaseException, *, near: str = "", seconds: float | None = None
) -> bool:
    """The same at once, where the transaction is lost and the unit of work may come to no orderly end. False when the
    fault cannot be written: then it is the database that is away, and ``plugin`` is not to blame."""
    line = f"{LOST}: {error_line(error, near=near, seconds=seconds)}"[:_LONGEST_ERROR]
    log.error("plugin_lost_transaction", plugin=plugin, hook=hook, error=line, tenant=uow.tenant_id)
    return write_fault(uow.bind.engine, uow.tenant_id, plugin, hook, line, trace_of(error))


def record_fault(
    uow: Uow, plugin: str, hook: str, error: BaseException, *, near: str = "", seconds: float | None = None
) -> str:
    """Note a fault of ``plugin`` in ``hook``, to be written when the unit of work is over; returns its line."""
    line = error_line(error, near=near, seconds=seconds)
    trace = trace_of(error)
    log.warning("plugin_fault", plugin=plugin, hook=hook, error=line, tenant=uow.tenant_id)
    engine, tenant_id = uow.bind.engine, uow.tenant_id
    uow.at_end(lambda: write_fault(engine, tenant_id, plugin, hook, line, trace))
    return line


def write_fault(engine: Engine, tenant_id: int, plugin: str, hook: str, line: str, trace: str = "") -> bool:
    """Write a fault at once, in a transaction of its own. Never raises; False when the database is away."""
    key = (str(engine.url), tenant_id, plugin, hook, line)
    now = time.monotonic()
    with _lock:
        last, waiting = _written.get(key, (0.0, 0))
        if last and now - last < EVERY_SECONDS:
            _written[key] = (last, waiting + 1)
            return True
        if len(_written) > 10_000:  # faults that are all different must not fill the memory
            _written.clear()
        _written[key] = (now, 0)
    values = {"plugin": plugin, "hook": hook, "error": line, "trace": trace, "count": waiting + 1}
    new = insert(PluginFault).values(tenant_id=tenant_id, **values)
    merged = new.on_conflict_do_update(
        index_elements=["tenant_id", "plugin", "hook", "error"],
        set_={
            "count": PluginFault.count + new.excluded.count,
            "last_at": func.now(),
            "trace": new.excluded.trace,
        },
    )
    try:
        with Uow(engine, tenant_id=tenant_id, actor=system_actor(tenant_id)) as own:
            own.session.execute(merged)
    except SQLAlchemyError as error:
        log.warning("plugin_fault_not_written", plugin=plugin, hook=hook, error=type(error).__name__)
        return False
    return True
