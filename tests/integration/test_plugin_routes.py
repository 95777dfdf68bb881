"""A plugin that one county has on and the other has not: everything of it is there, and nothing of it is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, render_template
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from sqlalchemy import select
from tests.plugins_kit import planted, switch

from xiangyue.access.audit import audit
from xiangyue.access.models import Role
from xiangyue.access.permissions import Permission
from xiangyue.api.setup import ApiBlueprint
from xiangyue.app import create_app
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.registry import JobKind, NavItem, Schedule
from xiangyue.runtime import Runtime, offer_of
from xiangyue.testing.fixtures import County
from xiangyue.web.access import public, requires, signed_in

VIEW = Permission("probe.view", "See probes")


class ProbeSchema(Schema):
    value = fields.String()


def blueprints() -> tuple[Blueprint, ApiBlueprint]:
    pages = Blueprint("probe", __name__, template_folder="probe_templates")

    @pages.get("/")
    @requires(VIEW)
    def show() -> Any:
        return render_template("probe/show.html")

    @pages.get("/open")
    @public
    def open_page() -> str:
        return "open to all"

    @pages.post("/note")
    @signed_in
    def note() -> str:
        return "noted"

    api = ApiBlueprint("probe", __name__)

    @api.route("/things", methods=["GET"])
    @api.response(200, ProbeSchema)
    @requires(VIEW)
    def things() -> Any:
        """Things that are probed"""
        return {"value": "one"}

    return pages, api


def count(_context: Any) -> dict[str, Any]:
    return {"counted": 1}


@pytest.fixture(scope="module")
def app(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "static").mkdir()
    (folder / "static" / "probe.css").write_text("body { color: teal }")
    (folder / "templates" / "probe").mkdir(parents=True)
    (folder / "templates" / "probe" / "show.html").write_text(
        '{% extends "layout.html" %}{% block content %}<h1>All probes</h1>'
        '<link rel="stylesheet" href="{{ plugin_static("probe", "probe.css") }}">{% endblock %}'
    )
    pages, api = blueprints()
    pages.template_folder = str(folder / "templates")
    with planted(
        runtime,
        "probe",
        manifest={"static": folder / "static", "label": "Probing"},
        register_permissions=(VIEW,),
        register_role_templates={"county_admin": frozenset({VIEW.name})},
        register_pages=(pages,),
        register_api=(api,),
        register_navigation=(NavItem("probe", "Probe line", "probe.show", VIEW, "people", "eye"),),
        register_jobs=(JobKind("probe.count", "Count probes", count),),
        register_schedules=(Schedule("probe.hourly", "probe.count", 3600),),
        register_audit_actions={"probe.look": "Looked at a probe"},
    ) as installed:
        assert installed.ready, str(installed.reason)
        made = create_app(runtime=runtime)
        made.testing = False
        yield made


@pytest.fixture(scope="module", autouse=True)
def counties(hanyin: County, tongyu: County) -> None:
    """On in Hanyin, off in Tongyu; the administrators' role holds its right in both."""
    switch(hanyin, "probe")
    switch(tongyu, "probe", enabled=False)
    for county in (hanyin, tongyu):
        with county.uow() as uow:
            role = uow.session.scalars(select(Role).where(Role.key == "county_admin")).one()
            role.permissions = sorted({*role.permissions, VIEW.name})


@pytest.fixture(scope="module")
def on(hanyin: County, counties: None) -> FlaskClient:
    return hanyin.client("county_admin")


@pytest.fixture(scope="module")
def off(tongyu: County, counties: None) -> FlaskClient:
    return tongyu.client("county_admin")


def test_pages_are_there_where_it_is_on(on: FlaskClient) -> None:
    answer = on.get("/p/probe/")
    assert answer.status_code == 200
    assert "All probes" in answer.text
    assert "Probe line" in on.get("/").text
    assert on.get("/p/probe").status_code == 308


@pytest.mark.parametrize(
    "path", ["/p/probe/", "/p/probe", "/p/probe/open", "/p/probe/none", "/p/probe/static/probe.css"]
)
def test_no_page_is_there_where_it_is_off(off: FlaskClient, tongyu: County, path: str) -> None:
    for client in (off, tongyu.client()):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "probe" not in answer.text.lower().replace(path, "")


def test_other_methods_tell_no_more(on: FlaskClient, off: FlaskClient) -> None:
    assert on.delete("/p/probe/").status_code == 405
    assert off.delete("/p/probe/").status_code == 404
    assert off.post("/p/probe/note").status_code == 404
    assert off.post("/p/probe/static/probe.css").status_code == 404


def test_an_unknown_plugin_is_not_there(on: FlaskClient) -> None:
    for path in ("/p/", "/p/ghost/", "/p/households/", "/p/ghost/static/x.css", "/api/v1/p/ghost/x"):
        assert on.get(path).status_code == 404


