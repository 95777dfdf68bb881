"""Structured logs: one JSON object a line (key=value on a terminal), with request, county and actor.

Personal data and secrets don't belong in logs. ``mask`` blots out fields that are named like them and, in any
text, what looks like a citizen number, a mobile number, one of our tokens or a password inside an address.
Query strings are not logged at all: people search by name.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, TextIO

import orjson
import structlog
from flask import Flask, Response, g, has_request_context, request, request_started
from structlog.types import EventDict, Processor, WrappedLogger

from xiangyue.config import Settings
from xiangyue.web import metrics

MASK = "***"

_SECRET_KEYS = frozenset(
    (
        "address",
        "authorization",
        "bank_account",
        "birth_date",
        "birthday",
        "code_verifier",
        "cookie",
        "csrf_token",
        "data_key",
        "guardian_phone",
        "id_card",
        "id_no",
        "id_number",
        "identity",
        "index_key",
        "kek",
        "mobile",
        "otp",
        "passwd",
        "password",
        "phone",
        "recovery_code",
        "secret",
        "session",
        "set_cookie",
        "tel",
        "telephone",
        "token",
        "totp",
    )
)
_SECRET_ENDINGS = ("_password", "_phone", "_secret", "_token", "_hash", "_id_number", "_key_file")
_PERSONAL = re.compile(
    r"(?<!\d)\d{17}[\dXx](?![\dA-Za-z])"  # citizen number (GB 11643)
    r"|(?<!\d)1[3-9]\d{9}(?!\d)"  # mobile number
    r"|xy[stl]_[0-9A-Za-z]{8,}"  # our tokens, also in the path of a one-time link
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password inside an address
)
#: In a path also what may be a citizen number of the old kind (15 digits), or one short of its last sign.
_NUMBER_IN_PATH = re.compile(r"(?<!\d)(?:\d{17}[\dXx]?|\d{15})(?!\d)")
#: Arguments of routes that are a secret: who has the address may do what it says.
_SECRET_ARGUMENTS = frozenset({"token", "secret"})
#: Where no route fits, what may be a secret of one that nearly does.
_SECRET_IN_PATH = re.compile(r"(?<=/)[\w-]{20,}")
_QUIET = frozenset({"healthz", "readyz", "metrics_text", "static"})

log = structlog.get_logger("xiangyue.request")


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """structlog processor: blots out secrets and personal data, at any depth."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def _masked(key: str, value: Any) -> Any:
    lowered = key.lower().replace("-", "_")
    if lowered in _SECRET_KEYS or lowered.endswith(_SECRET_ENDINGS):
        return MASK
    if isinstance(value, str):
        return _PERSONAL.sub(MASK, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return MASK if _PERSONAL.fullmatch(str(value)) else value
    if isinstance(value, Mapping):
        return {str(k): _masked(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", one) for one in value]
    if value is None or isinstance(value, bool | float):
        return value
    return _PERSONAL.sub(MASK, str(value))


def mask_record(record: logging.LogRecord) -> bool:
    """Filter for loggers that write by themselves (gunicorn's): the same masks, numbers in addresses too."""
    record.msg, record.args = _NUMBER_IN_PATH.sub(MASK, _PERSONAL.sub(MASK, record.getMessage())), None
    return True


def bound(**values: Any) -> AbstractContextManager[None]:
    """Bind fields (``request_id``, ``tenant``, ``actor``, ``job`` …) to all logs inside a ``with`` block."""
    return structlog.contextvars.bound_contextvars(**values)


def configure(settings: Settings) -> None:
    """Set up structlog and the standard library's logging to write alike, to standard error. Repeatable."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        level = logging.INFO
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _request_fields,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    render = _renderer(sys.stderr)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _StderrHandler)]:
        root.removeHandler(handler)
    handler = _StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root.addHandler(handler)
    root.setLevel(level)


def install(app: Flask) -> None:
    """One line and one measurement per request, once the response is made."""
    metrics.watch_pools()
    request_started.connect(_started, app)
    app.after_request(_finished)


def _started(_app: Flask, **_: Any) -> None:
    g.started = time.perf_counter()


def _finished(response: Response) -> Response:
    now = time.perf_counter()
    seconds = now - g.get("started", now)
    endpoint = request.endpoint or "none"
    tenant = g.get("tenant")
    metrics.observe_request(getattr(tenant, "kind", "none"), endpoint, response.status_code, seconds)
    level = logging.DEBUG if endpoint in _QUIET and response.status_code < 400 else logging.INFO
    if not log.is_enabled_for(level):
        return response
    log.log(
        level,
        "request",
        method=request.method,
        path=logged_path(),
        endpoint=endpoint,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
    )
    return response


def logged_path() -> str:
    """The path as it may stand in a log: the route's rule where a part of it is a secret, digits masked that may be
    a citizen number. (An area code of 15 digits is masked along; the endpoint says which page it was.)"""
    rule = request.url_rule
    if rule is not None and _SECRET_ARGUMENTS & set(rule.arguments):
        return rule.rule
    path = _NUMBER_IN_PATH.sub(MASK, request.path)
    return path if rule is not None else _SECRET_IN_PATH.sub(MASK, path)


def _request_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Inside a request: its id, the county's slug and the actor's account id, as far as known yet."""
    if not has_request_context():
        return event
    if request_id := g.get("request_id"):
        event.setdefault("request_id", request_id)
    if (tenant := g.get("tenant")) is not None:
        event.setdefault("tenant", tenant.slug)
    actor = getattr(g.get("uow"), "actor", None)
    if (account := getattr(actor, "account_id", None)) is not None:
        event.setdefault("actor", account)
    return event


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        return structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True, bool_as_flag=False
        )
    return _json


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _StderrLogger:
    """Writes whole lines to whatever ``sys.stderr`` is at that moment (tests and supervisors swap it)."""

    def __init__(self, *_: Any) -> None:
        pass

    def msg(self, message: str) -> None:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = fatal = log = warn = failure = err = msg


class _StderrHandler(logging.Handler):
    """The same for the standard library's loggers."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)
