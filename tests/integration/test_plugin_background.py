"""What plugins do behind the pages: rules, jobs, what they are told, columns of the roster. Faults stand on the plugins
page, time is counted, and the rest goes on."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from points_kit import faults, probe
from prometheus_client.parser import text_string_to_metric_families
from rq.timeouts import JobTimeoutException
from sqlalchemy import select

from xiangyue.access.permissions import Permission
from xiangyue.db.session import OutOfTime
from xiangyue.features.classifications.policy import COMPUTE_KIND
from xiangyue.features.plugins.deployment import hook_times
from xiangyue.jobs.metrics import JobSeconds
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.dispatch import EVENT, publish
from xiangyue.plugin.limits import allowing, limited
from xiangyue.plugin.registry import Classifier, JobKind, Outcome, Proposals, RuleVersion, Step
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.statements import paused
from xiangyue.web.metrics import metrics_body

SEE = Permission("probe.see", "See probes")
PERSONAL = "王德福"
FINE = (
    "SELECT h.id AS household_id, 'red' AS outcome, '' AS clause, '{}'::jsonb AS inputs FROM household h"
    " WHERE {scope:h}"
)


def rule(key: str, propose: Callable[..., Any]) -> Classifier:
    outcomes = (Outcome("red", "Red"), Outcome("open", "Open", undetermined=True))
    versions, steps = (RuleVersion("1", date(2020, 1, 1), ()),), (Step("village", "Village", SEE),)
    return Classifier(f"probe.{key}", key, SEE, outcomes, (), versions, steps, propose)


def run(county: County, kind: str, **params: Any) -> Job:
    with county.uow() as uow:
        job_id = enqueue_job(uow, kind=kind, params=params).id
    with paused():
        run_with(county.runtime, county.info.id, job_id)
    with county.uow() as uow:
        return uow.get(Job, job_id)


def raising(*_given: Any) -> Any:
    raise KeyError(PERSONAL)


def exiting(*_given: Any) -> Any:
    raise SystemExit(3)


def busy(*_given: Any) -> Any:
    while True:
        pass


STATEMENTS = {
    "bad SQL": (Proposals("SELECT h.nothing FROM household h WHERE {scope:h}"), "UndefinedColumn"),
    "lacks a parameter": (Proposals(f"{FINE} AND h.id > :least"), "StatementError"),
    "odd parameter": (Proposals(f"{FINE} AND h.id > :least", {"least": object()}), "ProgrammingError"),
}
ANSWERS = {
    "unscoped": (Proposals("SELECT 1"), "UnscopedSql"),
    "none": (None, "Nonsense: answered NoneType, not Proposals"),
    "no text": (Proposals(5, {}), "Nonsense"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("way", [*STATEMENTS, *ANSWERS])
def test_a_rule_with_a_wrong_statement_is_named(hanyin: County, way: str) -> None:
    made, said = {**STATEMENTS, **ANSWERS}[way]
    with probe(hanyin, register_permissions=(SEE,), register_classifiers=(rule("one", lambda *_: made),)):
        assert run(hanyin, COMPUTE_KIND).state == "failed"
        (hook, error), *more = faults(hanyin).items()
    assert (hook, more) == (f"classifiers:probe.one:{'statement' if way in STATEMENTS else 'propose'}", [])
    assert error.startswith(said)


@pytest.mark.parametrize("bad", [raising, exiting], ids=["raises", "exits"])
def test_the_other_rules_are_computed_all_the_same(hanyin: County, bad: Callable[..., Any]) -> None:
    asked = []

    def propose(*_given: Any) -> Proposals:
        asked.append(1)
        return Proposals(FINE)

    rules = (rule("bad", bad), rule("good", propose))
    with probe(hanyin, register_permissions=(SEE,), register_classifiers=rules):
        job = run(hanyin, COMPUTE_KIND)
        assert (job.state, job.done) == ("failed", job.total)
        assert asked
        (error,) = faults(hanyin).values()
    assert error.startswith(("KeyError (", "SystemExit ("))
    assert PERSONAL not in error + job.error


def test_a_rule_that_loops_is_stopped_in_a_job(hanyin: County) -> None:
    """Though the alarm is somebody else's there: RQ watches the job by it."""
    rings: list[Any] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rings.append(1))
    signal.alarm(1000)
    try:
        with (
            allowing(0.1),
            probe(hanyin, register_permissions=(SEE,), register_classifiers=(rule("one", busy),)),
        ):
            begun = time.monotonic()
            assert run(hanyin, COMPUTE_KIND).state == "failed"
            assert time.monotonic() - begun < 5
            assert faults(hanyin)["classifiers:probe.one:propose"].startswith("OutOfTime: more than 0.5 s")
        assert 990 < signal.alarm(0) <= 1000
        assert signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
        assert rings == []
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_an_alarm_that_was_set_before_still_rings() -> None:
    def ring(*_given: Any) -> None:
        raise JobTimeoutException

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(JobTimeoutException):
            limited(busy, 5.0)
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(OutOfTime):
            limited(busy, 0.1)
        with pytest.raises(JobTimeoutException):
            busy()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("bad", [raising, exiting, lambda _context: {1: {2}}], ids=["raises", "exits", "odd answer"])
