"""Errors as answers: an error page for people, a problem document (RFC 9457) for the API, a fragment for htmx."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import psycopg
import structlog
from flask import Flask, Response, current_app, g, jsonify, redirect, request
from flask.globals import request_ctx
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from xiangyue.errors import (
    Conflict,
    Invalid,
    NotSignedIn,
    PreconditionFailed,
    PurposeNeeded,
    Refused,
    Stale,
    Stopped,
    Suspended,
    TooLarge,
    TooMany,
    Unavailable,
    XiangyueError,
    http_status,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.validation import in_words
from xiangyue.web import plugin_views
from xiangyue.web.access import mark_of
from xiangyue.web.logs import logged_path
from xiangyue.web.pipeline import is_api, is_fragment, return_address
from xiangyue.web.shell import page

log = structlog.get_logger()

TITLES: dict[int, Any] = {
    400: _l("The request could not be read"),
    401: _l("Please sign in"),
    403: _l("This is not open to you"),
    404: _l("Not found"),
    405: _l("This address does not take this kind of request"),
    409: _l("Somebody was faster"),
    412: _l("Somebody was faster"),
    413: _l("The file is too large"),
    415: _l("This kind of content is not taken here"),
    422: _l("Please check your input"),
    428: _l("If-Match is missing"),
    429: _l("Too many tries"),
    500: _l("Something went wrong on our side"),
    503: _l("A part of the system is away for a moment"),
}

HINTS: dict[int, Any] = {
    404: _l("The address is wrong, the entry was removed, or it lies outside your area."),
    500: _l("It has been recorded. Please try again; if it stays, tell your administrator the number below."),
    503: _l("Nothing was lost. Wait a few seconds and send the same form again."),
}


def title_of(error: XiangyueError, status: int) -> Any:
    """What the error is called, on its page and in its problem document."""
    if isinstance(error, Suspended):
        return _l("This county's service is suspended")
    if isinstance(error, Refused):
        return _l("A plugin does not allow this")
    if isinstance(error, Stopped):
        return _l("A plugin took too long")
    if isinstance(error, Conflict):
        return _l("This cannot be done as things stand")
    return TITLES.get(status, TITLES[500])


def install(app: Flask) -> None:
    app.register_error_handler(XiangyueError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(psycopg.Error, _driver)
    app.register_error_handler(Exception, _unknown)


def _known(error: XiangyueError) -> Any:
    return answer(error, http_status(error))


def _http(error: HTTPException) -> Any:
    if isinstance(error, RequestEntityTooLarge):
        return answer(TooLarge(_l("The upload is over the limit. Split the file and send the parts.")), 413)
    status = error.code or 500
    if 300 <= status < 400:
        return error
    if isinstance(error, MethodNotAllowed) and request.method == "GET" and (above := _readable_above()):
        return _to(above)
    data = getattr(error, "data", None)  # webargs puts field messages here
    if isinstance(data, dict) and "messages" in data:
        return answer(Invalid(_flatten(data["messages"])), 422)
    plain = XiangyueError(HINTS.get(status) or TITLES.get(status, error.name))
    plain.code = (error.name or "error").lower().replace(" ", "_")
    return answer(plain, status)


def _readable_above() -> str:
    """For a page asked for at an address that only takes forms, where a refused one came back and somebody reloads it
    or comes to it by a link: the nearest address above that can be read, with the area one looks at; "" for none."""
    tenant, adapter = g.get("tenant"), request_ctx.url_adapter
    if is_api() or tenant is None or adapter is None:
        return ""
    path = request.path.rstrip("/")
    while path := path.rpartition("/")[0]:
        try:
            endpoint, _values = adapter.match(path, method="GET")
        except (HTTPException, RequestRedirect):
            continue
        mark = mark_of(current_app.view_functions[endpoint])
        if mark is not None and mark.site in (None, tenant.kind):
            area = request.args.get("area")
            return path + (f"?{urlencode({'area': area})}" if area else "")
    return ""


def _flatten(messages: Any, prefix: str = "") -> dict[str, list[Any]]:
    """Nested marshmallow messages as field paths; webargs' location level (json, query) is left out."""
    found: dict[str, list[Any]] = {}
    if isinstance(messages, dict):
        for key, value in messages.items():
            location = not prefix and key in {
                "json",
                "query",
                "form",
                "files",
                "multipart",
                "json_or_form",
                "path",
                "headers",
            }
            name = "" if location or key == "_schema" else str(key)
            path = prefix + ("." if prefix and name else "") + name
            for inner, texts in _flatten(value, path).items():
                found.setdefault(inner, []).extend(texts)
    else:
        found[prefix] = [in_words(message) for message in (messages if isinstance(messages, list) else [messages])]
    return found


