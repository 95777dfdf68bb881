"""A plugin's own pages and API: one that fails or hangs is named, and no other page waits for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Blueprint, Response
from flask.testing import FlaskClient
from points_kit import faults, probe
from sqlalchemy import select, text

from xiangyue.api.setup import ApiBlueprint
from xiangyue.app import create_app
from xiangyue.errors import NotFound
from xiangyue.features.areas.models import Area
from xiangyue.features.plugins.deployment import hook_times
from xiangyue.plugin.dispatch import PAUSE, unpause
from xiangyue.plugin.limits import allowed_at_length, allowing
from xiangyue.testing.fixtures import County
from xiangyue.testing.statements import paused
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_uow

PERSONAL = "王德福"
#: Seconds that a view has here; and one that shall not be stopped, however busy the machine is.
TIME, PLENTY = 0.5, 60.0
STOPPED = f"OutOfTime: more than {TIME:g} s"


def rename() -> None:
    current_uow().session.scalars(select(Area).where(Area.level == "county")).one().name_en = "Renamed"


def fine() -> str:
    return "fine"


def raising() -> str:
    rename()
    raise KeyError(PERSONAL)


def exiting() -> str:
    rename()
    raise SystemExit(3)


def loop() -> str:
    rename()
    current_uow().session.flush()
    while True:
        pass


def sleep() -> str:
    time.sleep(30)
    return "late"


def sleep_in_sql() -> str:
    current_uow().session.execute(text("SELECT pg_sleep(30)"))
    return "late"


def bad_sql() -> str:
    current_uow().session.execute(text("SELECT nothing FROM nowhere"))
    return "odd"


def missing() -> str:
    raise NotFound


def rubbish() -> str:
    current_uow().session.add(
        Area(area_code=1, parent_code=0, level="nonsense", kind="x", name="x", official_name="", sort_key="")
    )
    return "written at the commit"


def stream() -> Response:
    def pieces() -> Iterator[str]:
        yield "first"
        for _n in itertools.count():
            pass

    return Response(pieces(), mimetype="text/plain")


def short_stream() -> Response:
    return Response((str(n) for n in range(3)), mimetype="text/plain")


VIEWS = (fine, raising, exiting, loop, sleep, sleep_in_sql, bad_sql, missing, rubbish, stream, short_stream)


def blueprints() -> tuple[Blueprint, ApiBlueprint]:
    pages, api = Blueprint("probe", __name__), ApiBlueprint("probe", __name__)
    for view in VIEWS:
        pages.add_url_rule(f"/{view.__name__}/<int:id>", view.__name__, _with_id(view), methods=["GET", "POST"])
    for view in (fine, raising, loop):
        api.add_url_rule(f"/{view.__name__}", view.__name__, signed_in(_plain(view)))
    return pages, api


def _with_id(view: Any) -> Any:
    @signed_in
    def shown(id: int) -> Any:
        return view()

    return shown


def _plain(view: Any) -> Any:
    def answered() -> Any:
        """A view of the API"""
        return view()

    return answered


#: What hangs around a view that does not.
AROUND = ("before", "after", "handler")


def around(when: str) -> Blueprint:
    pages = Blueprint(f"probe_{when}", __name__)

    @pages.get(f"/{when}")
    @signed_in
    def home() -> str:
        if when == "handler":
            raise LookupError
        return "home"

    def hang(*_given: Any) -> Any:
        loop()

    {
        "before": pages.before_request,
        "after": pages.after_request,
        "handler": lambda f: pages.register_error_handler(Exception, f),
    }[when](hang)
    return pages


@contextmanager
def serving(county: County) -> Iterator[County]:
    pages, api = blueprints()
    with probe(county, register_pages=(pages, *map(around, AROUND)), register_api=(api,)):
        app = create_app(runtime=county.runtime)
        app.testing = False
        with paused(), allowing(TIME / 5):
            assert allowed_at_length() == pytest.approx(TIME)
            yield County(county.runtime, app, county.info)


@pytest.fixture(scope="module")
def place(hanyin: County) -> Iterator[County]:
    with serving(hanyin) as shown:
        yield shown


@pytest.fixture(scope="module")
def client(place: County) -> FlaskClient:
    return place.client("county_admin")


@pytest.fixture(autouse=True)
def awake(place: County) -> None:
    with place.uow() as uow:
        unpause(uow, "probe")


def county_name(county: County) -> Any:
    with county.uow() as uow:
        return uow.session.scalars(select(Area.name_en).where(Area.level == "county")).one()


FAULTS = {
    raising: (500, "KeyError ("),
    exiting: (500, "SystemExit ("),
    bad_sql: (500, 'UndefinedTable: relation "nowhere" does not exist [42P01]'),
    rubbish: (500, "CheckViolation [23514]"),
    loop: (503, STOPPED),
    sleep: (503, STOPPED),
    sleep_in_sql: (503, "QueryCanceled: canceling statement due to statement timeout [57014]"),
}


@pytest.mark.parametrize("view", FAULTS, ids=lambda view: view.__name__)
def test_what_a_view_does_wrong_is_named_and_undone(place: County, client: FlaskClient, view: Any) -> None:
    status, error = FAULTS[view]
    begun = time.monotonic()
    with allowing((TIME if status == 503 else PLENTY) / 5):
        answer = client.get(f"/p/probe/{view.__name__}/7")
    assert time.monotonic() - begun < (4 if status == 503 else PLENTY)
    assert answer.status_code == status
    assert faults(place)[f"pages:probe.{view.__name__}"].startswith(error)
    assert PERSONAL not in str(faults(place)) + answer.text
    assert county_name(place) != "Renamed"
    assert client.get("/households").status_code == 200
    assert client.get("/p/probe/fine/7").text == "fine"


def test_an_answer_with_words_is_no_fault(place: County, client: FlaskClient) -> None:
    assert client.get("/p/probe/missing/7").status_code == 404
    assert client.get("/p/probe/fine/x").status_code == 404
    assert not {"pages:probe.missing", "pages:probe.fine"} & faults(place).keys()


def test_one_that_was_stopped_says_so_in_the_readers_language_and_rests(place: County, client: FlaskClient) -> None:
    answer = client.get("/p/probe/loop/7")
    assert "插件“Plugin probe”处理此项超过 0.5 秒，已被停止" in answer.text
    assert answer.headers["Retry-After"] == str(int(PAUSE))
    begun = time.monotonic()
    again = place.client("county_admin", locale="en").get("/p/probe/loop/8")
    assert time.monotonic() - begun < TIME
    assert again.status_code == 503
    assert "The plugin “Plugin probe” took longer than 0.5 seconds for this and was stopped" in again.text


def test_its_api_answers_a_problem(place: County, client: FlaskClient) -> None:
    broken = client.get("/api/v1/p/probe/raising")
    assert (broken.status_code, broken.mimetype) == (500, "application/problem+json")
    stopped = client.get("/api/v1/p/probe/loop")
    assert (stopped.status_code, stopped.json["plugin"], stopped.json["type"]) == (
        503,
        "probe",
        "urn:xiangyue:error:stopped",
    )
    found = faults(place)
    assert found["api:api-probe.raising"].startswith("KeyError (")
    assert found["api:api-probe.loop"].startswith(STOPPED)


def test_what_is_streamed_has_its_time_for_each_piece(place: County, client: FlaskClient) -> None:
    assert client.get("/p/probe/short_stream/7").text == "012"
    answer = client.get("/p/probe/stream/7", buffered=False)
    pieces = iter(answer.iter_encoded())
    assert next(pieces) == b"first"
    with pytest.raises(RuntimeError, match="broke off"):
        next(pieces)
    answer.close()
    assert faults(place)["pages:probe.stream"].startswith(STOPPED)


@pytest.mark.parametrize("when", AROUND)
def test_what_belongs_to_a_view_has_no_time_of_its_own(place: County, client: FlaskClient, when: str) -> None:
    begun = time.monotonic()
    answer = client.get(f"/p/probe/{when}")
    assert (answer.status_code, time.monotonic() - begun < 4) == (503, True)
    assert "插件“Plugin probe”" in answer.text
    assert faults(place)[f"pages:probe_{when}.home"].startswith(STOPPED)


def test_time_in_views_is_counted(place: County, client: FlaskClient) -> None:
    def calls() -> int:
        found = {t.hook: t.calls for t in hook_times(place.runtime).get("probe", [])}
        return found.get("pages:probe.fine", 0)

    before = calls()
    for n in range(3):
        assert client.get(f"/p/probe/fine/{n}").status_code == 200
    assert calls() == before + 3