def test_a_job_that_breaks_off_is_named_and_tried_again(hanyin: County, bad: Callable[..., Any]) -> None:
    with probe(hanyin, register_jobs=(JobKind("probe.work", "Work", bad),)):
        job = run(hanyin, "probe.work")
        assert (job.state, job.attempts) == ("queued", 1)
        found = faults(hanyin)
    assert list(found) == ["jobs:probe.work"]
    assert PERSONAL not in str(found)


def test_what_ends_a_job_from_outside_is_not_its_fault(hanyin: County) -> None:
    def stopped(_context: Any) -> None:
        raise JobTimeoutException

    with probe(hanyin, register_jobs=(JobKind("probe.work", "Work", stopped),)):
        assert run(hanyin, "probe.work").state == "queued"
        assert faults(hanyin) == {}


def test_one_that_exits_when_told_is_named_and_told_again(hanyin: County) -> None:
    hook = "household_change_happened"
    with probe(hanyin, household_change_happened=lambda uow: exiting()):
        with hanyin.uow() as uow:
            publish(uow, hook, household_id=7, action="household.edit")
        with hanyin.uow() as uow:
            told = [j for j in uow.session.scalars(select(Job).where(Job.kind == EVENT)) if j.params["hook"] == hook]
        assert run_with(hanyin.runtime, hanyin.info.id, told[-1].id) == "queued"
        assert faults(hanyin)[hook].startswith("SystemExit (")


def test_time_spent_behind_the_pages_is_counted(runtime: Runtime, hanyin: County) -> None:
    def work(_context: Any) -> None:
        time.sleep(0.02)

    def calls() -> dict[str, int]:
        return {time.hook: time.calls for time in hook_times(runtime).get("probe", [])}

    hooks = {
        "register_permissions": (SEE,),
        "register_jobs": (JobKind("probe.work", "Work", work),),
        "register_classifiers": (rule("one", lambda *_: Proposals(FINE)),),
        "household_change_happened": lambda uow: None,
    }
    before = calls()
    with probe(hanyin, **hooks):
        assert run(hanyin, "probe.work").state == "succeeded"
        assert run(hanyin, COMPUTE_KIND).state == "succeeded"
        event = {"plugin": "probe", "hook": "household_change_happened", "arguments": {}, "event": "x"}
        assert run(hanyin, EVENT, **event).state == "succeeded"
    grown = {hook: count - before.get(hook, 0) for hook, count in calls().items()}
    assert (grown["jobs:probe.work"], grown["household_change_happened"]) == (1, 1)
    assert grown["classifiers:probe.one:propose"] == grown["classifiers:probe.one:statement"] > 0
    body, _type = metrics_body("", JobSeconds(runtime))
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    samples = families["xiangyue_job_hook_seconds"].samples
    sums = [s.value for s in samples if s.name.endswith("_sum") and s.labels["hook"] == "jobs:probe.work"]
    assert sum(sums) >= 0.02