def _database(error: DBAPIError) -> Any:
    if error.connection_invalidated:
        return _away(error.orig)
    return _driver(error.orig, error) if isinstance(error.orig, psycopg.Error) else _unknown(error)


def _driver(error: psycopg.Error, raised: DBAPIError | None = None) -> Any:
    """Also from statements that go straight to the driver. ``raised``: what SQLAlchemy made of it."""
    plugin = plugin_views.note(raised or error)
    if isinstance(error, psycopg.DataError):
        # What no field's own check caught: PostgreSQL refused the value itself, so nothing was done.
        return answer(Invalid({}, _l("A value is too large or holds characters that cannot be stored.")), 422)
    if isinstance(error, psycopg.errors.QueryCanceled):
        log.warning("statement_stopped", path=logged_path())
        if plugin is not None:
            return answer(plugin_views.stopped(plugin), 503)
        return answer(Unavailable(_l("This took too long and was stopped. Nothing was changed; try again soon.")), 503)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return _away(error)
    return _broken(raised or error)


def _away(error: BaseException | None) -> Any:
    log.warning("database_away", error=str(error)[:200])
    return answer(Unavailable(HINTS[503]), 503)


def _unknown(error: Exception) -> Any:
    plugin_views.note(error)
    return _broken(error)


def _broken(error: Exception) -> Any:
    log.exception("unhandled", path=logged_path(), error=type(error).__name__)
    return answer(XiangyueError(HINTS[500]), 500)


def answer(error: XiangyueError, status: int) -> Any:
    """The response for an error: problem document, sign-in redirect, or error page."""
    uow = g.get("uow")
    if uow is not None and not uow.commit_on_error:
        uow.rollback()
    elif uow is not None:
        uow.commit()
    if is_api():
        return problem(error, status)
    if g.get("tenant") is None:
        return Response("Not found\n", status, mimetype="text/plain")
    if isinstance(error, NotSignedIn):
        return _to_sign_in(error)
    if isinstance(error, PurposeNeeded):
        return _to(f"/purpose?next={quote(_asked_page())}")
    response = page(
        "errors/error.html",
        status=status,
        title=title_of(error, status),
        message=error.message or HINTS.get(status, ""),
        fields=getattr(error, "fields", {}),
        error=error,
        status_code=status,
    )
    _headers(response, error)
    return response


def _came_from() -> str:
    """The page whose form was sent, so that the draft kept in the browser is found again."""
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc != request.host:
        return "/"
    return referrer.path + (f"?{referrer.query}" if referrer.query else "")


def _asked_page() -> str:
    """Where to go on: the page that was asked for, or the one whose form was sent."""
    return return_address() if request.method == "GET" else _came_from()


def _to_sign_in(error: NotSignedIn) -> Any:
    address = f"/sign-in?next={quote(_asked_page())}"
    if request.method != "GET":
        address += "&expired=1"
    return _to(address, 401)


def _to(address: str, status: int = 422) -> Any:
    """On to a page; htmx gets ``status`` and follows with the whole page."""
    if is_fragment():
        return Response("", status, headers={"HX-Redirect": address})
    return redirect(address, 303)


def problem(error: XiangyueError, status: int) -> Response:
    """RFC 9457 problem document; ``errors`` lists field paths with their messages."""
    body: dict[str, Any] = {
        "type": f"urn:xiangyue:error:{error.code}",
        "title": str(title_of(error, status)),
        "status": status,
        "detail": str(error.message or HINTS.get(status, "")),
        "request_id": g.get("request_id", ""),
    }
    body |= {name: error.details[name] for name in error.told if name in error.details}
    if isinstance(error, Invalid):
        body["errors"] = [{"path": k, "message": str(m)} for k, texts in error.fields.items() for m in texts]
    if isinstance(error, Stale | PreconditionFailed) and error.theirs:
        body["current"] = error.theirs
    if isinstance(error, Refused | Stopped):
        body["plugin"] = error.plugin
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    _headers(response, error)
    return response


def _headers(response: Response, error: XiangyueError) -> None:
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = "60" if isinstance(error, Stopped) else "5"
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = 'Bearer realm="xiangyue"'
