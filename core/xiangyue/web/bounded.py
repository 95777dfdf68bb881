"""The application that does not wait for a plugin's view for ever: its workers serve all counties."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from xiangyue.db.session import OutOfTime, is_usable
from xiangyue.db.uow import Uow
from xiangyue.errors import Unavailable, XiangyueError, http_status
from xiangyue.plugin.addresses import plugin_of
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.dispatch import folder_of, pause
from xiangyue.plugin.faults import error_line, trace_of, write_fault
from xiangyue.plugin.limits import allowed_at_length, limited
from xiangyue.plugin.metrics import observe
from xiangyue.web import plugin_views
from xiangyue.web.errors import HINTS, answer
from xiangyue.web.pipeline import AppFlask, cookie_name, runtime

log = structlog.get_logger()
_END = object()


class CountyFlask(AppFlask):
    """AppFlask that gives the views of plugins a limited time, with all that belongs to them: their blueprint's own
    functions before and after, their templates, their error handlers, each piece of what they stream."""

    def full_dispatch_request(self) -> Any:
        if request.blueprint is None or plugin_of(request.path) is None:
            return super().full_dispatch_request()
        _receive()
        begun, hook = time.perf_counter(), plugin_views.hook()
        try:
            response = self._in_time(super().full_dispatch_request)
        finally:
            owner = plugin_views.owner()
            if owner is not None:
                observe(owner.key, hook, time.perf_counter() - begun)
        if owner is not None and response.is_streamed and not response.direct_passthrough:
            response.response = _by_pieces(response.response, _writer(owner.key, folder_of(owner), hook))
        return response

    def _in_time(self, call: Callable[[], Response]) -> Response:
        try:
            return limited(call, allowed_at_length())
        except (*FROM_OUTSIDE, Exception):
            raise
        except BaseException as error:  # OutOfTime; or SystemExit, which would end the worker
            failure = _failure(error)
        try:
            return limited(partial(self._answered, failure), allowed_at_length())
        except OutOfTime:  # what the plugin does after every request hangs too
            return Response(f"{failure.message}\n", 503, mimetype="text/plain")

    def _answered(self, failure: XiangyueError) -> Response:
        return self.finalize_request(answer(failure, http_status(failure)), from_error_handler=True)


def _receive() -> None:
    """Take in a form before the clock runs: a slow line is not the plugin's doing."""
    known = cookie_name() in request.cookies or "Authorization" in request.headers
    if known and request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        with suppress(HTTPException):  # raised again, in order, when it is looked at
            request.form  # noqa: B018


def _failure(error: BaseException) -> XiangyueError:
    """Note it, bring the unit of work into order; returns what people are told."""
    uow: Uow | None = g.get("uow")
    if isinstance(error, OutOfTime) and uow is not None and not is_usable(uow.session):
        uow.session.invalidate()  # cut off amid a conversation with the database, which cannot be taken up again
    owner = plugin_views.note(error)
    log.warning("view_stopped", error=type(error).__name__, endpoint=request.endpoint)
    if not isinstance(error, OutOfTime):
        return XiangyueError(HINTS[500])
    if owner is None or uow is None:
        return Unavailable(HINTS[503])  # the core was held up before it came to the plugin
    pause(uow, owner.key, plugin_views.hook())
    return plugin_views.stopped(owner)


def _writer(plugin: str, near: str, hook: str) -> Callable[[BaseException], None]:
    """Writes a fault when the unit of work is over, as it is while an answer is streamed."""
    engine, tenant_id, seconds = runtime().engine, g.uow.tenant_id, allowed_at_length()

    def write(error: BaseException) -> None:
        write_fault(engine, tenant_id, plugin, hook, error_line(error, near=near, seconds=seconds), trace_of(error))

    return write


def _by_pieces(pieces: Iterable[Any], write: Callable[[BaseException], None]) -> Iterator[Any]:
    """The same pieces, each within the time. One that fails ends the answer unfinished, as the reader can tell."""
    found, seconds = iter(pieces), allowed_at_length()
    try:
        while True:
            try:
                piece = limited(partial(next, found, _END), seconds)
            except FROM_OUTSIDE:
                raise
            except BaseException as error:
                if not is_away(error):
                    write(error)
                raise RuntimeError("a plugin's answer broke off") from error
            if piece is _END:
                return
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
