"""A hidden plugin that does wrong whatever it can, in every hook at once: every page of the core stays up."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from households_kit import filled_county, id_of, post, text
from points_kit import drawing, faults
from sqlalchemy import select

from xiangyue.access.actor import system_actor
from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Refused
from xiangyue.features.classifications.policy import COMPUTE_KIND
from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.models import ImportBatch
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.dispatch import unpause
from xiangyue.plugin.limits import LENGTH, allowing
from xiangyue.plugin.registry import (
    Classifier,
    Clause,
    DashboardCard,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    JobKind,
    NavItem,
    Outcome,
    PanelView,
    RuleVersion,
    Schedule,
    SearchHit,
    SearchKind,
    Step,
    WorkItem,
    WorkProvider,
)
from xiangyue.testing import statements
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]


class Hostile:
    """Answers nothing that can be used."""

    def _no(self, *_given: Any) -> Any:
        raise ZeroDivisionError

    __str__ = __iter__ = __len__ = __bool__ = __getitem__ = __eq__ = _no  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def raising(*_given: Any) -> Any:
    raise RuntimeError("王德福")


def exiting(*_given: Any) -> Any:
    raise SystemExit(3)


def missing(*_given: Any) -> Any:
    raise NotFound


def refusing(*_given: Any) -> Any:
    raise Refused("Not here.")


def recursing(*given: Any) -> Any:
    return recursing(*given)


def busy(*_given: Any) -> Any:
    for _n in itertools.count():
        pass


def asleep(*_given: Any) -> Any:
    time.sleep(60)


def sleeping_sql(uow: Uow, *_given: Any) -> Any:
    scoped_sql(uow.session, "SELECT pg_sleep(60) FROM area a WHERE {tenant:a} LIMIT 1")


def bad_sql(uow: Uow, *_given: Any) -> Any:
    scoped_sql(uow.session, "SELECT nothing FROM nowhere n WHERE {tenant:n}")


def swallowed_sql(uow: Uow, *_given: Any) -> Any:
    try:
        bad_sql(uow)
    except Exception:
        return None


def rubbish(uow: Uow, *_given: Any) -> Any:
    uow.session.add(Household(area_code=1, code=None))  # type: ignore[arg-type]


def rolling_back(uow: Uow, *_given: Any) -> Any:
    uow.rollback()


def other_scope(uow: Uow, *_given: Any) -> Any:
    uow.set_scope(type(uow.scope)(uow.tenant_id + 1))


def other_scope_in_secret(uow: Uow, *_given: Any) -> Any:
    uow.session.info["scope"] = Scope(uow.tenant_id + 1)


def other_actor(uow: Uow, *_given: Any) -> Any:
    uow.actor = system_actor(uow.tenant_id)


def other_tables(uow: Uow, *_given: Any) -> Any:
    uow.session.connection().exec_driver_sql("SET LOCAL search_path = pg_temp")


def the_driver(uow: Uow) -> Any:
    return uow.session.connection().connection.driver_connection


#: The transaction is ended by those who know it best, not by the session.
ENDING: dict[str, Callable[..., Any]] = {
    "connection rolls back": lambda uow, *_: uow.session.connection().rollback(),
    "connection commits": lambda uow, *_: uow.session.connection().commit(),
    "connection closes": lambda uow, *_: uow.session.connection().close(),
    "driver rolls back": lambda uow, *_: the_driver(uow).rollback(),
    "driver commits": lambda uow, *_: the_driver(uow).commit(),
    "driver closes": lambda uow, *_: the_driver(uow).close(),
}

WAYS: dict[str, Callable[..., Any]] = {
    "raises": raising,
    "exits": exiting,
    "says not found": missing,
    "refuses": refusing,
    "recurses": recursing,
    "loops": busy,
    "sleeps": asleep,
    "sleeps in SQL": sleeping_sql,
    "bad SQL": bad_sql,
    "swallows bad SQL": swallowed_sql,
    "adds rubbish": rubbish,
    "rolls back": rolling_back,
    "leaves the scope": other_scope,
    "leaves the scope in secret": other_scope_in_secret,
    "becomes another": other_actor,
    "reads other tables": other_tables,
    **ENDING,
    "number": lambda *_: -1,
    "text": lambda *_: "<script>alert(1)</script>",
    "hostile": lambda *_: Hostile(),
    "hostile in a list": lambda *_: [Hostile()],
    "hostile in a mapping": lambda *_: {1: Hostile(), 2: Hostile()},
    "hostile view": lambda *_: PanelView("probe/bad.html", {"word": Hostile()}),
    "hostile hit": lambda *_: [SearchHit("x", Hostile(), "/x")],
    "hostile work": lambda *_: [WorkItem("x", Hostile(), "/x", "Go")],
    "endless": lambda *_: itertools.count(),
}

#: Refused in so many words.
MISUSE = (*ENDING, "leaves the scope in secret", "becomes another", "reads other tables")
HANGING = ("loops", "sleeps", "sleeps in SQL")


SEE = Permission("probe.see", "See probes")
OUTCOMES = (Outcome("red", "Red"), Outcome("open", "Open", undetermined=True))
VERSIONS = (RuleVersion("1", date(2020, 1, 1), (Clause("c", "1", "c"),)),)
STEPS = (Step("village", "Village", SEE),)


def working(bad: Callable[..., Any], context: Any) -> Any:
    with context.uow() as uow:
        return bad(uow)


def hooks(bad: Callable[..., Any]) -> dict[str, Any]:
    return {
        "register_navigation": (NavItem("probe", "Probe", "probe.home", None, "people", "home", count=bad),),
        "register_household_panels": (HouseholdPanel("probe_panel", "Panel", None, bad),),
        "register_household_filters": (
            HouseholdFilter("probe_choices", "Choices", None, bad, bad),
            HouseholdFilter("probe_condition", "Condition", None, lambda _u: [("x", "x")], bad),
        ),
        "register_household_columns": (HouseholdColumn("probe_column", "Column", None, bad),),
        "register_dashboard_cards": (DashboardCard("probe_card", "Card", None, bad),),
        "register_work": (WorkProvider("probe.work", bad),),
        "register_import_columns": (ImportColumn("probe_import", ("探针", "Probe"), "text", bad),),
        "register_permissions": (SEE,),
        "register_jobs": (JobKind("probe.work", "Work", partial(working, bad), None, result_url=bad),),
        "register_schedules": (Schedule("probe.hourly", "probe.work", 3600),),
        "register_classifiers": (Classifier("probe.rule", "Rule", SEE, OUTCOMES, (), VERSIONS, STEPS, bad),),
        "register_search_kinds": (SearchKind("probe_kind", "Kind", None, bad),),
        "household_change_requested": lambda uow: bad(uow),
        "import_commit_requested": lambda uow: bad(uow),
        "classification_decision_requested": lambda uow: bad(uow),
        "household_change_happened": lambda uow: bad(uow),
        "person_change_happened": lambda uow: bad(uow),
        "import_commit_happened": lambda uow: bad(uow),
    }  # fmt: skip


def pages(county: County) -> list[str]:
    household, person = id_of(county, Household, code="6109211002000001"), id_of(county, Person, name="陈桂兰")
    return [
        "/", "/households?area=all",
        "/households?area=all&probe_choices=x&probe_condition=x&cols=size,probe_column",
        f"/households/{household}", f"/households/{household}/edit", f"/persons/{person}", f"/persons/{person}/edit",
        "/households/new", "/persons", "/search?q=王", "/areas", "/imports", "/imports/new", "/cockpit?area=all",
        "/accounts", "/roles", "/audit", "/jobs", "/settings", "/me", "/households/export?area=all&cols=probe_column",
        "/api/v1/households", "/api/v1/openapi.json", "/api/v1/imports",
    ]  # fmt: skip


#: A hook that hangs is stopped by the same nets, only sooner: there are many of them, and each is waited for. The
#: others have plenty of time, so that a busy machine stops none.
PATIENCE, PLENTY = 0.2, 20.0


@pytest.fixture(autouse=True)
def no_record(way: str) -> Iterator[None]:
    with statements.paused(), allowing(PATIENCE if way in HANGING else PLENTY):
        yield


@pytest.mark.parametrize("way", WAYS)
def test_every_page_of_the_core_stays_up(county: County, tongyu: County, tmp_path: Path, way: str) -> None:
    with drawing(county, tmp_path, {"bad.html": "{{ word }}"}, **hooks(WAYS[way])) as shown:
        client = shown.client("county_admin")
        for url in pages(county):
            with client.get(url) as answer:
                assert answer.status_code == 200, (url, answer.status_code)
                if url.startswith("/households?"):
                    assert "王德福" in answer.text
                    assert "吴·木子" in answer.text
                assert "<script>alert(1)" not in answer.text
        with client.get("/imports/template.xlsx") as answer:
            assert answer.status_code == 200
        found = faults(county)
        assert "household_panels:probe_panel" in found or way in ("swallows bad SQL", "leaves the scope")
        assert "王德福" not in str(found)
        if way in MISUSE:
            assert found["household_panels:probe_panel"].startswith("Misuse: ")
            assert sum(error.startswith("Misuse: ") for error in found.values()) >= 5
        if way in HANGING:
            expected = "57014" if way == "sleeps in SQL" else f"OutOfTime: more than {PATIENCE:g} s"
            assert expected in found["household_panels:probe_panel"]
        with tongyu.uow() as uow:
            assert not uow.session.scalars(select(Household)).all()


def run(county: County, kind: str) -> str:
    """How a job ends at its first try."""
    with county.uow() as uow:
        job_id = enqueue_job(uow, kind=kind, params={}).id
    run_with(county.runtime, county.info.id, job_id)
    with county.uow() as uow:
        return uow.get(Job, job_id).state


@pytest.mark.parametrize("way", WAYS)
def test_a_rule_that_does_wrong_is_named_and_the_job_ends(county: County, tmp_path: Path, way: str) -> None:
    with drawing(county, tmp_path, {}, **hooks(WAYS[way])):
        assert run(county, COMPUTE_KIND) == "failed"
        found = faults(county)
    assert "classifiers:probe.rule:propose" in found
    assert "王德福" not in str(found)
    if way in ("loops", "sleeps"):
        assert found["classifiers:probe.rule:propose"].startswith(f"OutOfTime: more than {LENGTH * PATIENCE:g} s")


#: What a job may do: it has its own transactions, to end as it likes (``MISUSE``), and ends with words for people.
ALLOWED = {
    "says not found": "failed",
    "refuses": "failed",
    "leaves the scope": "failed",
    "rolls back": "succeeded",
    "swallows bad SQL": "succeeded",
}


@pytest.mark.parametrize("way", [way for way in WAYS if way not in (*HANGING, *MISUSE)])
def test_a_job_that_does_wrong_is_named_and_tried_again(county: County, tmp_path: Path, way: str) -> None:
    with drawing(county, tmp_path, {}, **hooks(WAYS[way])):
        assert run(county, "probe.work") == ALLOWED.get(way, "queued")
        found = faults(county)
    assert ("jobs:probe.work" in found) == (way not in ALLOWED)
    assert "王德福" not in str(found)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in HANGING])
def test_an_act_is_done_whole_or_refused_whole(county: County, tmp_path: Path, way: str) -> None:
    """Whatever the hook before it does; and what is told afterwards fails in jobs, not in the page."""
    household = id_of(county, Household, code="6109211002000001")
    url = f"/households/{household}/edit"
    with drawing(county, tmp_path, {}, **hooks(WAYS[way])) as shown:
        client = shown.client("county_admin")
        answer = post(client, url, url, note="搬进新房", version="1")
        assert answer.status_code in (303, 409)
        with county.uow() as uow:
            saved = uow.get(Household, household)
            done = (saved.note, saved.version)
            jobs = uow.session.scalars(select(Job.id).where(Job.kind == "plugin.event")).all()
        assert done == (("搬进新房", 2) if answer.status_code == 303 else ("", 1))
        assert not (jobs and answer.status_code == 409)
        if answer.status_code == 409:
            assert "搬进新房" in answer.text
            assert "插件" in answer.text
        with county.uow() as uow:
            unpause(uow, "probe")
            for job in uow.session.scalars(select(Job).where(Job.kind == "plugin.event")):
                uow.session.delete(job)
    assert post(county.client("county_admin"), url, url, note="后来", version=str(done[1])).status_code == 303
    with county.uow() as uow:
        assert not uow.session.scalars(select(ImportBatch)).all()
    assert "后来" in text(county.client("county_admin"), f"/households/{household}")
