"""Every route replayed with the other county's ids: 404 and no foreign byte, with either wall gone; leaks with both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine
from werkzeug.routing import Rule

from xiangyue.app import create_app
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.twins import FOREIGN, FOREIGN_ID, OWN, TWIN_ID, checksum, file_token, plant, sample_body
from xiangyue.testing.walls import without_rls, without_scope
from xiangyue.web.access import mark_of

#: Routes that end the session or change the account under test; replayed last would still disturb the others.
SKIPPED = {"accounts.sign_out", "accounts.do_sign_in", "static"}


#: What forms want before they look for the thing.
#: Reads rows that are encrypted; those planted hold nothing that could be opened.
SEALED = {"/api/v1/imports/<int:id>/rows"}
FORM = {"version": "1", "purpose": "check", "state": "disabled"}


@pytest.fixture(scope="module")
def owner(runtime: Runtime) -> Iterator[Engine]:
    engine = create_engine(runtime.settings.migration_database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def twins(owner: Engine, hanyin: County, tongyu: County) -> None:
    with owner.begin() as connection:
        plant(connection, hanyin.info.id, hanyin.info.area_code, word=OWN, ids=(TWIN_ID,))
        plant(connection, tongyu.info.id, tongyu.info.area_code, word=FOREIGN, ids=(TWIN_ID, FOREIGN_ID))


def rules(app: Any) -> list[Rule]:
    """Routes a county's account may reach."""
    found = []
    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        assert mark is not None
        if mark.who != "anywhere" and mark.site in (None, "county") and rule.endpoint not in SKIPPED:
            found.append(rule)
    return sorted(found, key=lambda r: (r.rule, r.endpoint))


def arguments(rule: Rule, row_id: int, county_code: int) -> dict[str, Any]:
    """A value for each variable of the route, naming the other county's thing."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        if name == "code":
            values[name] = str(county_code + 100_201_000 + row_id % 1000)
        elif name == "token":
            values[name] = str(file_token(row_id, FOREIGN))
        elif name == "key":
            values[name] = f"{FOREIGN}{row_id}key"
        elif name == "year":
            values[name] = 2020
        else:
            values[name] = row_id
    return values


def replay(county: County, app: Any, client: FlaskClient, rule: Rule, path: str, method: str) -> Any:
    """One request with everything a real one carries: CSRF token, If-Match, a body."""
    headers = {"If-Match": '"1"', "X-CSRF-Token": csrf_of(app, client, county.host)}
    body: dict[str, Any] = {"headers": headers}
    if method != "GET":
        if path.startswith("/api/"):
            body["json"] = body_of(app, rule, method)
        else:
            body["data"] = urlencode({**FORM, "csrf_token": headers["X-CSRF-Token"]})
            body["content_type"] = "application/x-www-form-urlencoded"
    return client.open(path, method=method, **body)


def body_of(app: Any, rule: Rule, method: str) -> dict[str, Any]:
    """A body the route's schema takes, so that the id is what is refused."""
    documented = getattr(app.view_functions[rule.endpoint], "_apidoc", {})
    for parameter in documented.get("arguments", {}).get("parameters", []):
        if parameter["in"] == "json":
            schema = parameter["schema"]
            return sample_body(schema() if isinstance(schema, type) else schema)
    return {}


def csrf_of(app: Any, client: FlaskClient, host: str) -> str:
    import hashlib
    import hmac

    runtime = app.extensions["xiangyue"]
    cookie = client.get_cookie(f"xy_session_{runtime.settings.cookie_suffix}", domain=host)
    assert cookie is not None
    return hmac.new(b"xiangyue csrf", cookie.value.encode(), hashlib.sha256).hexdigest()


def leaks(county: County, other: County, app: Any, *, methods: tuple[str, ...]) -> list[str]:
    """Routes that answered with the other county's thing or words, or not with 404 for an id of its own."""
    found = []
    client = county.client("county_admin")
    for rule in rules(app):
        for method in sorted((rule.methods or set()) & set(methods)):
            for row_id in (TWIN_ID, FOREIGN_ID) if rule.arguments else (FOREIGN_ID,):
                adapter = app.url_map.bind(county.host)
                code = county.info.area_code if row_id == TWIN_ID else other.info.area_code
                path = adapter.build(rule.endpoint, arguments(rule, row_id, code), method=method)
                if method != "GET" and row_id == TWIN_ID:
                    continue  # one's own: writing it is no leak
                answer = replay(county, app, client, rule, path, method)
                where = f"{method} {rule.rule} id {row_id}: {answer.status_code}"
                text = answer.get_data()
                answer.close()
                echoed = str(path).encode()
                if FOREIGN.encode() in text.replace(echoed, b"") and FOREIGN not in path:
                    found.append(f"{where} foreign words")
                if answer.status_code >= 500 and not (row_id == TWIN_ID and rule.rule in SEALED):
                    found.append(f"{where} failed")
                if rule.arguments and row_id == FOREIGN_ID and answer.status_code != 404:
                    found.append(f"{where} instead of 404")
    return found


@pytest.fixture(params=["both walls", "no row-level security", "no scope"])
def standing(request: pytest.FixtureRequest, runtime: Runtime, twins: None) -> Iterator[Any]:
    """The application with both walls, and with each taken away in turn."""
    with ExitStack() as stack:
        if request.param == "no scope":
            stack.enter_context(without_scope())
        if request.param == "no row-level security":
            runtime = stack.enter_context(without_rls(runtime))
        yield create_app(runtime=runtime)


def test_no_route_gives_the_other_countys_things(standing: Any, owner: Engine, hanyin: County, tongyu: County) -> None:
    with owner.connect() as connection:
        before = checksum(connection, tongyu.info.id)
    county = County(hanyin.runtime, standing, hanyin.info)
    found = leaks(county, tongyu, standing, methods=("GET", "POST", "PUT", "PATCH", "DELETE"))
    assert not found, "\n".join(found)
    with owner.connect() as connection:
        after = checksum(connection, tongyu.info.id)
    assert {name for name in after if after[name] != before[name]} == set()


def test_with_both_walls_gone_routes_leak(runtime: Runtime, twins: None, hanyin: County, tongyu: County) -> None:
    """If this fails, the test above proves nothing."""
    with without_rls(runtime) as bare, without_scope():
        app = create_app(runtime=bare)
        # Accounts are made through the standing wall: with both gone even that would find two counties' roles.
        county = County(runtime, app, hanyin.info)
        found = leaks(county, tongyu, app, methods=("GET",))
    assert len([f for f in found if "foreign words" in f]) >= 3
    assert len([f for f in found if "instead of 404" in f]) >= 3
