"""Plugins are told what happened: after the commit, each by itself, at least once, and not when they are off."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from tests.plugins_kit import planted

from xiangyue.errors import NotFound
from xiangyue.features.areas.models import Area
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.plugins.jobs import ATTEMPTS
from xiangyue.features.plugins.service import switch_plugin
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.dispatch import EVENT, publish
from xiangyue.plugin.models import PluginFault
from xiangyue.testing.fixtures import County

_numbers = itertools.count(1)
HOOK = "household_change_happened"


@contextmanager
def listening(county: County, **hooks: Any) -> Iterator[str]:
    name = f"listener{next(_numbers)}"
    with planted(county.runtime, name, **hooks) as installed:
        assert installed.ready, str(installed.reason)
        switch(county, name, True)
        yield name
        switch(county, name, False)


def switch(county: County, name: str, enabled: bool) -> None:
    with county.uow() as uow:
        switch_plugin(uow, name=name, enabled=enabled)


def jobs_of(county: County, name: str, hook: str = HOOK) -> list[Job]:
    with county.uow() as uow:
        jobs = uow.session.scalars(select(Job).where(Job.kind == EVENT).order_by(Job.id)).all()
        return [job for job in jobs if (job.params["plugin"], job.params["hook"]) == (name, hook)]


def happen(county: County, **more: Any) -> None:
    with county.uow(**more) as uow:
        publish(uow, HOOK, household_id=7, action="household.edit")


def run_one(county: County, job: Job) -> str | None:
    return run_with(county.runtime, county.info.id, job.id)


def test_each_that_listens_is_told_as_itself(hanyin: County, tongyu: County) -> None:
    told: list[Any] = []

    def hear(uow: Any, household_id: int, action: str) -> None:
        actor = uow.actor
        told.append((household_id, action, actor.kind, actor.name, uow.tenant_id, uow.info.request_id))
        uow.session.scalars(select(Area).where(Area.level == "county")).one().position = 31

    with listening(hanyin, household_change_happened=hear) as name, listening(hanyin) as deaf:
        happen(hanyin, actor=hanyin.actor(HOUSEHOLD_EDIT))
        happen(tongyu)
        (job,) = jobs_of(hanyin, name)
        assert (jobs_of(hanyin, deaf), jobs_of(tongyu, name), told) == ([], [], [])
        assert run_one(hanyin, job) == "succeeded"
        assert told == [(7, "household.edit", "system", name, hanyin.info.id, job.params["event"])]
        assert run_one(hanyin, job) is None
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Area.position).where(Area.level == "county")).one() == 31


def test_nothing_is_told_of_what_was_rolled_back(hanyin: County) -> None:
    with listening(hanyin, household_change_happened=lambda uow: None) as name:
        with hanyin.uow() as uow:
            publish(uow, HOOK, household_id=7, action="household.edit")
            uow.rollback()
        assert jobs_of(hanyin, name) == []


@pytest.mark.parametrize("error", [ValueError("x"), NotFound("not there")], ids=["a bug", "a refusal"])
def test_one_that_fails_is_told_again_with_the_same_number(hanyin: County, error: Exception) -> None:
    events: list[str] = []

    def fail(uow: Any) -> None:
        events.append(uow.info.request_id)
        uow.session.scalars(select(Area).where(Area.level == "county")).one().position = 99
        uow.session.flush()
        raise error

    with listening(hanyin, household_change_happened=fail) as name:
        happen(hanyin)
        (job,) = jobs_of(hanyin, name)
        states = [run_one(hanyin, job) for _ in range(ATTEMPTS)]
        assert states == ["queued"] * (ATTEMPTS - 1) + ["failed"]
        assert set(events) == {job.params["event"]}
        assert len(events) == ATTEMPTS
        (failed,) = jobs_of(hanyin, name)
        assert type(error).__name__ in failed.error
        assert f"Plugin {name}" in failed.error
        with hanyin.uow() as uow:
            (fault,) = uow.session.scalars(select(PluginFault).where(PluginFault.plugin == name))
            assert fault.hook == HOOK
            assert uow.session.scalars(select(Area.position).where(Area.level == "county")).one() != 99


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda uow: uow.session.commit(), "Misuse: commit() inside a hook"),
        (lambda uow: uow.session.connection().connection.driver_connection.rollback(), "Misuse: rollback() inside"),
        (lambda uow: setattr(uow, "actor", None), "Misuse: actor was changed inside a hook"),
        (lambda uow: sys.exit(), "SystemExit"),
    ],
    ids=["commits", "rolls back", "becomes another", "exits"],
)
def test_one_that_is_told_is_bounded_too(hanyin: County, misuse: Any, said: str) -> None:
    def hear(uow: Any) -> None:
        uow.session.scalars(select(Area).where(Area.level == "county")).one().position = 98
        uow.session.flush()
        misuse(uow)

    with listening(hanyin, household_change_happened=hear) as name:
        happen(hanyin)
        (job,) = jobs_of(hanyin, name)
        assert run_one(hanyin, job) == "queued"
        with hanyin.uow() as uow:
            (fault,) = uow.session.scalars(select(PluginFault).where(PluginFault.plugin == name))
            assert fault.error.startswith(said)
            assert uow.session.scalars(select(Area.position).where(Area.level == "county")).one() != 98


def test_what_a_plugin_missed_while_it_was_off_is_left_out_with_a_note(hanyin: County) -> None:
    told: list[int] = []
    with listening(hanyin, household_change_happened=lambda household_id: told.append(household_id)) as name:
        happen(hanyin)
        switch(hanyin, name, False)
        (job,) = jobs_of(hanyin, name)
        assert run_one(hanyin, job) == "succeeded"
        (done,) = jobs_of(hanyin, name)
        assert done.result["told"] is False
        assert done.step == done.result["note"] == "Left out: the plugin was switched off meanwhile"
        assert told == []


def test_one_that_is_on_and_gone_is_told_once_it_is_back(hanyin: County) -> None:
    name = f"listener{next(_numbers)}"
    told: list[int] = []
    hear = {"household_change_happened": lambda household_id: told.append(household_id)}
    with planted(hanyin.runtime, name, **hear):
        switch(hanyin, name, True)
        happen(hanyin)
    (job,) = jobs_of(hanyin, name)
    assert run_one(hanyin, job) == "failed"
    with planted(hanyin.runtime, name, **hear):
        from xiangyue.jobs.service import repeat_job

        with hanyin.uow() as uow:
            repeat_job(uow, job_id=job.id)
        assert run_one(hanyin, job) == "succeeded"
        assert told == [7]
        switch(hanyin, name, False)


def test_a_plugin_is_told_of_its_own_switching_also_when_it_is_off(hanyin: County) -> None:
    told: list[bool] = []
    hook = "plugin_switch_happened"

    def hear(uow: Any, enabled: bool) -> None:
        told.append(enabled)

    with listening(hanyin, plugin_switch_happened=hear) as name, listening(hanyin, plugin_switch_happened=hear):
        (first,) = jobs_of(hanyin, name, hook)
        assert run_one(hanyin, first) == "succeeded"
        switch(hanyin, name, False)
        off = jobs_of(hanyin, name, hook)[-1]
        assert run_one(hanyin, off) == "succeeded"
        assert told == [True, False]
        switch(hanyin, name, True)
        switch(hanyin, name, False)
        overtaken = jobs_of(hanyin, name, hook)[-2]
        assert run_one(hanyin, overtaken) == "succeeded"
        assert told == [True, False]


def test_arguments_are_numbers_and_short_words(hanyin: County) -> None:
    with listening(hanyin, household_change_happened=lambda uow: None), hanyin.uow() as uow:
        for wrong in ({"name": "x"}, "x" * 201, 1.5):
            with pytest.raises(TypeError, match="neither a number nor a short text"):
                publish(uow, HOOK, household_id=7, action=wrong)
