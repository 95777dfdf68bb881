"""Logs: one JSON line each, with request, county and actor, and without personal data."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from flask import Flask, g
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.config import Settings
from xiangyue.web import logs

WORDS = st.text(max_size=30)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_one_json_object_a_line(capsys: Capture) -> None:
    logs.configure(Settings())
    structlog.get_logger().info("import_done", rows=12, file="花名册.xlsx", note="two\nlines")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "import_done", "level": "info", "rows": 12, "file": "花名册.xlsx", "note": "two\nlines"}


def test_the_level_is_a_setting_and_configuring_twice_doubles_nothing(capsys: Capture) -> None:
    logs.configure(Settings(log_level="debug"))
    logs.configure(Settings(log_level="WARNING"))
    structlog.get_logger().info("unseen")
    structlog.get_logger().warning("seen")
    logging.getLogger("library").info("unseen")
    logging.getLogger("library").warning("seen %s", "too")
    assert [line["event"] for line in lines(capsys)] == ["seen", "seen too"]


def test_key_value_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure(Settings())
    structlog.get_logger().info("ready", port=8000, token="x")
    text = terminal.getvalue()
    assert text.startswith("timestamp=")
    assert text.endswith(" level=info event=ready port=8000 token=***\n")


def test_bound_fields_reach_all_logs_inside(capsys: Capture) -> None:
    logs.configure(Settings())
    with logs.bound(tenant="hanyin", job=17):
        structlog.get_logger().info("a")
        logging.getLogger("rq.worker").warning("b")
    structlog.get_logger().info("c")
    assert [(one["event"], one.get("tenant"), one.get("job")) for one in lines(capsys)] == [
        ("a", "hanyin", 17),
        ("b", "hanyin", 17),
        ("c", None, None),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "p-SECRET"},
        {"new_password": "p-SECRET"},
        {"id_number": "p-SECRET"},
        {"Phone": "p-SECRET"},
        {"form": {"guardian_phone": "p-SECRET", "rows": [{"Id-Number": "p-SECRET"}]}},
        {"headers": {"Authorization": "Bearer p-SECRET", "Cookie": "p-SECRET"}},
        {"csrf_token": b"p-SECRET"},
    ],
)
def test_named_secrets_never_reach_the_log(fields: dict[str, Any], capsys: Capture) -> None:
    logs.configure(Settings())
    structlog.get_logger().info("saved", **fields)
    text = capsys.readouterr().err
    assert "SECRET" not in text
    assert logs.MASK in text


@pytest.mark.parametrize(
    "secret",
    [
        "610921199001011234",
        "61092119900101123X",
        "13812345678",
        "xyt_0123456789abcdefABCDEF",
        "xyl_0123456789abcdefABCDEF",
        "xiangyue:s3cr3t",
    ],
)
def test_what_looks_like_personal_data_is_blotted_out_anywhere(secret: str, capsys: Capture) -> None:
    logs.configure(Settings())
    shown = f"postgresql://{secret}@db/x" if ":" in secret else f"户主 {secret}, 电话"
    structlog.get_logger().info(f"found {shown}", where=shown, deep={"list": [shown]}, error=ValueError(shown))
    logging.getLogger("library").error("failed for %s", shown)
    if secret.isdigit():
        structlog.get_logger().info("number", value=int(secret))
    try:
        raise ValueError(shown)
    except ValueError:
        structlog.get_logger().exception("broken")
    text = capsys.readouterr().err
    assert secret not in text
    assert text.count(logs.MASK) >= 6
    assert "ValueError" in text


@given(st.integers(100_000_000_000, 999_999_999_999_999))
def test_area_codes_stay_readable(code: int) -> None:
    assert logs.mask(None, "info", {"event": "x", "area": code, "text": f"area {code:015d}."}) == {
        "event": "x",
        "area": code,
        "text": f"area {code:015d}.",
    }


@given(st.dictionaries(WORDS, st.none() | st.booleans() | st.floats() | WORDS | st.lists(WORDS), max_size=5))
def test_any_event_can_be_masked(event: dict[str, Any]) -> None:
    assert set(logs.mask(None, "info", dict(event))) == set(event)


@pytest.fixture
def app() -> Flask:
    """Routes that set in ``g`` what the request pipeline sets."""
    app = Flask("test")
    logs.install(app)

    @app.before_request
    def begin() -> None:
        g.request_id = "0123456789abcdef"
        g.tenant = SimpleNamespace(slug="hanyin", kind="county")
        g.uow = SimpleNamespace(actor=SimpleNamespace(account_id=5))

    @app.get("/households/<int:number>")
    def household(number: int) -> str:
        structlog.get_logger().info("looked_up", number=number)
        return "ok"

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app


def test_a_request_is_one_line_with_who_and_where(app: Flask, capsys: Capture) -> None:
    logs.configure(Settings())
    app.test_client().get("/households/12?q=张三&phone=13812345678")
    inner, line = lines(capsys)
    who = {"request_id": "0123456789abcdef", "tenant": "hanyin", "actor": 5}
    assert {key: inner[key] for key in who} == who
    assert inner["number"] == 12
    assert line.pop("ms") >= 0
    line.pop("timestamp")
    assert line == who | {
        "event": "request",
        "level": "info",
        "method": "GET",
        "path": "/households/12",
        "endpoint": "household",
        "status": 200,
    }


def test_probes_are_quiet_and_unknown_paths_are_not(app: Flask, capsys: Capture) -> None:
    logs.configure(Settings())
    app.test_client().get("/healthz")
    app.test_client().get("/welcome/xyl_0123456789abcdefABCDEF")
    (line,) = lines(capsys)
    assert (line["status"], line["endpoint"], line["path"]) == (404, "none", "/welcome/***")


TOKEN = "3f2b8c1e-1d2a-4c5b-9e7f-0123456789ab"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"/files/{TOKEN}", "/files/<uuid:token>"),
        ("/link/secretword", "/link/<token>"),
        (f"/files/{TOKEN}/more", "/files/***/more"),
        ("/households/610921198001310011", "/households/***"),
        ("/households/610921800131001", "/households/***"),
        ("/households/61092119800131001", "/households/***"),
        ("/households/610921100200", "/households/610921100200"),
    ],
)
def test_a_path_that_is_a_secret_or_a_citizen_number_is_not_logged(
    app: Flask, capsys: Capture, path: str, logged: str
) -> None:
    @app.get("/files/<uuid:token>")
    def fetch(token: object) -> str:
        return "ok"

    @app.get("/link/<token>")
    def link(token: str) -> str:
        return "ok"

    logs.configure(Settings())
    app.test_client().get(path)
    assert lines(capsys)[-1]["path"] == logged


def test_what_other_loggers_write_themselves_is_masked(capsys: Capture) -> None:
    logger = logging.Logger("gunicorn.error")
    logger.addHandler(logging.StreamHandler(sys.stderr))
    logger.addFilter(logs.mask_record)
    logger.error("Error handling request %s", "/households?q=610921198001310011&phone=13800000000")
    assert capsys.readouterr().err == "Error handling request /households?q=***&phone=***\n"