def test_those_without_the_right_are_refused_where_it_is_on(hanyin: County) -> None:
    assert hanyin.client("village").get("/p/probe/").status_code == 403
    assert hanyin.client().get("/p/probe/").status_code in (302, 303, 401)
    assert hanyin.client().get("/p/probe/open").text == "open to all"


def test_the_operator_has_no_plugins(operator: County) -> None:
    client = operator.client("operator_admin")
    assert client.get("/p/probe/open").status_code == 404
    assert client.get("/p/probe/").status_code == 404


def test_its_api_is_a_problem_document_where_it_is_off(on: FlaskClient, off: FlaskClient, tongyu: County) -> None:
    assert on.get("/api/v1/p/probe/things").json == {"value": "one"}
    for client in (off, tongyu.client()):
        answer = client.get("/api/v1/p/probe/things")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
        assert answer.json is not None
        assert answer.json["type"] == "urn:xiangyue:error:not_found"


def test_the_document_of_the_api_is_the_countys(on: FlaskClient, off: FlaskClient) -> None:
    here, there = on.get("/api/v1/openapi.json").json, off.get("/api/v1/openapi.json").json
    assert here is not None
    assert there is not None
    operation = here["paths"]["/api/v1/p/probe/things"]["get"]
    assert operation["summary"] == "Things that are probed"
    assert set(here["paths"]) - set(there["paths"]) == {"/api/v1/p/probe/things"}
    only_here = set(here["components"]["schemas"]) - set(there["components"]["schemas"])
    assert [name.endswith("Probe") for name in only_here] == [True]
    assert "probe" not in str(there).lower()


def test_static_files_carry_the_version(on: FlaskClient) -> None:
    page = on.get("/p/probe/").text
    address = page.split('rel="stylesheet" href="/p/probe/')[1].split('"')[0]
    assert address == "static/probe.css?v=1.0"
    with on.get(f"/p/probe/{address}") as answer:
        assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/css", "body { color: teal }")
        assert "max-age=31536000" in answer.headers["Cache-Control"]
    with on.get("/p/probe/static/probe.css") as answer:
        assert "max-age=300" in answer.headers["Cache-Control"]
    assert on.get("/p/probe/static/../../secret").status_code == 404
    assert on.get("/p/probe/static/none.css").status_code == 404


def test_its_line_of_the_navigation_is_the_countys(on: FlaskClient, off: FlaskClient) -> None:
    assert "Probe line" in on.get("/households").text
    assert "Probe line" not in off.get("/households").text


def test_its_rights_are_listed_where_it_is_on(on: FlaskClient, off: FlaskClient) -> None:
    assert "See probes" in on.get("/roles/new").text
    assert "See probes" not in off.get("/roles/new").text
    assert VIEW.name in on.get("/api/v1/permissions").text
    assert VIEW.name not in off.get("/api/v1/permissions").text
    assert "probe.look" in on.get("/audit").text
    assert "probe.look" not in off.get("/audit").text
    assert "probe.count" in on.get("/jobs").text
    assert "probe.count" not in off.get("/jobs").text


def test_a_role_keeps_the_rights_of_a_plugin_that_is_off(tongyu: County, off: FlaskClient) -> None:
    with tongyu.uow() as uow:
        role = uow.session.scalars(select(Role).where(Role.key == "town")).one()
        role.permissions = sorted({*role.permissions, VIEW.name})
        uow.session.flush()
        id, version, rights, name = role.id, role.version, list(role.permissions), role.name
    form = off.get(f"/roles/{id}/edit").text
    assert "See probes" not in form
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    answer = off.post(
        f"/roles/{id}/edit",
        data={
            "csrf_token": token,
            "version": version,
            "name": f"{name} 二",
            "permissions": [r for r in rights if r != VIEW.name],
        },
    )
    assert answer.status_code == 303, answer.text
    with tongyu.uow() as uow:
        kept = uow.session.scalars(select(Role).where(Role.key == "town")).one()
        assert kept.name == f"{name} 二"
        assert VIEW.name in kept.permissions


def test_role_templates_are_the_countys(hanyin: County, tongyu: County) -> None:
    with hanyin.uow() as uow:
        assert VIEW.name in offer_of(uow).role_templates["county_admin"]
    with tongyu.uow() as uow:
        assert VIEW.name not in offer_of(uow).role_templates["county_admin"]


def test_what_it_did_is_told_in_words_also_where_it_is_off(tongyu: County, off: FlaskClient) -> None:
    with tongyu.uow() as uow:
        job = enqueue_job(uow, kind="probe.count", params={})
        audit(uow, action="probe.look", obj=job, label="probe")
        audit(uow, action="ghost.look", obj=job, label="ghost")
    assert "Looked at a probe" in off.get("/audit").text
    assert "ghost.look" in off.get("/audit").text
    assert "Count probes" in off.get(f"/jobs/{job.id}").text


def state_of(county: County, job_id: int) -> tuple[str, str]:
    with county.uow() as uow:
        job = uow.get(Job, job_id)
        return job.state, job.error


