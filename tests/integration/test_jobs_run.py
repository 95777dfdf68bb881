"""Jobs on real PostgreSQL and Redis: run, retry, cancel, lost workers, fairness, the outbox with Redis away."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from sqlalchemy import select, update

from xiangyue.errors import Conflict, Invalid
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs import context as job_context
from xiangyue.jobs.models import Job, OutboxMessage
from xiangyue.jobs.outbox import relay
from xiangyue.jobs.queues import queue_name
from xiangyue.jobs.run import run_with
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.service import enqueue_job, repeat_job, request_cancel
from xiangyue.jobs.worker import CountyWorker, serve
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import JobKind, Schedule
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County

BEHAVIOURS: dict[str, Callable[[Any], Any]] = {}
RAN: list[tuple[int, int]] = []


def behave(context: Any) -> Any:
    RAN.append((context.tenant_id, context.job_id))
    return BEHAVIOURS[context.params.get("behaviour", "nothing")](context)


def behaviour(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    BEHAVIOURS[function.__name__] = function
    return function


@behaviour
def nothing(context: Any) -> None:
    return None


@behaviour
def count(context: Any) -> dict[str, int]:
    context.progress(3, 4, _l("Counting"))
    return {"counted": 3}


@behaviour
def refuse(context: Any) -> None:
    raise Invalid({}, _l("The sheet is empty."))


@behaviour
def crash(context: Any) -> None:
    raise RuntimeError("王秘密 610921198001011234")


@behaviour
def wait_for_news(context: Any) -> None:
    """Works until it is told not to."""
    for _ in range(1000):
        context.stop.wait(0.02)
        context.check_cancelled()
    raise AssertionError("nobody told")


@behaviour
def who(context: Any) -> dict[str, Any]:
    with context.uow() as uow:
        return {
            "actor": uow.actor.name,
            "kind": uow.actor.kind,
            "rights": sorted({p for g in uow.actor.grants for p in g.permissions}),
        }


@pytest.fixture(autouse=True)
def kinds(runtime: Runtime, redis_server: str) -> Iterator[None]:
    RAN.clear()
    offered = {
        "jobs": (JobKind("planted", "planted", behave, max_attempts=2),),
        "schedules": (Schedule("planted.hourly", "planted", 3600),),
    }
    original = runtime.registry.contributors
    runtime.registry.take([Contributor("planted", sys.modules[__name__], offered=offered)])
    yield
    runtime.registry.take(original)
    client = Redis.from_url(redis_server)
    for key in client.scan_iter(f"rq:*{runtime.settings.instance}*"):
        client.delete(key)
    for tenant in runtime.directory.all():
        with runtime.uow(tenant.id) as uow:
            for model in (OutboxMessage, Job):
                for row in uow.session.scalars(select(model)):
                    uow.session.delete(row)


def enqueue(county: County, behaviour: str = "nothing", actor: Any = None, **options: Any) -> int:
    with county.uow(actor) as uow:
        return enqueue_job(uow, kind="planted", params={"behaviour": behaviour}, **options).id


def show(county: County, job_id: int) -> Job:
    with county.uow() as uow:
        return uow.get(Job, job_id)


def change(county: County, job_id: int, **values: Any) -> None:
    with county.uow() as uow:
        uow.session.execute(update(Job).where(Job.id == job_id).values(values))


def queued(runtime: Runtime, county: County) -> int:
    client = Redis.from_url(runtime.settings.redis_url)
    return int(client.llen(f"rq:queue:{queue_name(runtime.settings, county.info.id)}"))  # type: ignore[arg-type]


def unsent(county: County) -> int:
    with county.uow() as uow:
        return len(uow.session.scalars(select(OutboxMessage).where(OutboxMessage.sent_at.is_(None))).all())


def test_a_job_leaves_at_the_commit_and_runs_in_a_worker(runtime: Runtime, hanyin: County) -> None:
    with hanyin.uow() as uow:
        job = enqueue_job(uow, kind="planted", params={"behaviour": "count"}, unique_key="one")
        uow.session.flush()
        assert queued(runtime, hanyin) == 0
    assert queued(runtime, hanyin) == 1
    assert unsent(hanyin) == 0
    serve(runtime, burst=True)
    done = show(hanyin, job.id)
    assert (done.state, done.done, done.total, done.step) == ("succeeded", 3, 4, "Counting")
    assert done.result == {"counted": 3}
    assert (done.unique_key, done.attempts, done.error) == (None, 1, "")
    assert done.started_at is not None
    assert done.finished_at is not None


def test_a_rolled_back_transaction_sends_nothing(runtime: Runtime, hanyin: County) -> None:
    with hanyin.uow() as uow:
        enqueue_job(uow, kind="planted", params={})
        uow.rollback()
    assert queued(runtime, hanyin) == 0
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Job)).all() == []


def test_an_open_job_of_the_same_key_is_returned(hanyin: County) -> None:
    first = enqueue(hanyin, unique_key="same")
    assert enqueue(hanyin, unique_key="same") == first
    assert run_with(hanyin.runtime, hanyin.info.id, first) == "succeeded"
    assert enqueue(hanyin, unique_key="same") != first


def test_a_repeated_message_is_harmless(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin)
    assert run_with(runtime, hanyin.info.id, job_id) == "succeeded"
    assert run_with(runtime, hanyin.info.id, job_id) is None
    assert [(hanyin.info.id, job_id)] == RAN


def test_a_job_of_another_tenant_is_no_job(runtime: Runtime, hanyin: County, tongyu: County) -> None:
    job_id = enqueue(hanyin)
    assert run_with(runtime, tongyu.info.id, job_id) is None
    assert show(hanyin, job_id).state == "queued"


def test_a_known_error_is_told_in_the_creators_language(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin, "refuse")
    assert run_with(runtime, hanyin.info.id, job_id) == "failed"
    assert show(hanyin, job_id).error == "The sheet is empty."


def test_an_unexpected_error_is_tried_again_and_then_told_without_personal_data(
    runtime: Runtime, hanyin: County
) -> None:
    job_id = enqueue(hanyin, "crash")
    assert run_with(runtime, hanyin.info.id, job_id) == "queued"
    with hanyin.uow() as uow:
        last = uow.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(1)).one()
        assert last.sent_at is None
        assert last.payload["not_before"] > datetime.now(UTC).timestamp() + 3
    assert relay(runtime, hanyin.info.id) == 0  # not yet
    assert run_with(runtime, hanyin.info.id, job_id) == "failed"
    failed = show(hanyin, job_id)
    assert "RuntimeError" in failed.error
    assert "610921" not in failed.error
    assert "王" not in failed.error
    assert failed.attempts == 2


def test_a_waiting_job_is_cancelled_at_once_and_can_be_repeated(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin, "count", unique_key="k")
    with hanyin.uow() as uow:
        assert request_cancel(uow, job_id=job_id).state == "cancelled"
    assert run_with(runtime, hanyin.info.id, job_id) is None
    with hanyin.uow() as uow:
        repeat_job(uow, job_id=job_id)
    assert run_with(runtime, hanyin.info.id, job_id) == "succeeded"
    with hanyin.uow() as uow, pytest.raises(Conflict):
        repeat_job(uow, job_id=job_id)


def in_thread(runtime: Runtime, county: County, job_id: int) -> tuple[threading.Thread, list[Any]]:
    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(run_with(runtime, county.info.id, job_id)))
    thread.start()
    return thread, ended


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    gate = threading.Event()
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    while not condition():
        assert datetime.now(UTC) < deadline, "did not happen in time"
        gate.wait(0.02)


def test_a_running_job_is_cancelled_at_its_next_step(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin, "wait_for_news")
    thread, ended = in_thread(runtime, hanyin, job_id)
    until(lambda: show(hanyin, job_id).state == "running")
    with hanyin.uow() as uow:
        request_cancel(uow, job_id=job_id)
    thread.join(20)
    assert ended == ["cancelled"]
    assert show(hanyin, job_id).finished_at is not None


def test_progress_and_heartbeat_are_written_while_the_job_runs(
    runtime: Runtime, hanyin: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_context, "HEARTBEAT_SECONDS", 0.1)

    def slowly(context: Any) -> None:
        context.progress(7, 9, _l("Counting"))
        wait_for_news(context)

    monkeypatch.setitem(BEHAVIOURS, "slowly", slowly)
    job_id = enqueue(hanyin, "slowly")
    thread, ended = in_thread(runtime, hanyin, job_id)
    until(lambda: show(hanyin, job_id).done == 7)
    seen = show(hanyin, job_id)
    assert (seen.total, seen.step) == (9, "Counting")
    until(lambda: show(hanyin, job_id).heartbeat_at > seen.heartbeat_at)  # type: ignore[operator]
    with hanyin.uow() as uow:
        request_cancel(uow, job_id=job_id)
    thread.join(20)
    assert ended == ["cancelled"]


def test_a_job_given_to_another_worker_writes_nothing_more(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin, "wait_for_news")
    thread, ended = in_thread(runtime, hanyin, job_id)
    until(lambda: show(hanyin, job_id).state == "running")
    change(hanyin, job_id, attempts=2)
    thread.join(20)
    assert ended == ["lost"]
    assert show(hanyin, job_id).state == "running"


def test_a_job_without_heartbeat_waits_again_and_fails_when_its_attempts_are_used_up(
    runtime: Runtime, hanyin: County
) -> None:
    job_id = enqueue(hanyin)
    old = datetime.now(UTC) - timedelta(seconds=90)
    scheduler = Scheduler(runtime)
    change(hanyin, job_id, state="running", attempts=1, heartbeat_at=datetime.now(UTC))
    assert scheduler.recover_stale(hanyin.info) == 0
    change(hanyin, job_id, heartbeat_at=old)
    assert scheduler.recover_stale(hanyin.info) == 1
    assert show(hanyin, job_id).state == "queued"
    change(hanyin, job_id, state="running", attempts=2, heartbeat_at=old)
    scheduler.recover_stale(hanyin.info)
    failed = show(hanyin, job_id)
    assert failed.state == "failed"
    assert "2" in failed.error
    wanted_gone = enqueue(hanyin)
    change(hanyin, wanted_gone, state="running", attempts=1, heartbeat_at=old, cancel_requested=True)
    scheduler.recover_stale(hanyin.info)
    assert show(hanyin, wanted_gone).state == "cancelled"


def test_a_county_with_a_thousand_jobs_does_not_starve_another(
    runtime: Runtime, hanyin: County, tongyu: County
) -> None:
    with hanyin.uow() as uow:
        many = [enqueue_job(uow, kind="planted", params={}).id for _ in range(1000)]
    while relay(runtime, hanyin.info.id):
        pass
    one = enqueue(tongyu)
    serve(runtime, max_jobs=2)
    assert show(tongyu, one).state == "succeeded"
    with hanyin.uow() as uow:
        done = uow.session.scalars(select(Job.id).where(Job.state == "succeeded")).all()
    assert done == many[:1]


def test_with_redis_away_nothing_is_lost(runtime: Runtime, hanyin: County) -> None:
    away = Runtime(replace(runtime.settings, redis_url="redis://127.0.0.1:1"))
    with away.uow(hanyin.info.id) as uow:
        job = enqueue_job(uow, kind="planted", params={})
    away.engine.dispose()
    assert unsent(hanyin) == 1
    assert Scheduler(runtime).tick()
    assert unsent(hanyin) == 0
    serve(runtime, burst=True)
    assert show(hanyin, job.id).state == "succeeded"


def test_what_redis_forgot_is_sent_again(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    with hanyin.uow() as uow:
        uow.session.execute(update(OutboxMessage).values(sent_at=long_ago))
    scheduler = Scheduler(runtime)
    assert scheduler.resend_forgotten(hanyin.info) == 0  # it only waits long
    client = Redis.from_url(runtime.settings.redis_url)
    for key in client.scan_iter(f"rq:*{runtime.settings.instance}*"):
        client.delete(key)
    assert scheduler.resend_forgotten(hanyin.info) == 1
    serve(runtime, burst=True)
    assert show(hanyin, job_id).state == "succeeded"


def test_what_a_worker_died_with_before_it_claimed_the_job_is_sent_again(runtime: Runtime, hanyin: County) -> None:
    job_id = enqueue(hanyin)
    worker = CountyWorker(runtime)
    taken = worker.dequeue_job_and_maintain_ttl(None)
    assert taken is not None
    worker.prepare_execution(taken[0])  # the last that it does before its child begins
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    with hanyin.uow() as uow:
        uow.session.execute(update(OutboxMessage).values(sent_at=long_ago))
    assert Scheduler(runtime).resend_forgotten(hanyin.info) == 1
    serve(runtime, burst=True)
    assert show(hanyin, job_id).state == "succeeded"


def test_a_schedule_starts_once_in_its_period_for_each_tenant(runtime: Runtime, hanyin: County, tongyu: County) -> None:
    now = 1_800_000_000.0
    scheduler = Scheduler(runtime, clock=lambda: now)
    for county in (hanyin, tongyu):
        assert scheduler.start_due(county.info) == 1
    again = Scheduler(runtime, clock=lambda: now + 60)  # one that was started anew
    assert again.start_due(hanyin.info) == 0
    serve(runtime, burst=True)
    assert again.start_due(hanyin.info) == 0
    now += 3600
    assert scheduler.start_due(hanyin.info) == 1


def test_only_one_scheduler_acts(runtime: Runtime) -> None:
    first, second = Scheduler(runtime), Scheduler(runtime)
    with first._alone() as alone:
        assert alone
        assert not second.tick()
    assert second.tick()


def test_a_job_acts_as_the_account_with_the_rights_of_now(runtime: Runtime, hanyin: County) -> None:
    account = hanyin.account("auditor", name="王示例")
    with hanyin.uow() as uow:
        from xiangyue.jobs.actors import account_actor

        actor = account_actor(uow, account.id, tenant_area=hanyin.info.area_code)
    job_id = enqueue(hanyin, "who", actor)
    assert run_with(runtime, hanyin.info.id, job_id) == "succeeded"
    result = show(hanyin, job_id).result
    assert result is not None
    assert result["actor"] == "王示例"
    assert "job.view" in result["rights"]
    later = enqueue(hanyin, "who", actor)
    with hanyin.uow() as uow:
        from xiangyue.access.models import Account

        uow.get(Account, account.id).state = "disabled"
    assert run_with(runtime, hanyin.info.id, later) == "failed"
    assert show(hanyin, later).error == "发起这项任务的账号已停用。"


def test_a_token_scoped_actor_passes_its_limits_on(runtime: Runtime, hanyin: County) -> None:
    account = hanyin.account("county_admin")
    with hanyin.uow() as uow:
        from xiangyue.jobs.actors import account_actor

        actor = account_actor(uow, account.id, tenant_area=hanyin.info.area_code, token_scopes=["household.view"])

    def edits(context: Any) -> dict[str, bool]:
        from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW

        return {"edit": context.actor.can(HOUSEHOLD_EDIT), "view": context.actor.can(HOUSEHOLD_VIEW)}

    BEHAVIOURS["edits"] = edits
    job_id = enqueue(hanyin, "edits", actor)
    run_with(runtime, hanyin.info.id, job_id)
    assert show(hanyin, job_id).result == {"edit": False, "view": True}


def test_finished_jobs_are_in_the_metrics(runtime: Runtime, hanyin: County) -> None:
    def counted() -> dict[str, float]:
        text = hanyin.app.test_client().get("/metrics").get_data(as_text=True)
        families = {f.name: f for f in text_string_to_metric_families(text)}
        samples = families["xiangyue_job_seconds"].samples
        return {
            s.labels["outcome"]: s.value for s in samples if s.name.endswith("_count") and s.labels["kind"] == "planted"
        }

    before = counted()
    for name in ("count", "refuse"):
        enqueue(hanyin, name)
    serve(runtime, burst=True)  # each in a process of its own
    after = counted()
    assert after["done"] == before.get("done", 0) + 1
    assert after["failed"] == before.get("failed", 0) + 1