def test_its_jobs_run_where_it_is_on_and_fail_with_the_reason_elsewhere(
    runtime: Runtime, hanyin: County, tongyu: County
) -> None:
    ids = {}
    for county in (hanyin, tongyu):
        with county.uow() as uow:
            ids[county.info.slug] = enqueue_job(uow, kind="probe.count", params={}).id
        run_with(runtime, county.info.id, ids[county.info.slug])
    assert state_of(hanyin, ids["hanyin"])[0] == "succeeded"
    state, error = state_of(tongyu, ids["tongyu"])
    assert state == "failed"
    assert "Probing" in error
    assert "本县没有启用" in error


def test_a_job_of_a_plugin_that_is_broken_or_gone_says_so(runtime: Runtime, hanyin: County) -> None:
    with hanyin.uow() as uow:
        ids = [enqueue_job(uow, kind=kind, params={}).id for kind in ("probe.count", "ghost.count")]
    runtime.registry.mark("probe", "unmigrated", "its tables are missing")
    try:
        for id in ids:
            run_with(runtime, hanyin.info.id, id)
    finally:
        runtime.registry.mark("probe", "ready")
    assert "its tables are missing" in state_of(hanyin, ids[0])[1]
    assert "ghost.count" in state_of(hanyin, ids[1])[1]


def test_its_schedules_start_where_it_is_on(runtime: Runtime, hanyin: County, tongyu: County) -> None:
    def started(county: County) -> bool:
        with county.uow() as uow:
            found = uow.session.scalars(select(Job).where(Job.params["schedule"].as_string() == "probe.hourly"))
            return bool(found.all())

    scheduler = Scheduler(runtime, clock=lambda: time.time() + 7200)
    scheduler.start_due(hanyin.info)
    scheduler.start_due(tongyu.info)
    assert started(hanyin)
    assert not started(tongyu)


def test_switching_counts_from_the_next_request_on(hanyin: County, on: FlaskClient, off: FlaskClient) -> None:
    switch(hanyin, "probe", enabled=False)
    try:
        assert on.get("/p/probe/").status_code == 404
        assert on.get("/api/v1/p/probe/things").status_code == 404
        assert "Probe line" not in on.get("/").text
    finally:
        switch(hanyin, "probe")
    assert on.get("/p/probe/").status_code == 200
    assert off.get("/p/probe/").status_code == 404


def test_a_plugin_that_is_on_and_no_longer_installed_is_missed_by_no_page(tongyu: County, off: FlaskClient) -> None:
    switch(tongyu, "ghost")
    for path in ("/", "/households", "/jobs", "/roles", "/audit", "/api/v1/openapi.json"):
        assert off.get(path).status_code == 200
    assert off.get("/p/ghost/").status_code == 404


def test_a_line_of_the_navigation_that_cannot_be_counted_stays_without_its_number(
    runtime: Runtime, app: Any, hanyin: County, on: FlaskClient
) -> None:
    def number(_uow: Any) -> int:
        raise LookupError("lost count")

    line = NavItem("probe", "Counted line", "probe.show", None, "people", "eye", count=number)
    (installed,) = [i for i in runtime.registry.installed.values() if i.name == "probe"]
    assert installed.contributor is not None
    offered: Any = installed.contributor.offered
    before = offered["navigation"]
    offered["navigation"] = (line,)
    runtime.registry.take(runtime.registry.contributors)
    try:
        answer = on.get("/p/probe/")
        assert answer.status_code == 200
        assert "Counted line" in answer.text
    finally:
        offered["navigation"] = before
        runtime.registry.take(runtime.registry.contributors)


def test_a_plugin_that_cannot_be_mounted_is_left_out_and_the_rest_serves(runtime: Runtime) -> None:
    """Its blueprint behaves in the trial and fails on the real application."""
    blueprint = Blueprint("sly", __name__)

    def only_at_the_trial(state: Any) -> None:
        if state.app.name != "trial":
            raise LookupError("not in this house")

    blueprint.record(only_at_the_trial)
    with planted(runtime, "sly", register_pages=(blueprint,)) as installed:
        assert installed.ready
        made = create_app(runtime=runtime)
        assert installed.state == "broken"
        assert "not in this house" in str(installed.reason)
        assert not runtime.registry.has("sly")
        assert "households.list_households" in made.view_functions


def test_the_core_has_no_plugin_by_default(provisioned: Any) -> None:
    assert provisioned.plugins == ()
    assert Runtime(provisioned).registry.installed == {}
    assert all(c.core for c in Runtime(provisioned).registry.contributors)


def test_templates_of_the_core_are_not_covered_by_a_plugins(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "households").mkdir()
    (tmp_path / "households" / "list.html").write_text("taken over")
    blueprint = Blueprint("cuckoo", __name__, template_folder=str(tmp_path))
    with planted(runtime, "cuckoo", register_pages=(blueprint,)) as installed:
        assert installed.state == "refused"
        assert "households/list.html" in str(installed.reason)
