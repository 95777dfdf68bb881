"""The time limit in a worker of gevent, where many requests share a thread: only the one that hangs is stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest

from xiangyue.db.session import OutOfTime
from xiangyue.plugin.limits import SECONDS, allowed, allowing, limited
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County

#: A process of its own: gevent's patches cannot be taken back.
WORKER = """
from gevent import monkey
monkey.patch_all()
import json, sys, time
import gevent
from sqlalchemy import text
from xiangyue.access.actor import system_actor
from xiangyue.db.session import OutOfTime, alone, make_engine
from xiangyue.db.uow import Uow
from xiangyue.plugin.limits import limited

engine = make_engine(sys.argv[1])
tenant = int(sys.argv[2])
BEGUN = time.monotonic()


def busy():
    while True:
        pass


def polite():
    while True:
        time.sleep(0.01)


def waits():
    time.sleep(60)


def waits_on_an_event():
    from threading import Event
    Event().wait(60)


def database(call):
    def run():
        with Uow(engine, tenant_id=tenant, actor=system_actor(tenant)) as uow:
            try:
                with alone(uow.session, 1.0):
                    limited(lambda: call(uow), 1.0)
            finally:
                # The connection is whole: the core goes on in the same transaction.
                assert uow.session.execute(text("SELECT 1")).scalar_one() == 1
    return run


def sleeps(uow):
    uow.session.execute(text("SELECT pg_sleep(30)"))


def sleeps_bit_by_bit(uow):
    while True:
        uow.session.execute(text("SELECT pg_sleep(0.4)"))


def innocent():
    time.sleep(0.2)
    return "innocent"


def outcome(call):
    try:
        said = call()
    except OutOfTime:
        said = "OutOfTime"
    except Exception as error:
        said = type(getattr(error, "orig", error)).__name__
    return [said, round(time.monotonic() - BEGUN, 1)]


def one(call):
    return lambda: outcome(lambda: limited(call, 1.0))


jobs = {
    "polite": one(polite), "waits": one(waits), "event": one(waits_on_an_event), "innocent": one(innocent),
    "slow but free": lambda: outcome(lambda: time.sleep(1.5) or "slow but free"),
    "sql": lambda: outcome(database(sleeps)), "bits": lambda: outcome(database(sleeps_bit_by_bit)),
}
if sys.argv[3] == "busy":
    jobs["busy"] = one(busy)
greenlets = {name: gevent.spawn(job) for name, job in jobs.items()}
gevent.joinall(list(greenlets.values()), timeout=20)
print(json.dumps({name: g.value for name, g in greenlets.items()}))
"""


def outcomes(runtime: Runtime, county: County, kind: str) -> dict[str, Any]:
    program = [sys.executable, "-W", "error", "-c", textwrap.dedent(WORKER)]
    done = subprocess.run(
        [*program, runtime.settings.database_url, str(county.info.id), kind],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_only_what_hangs_is_stopped(runtime: Runtime, hanyin: County) -> None:
    found = outcomes(runtime, hanyin, "waiting")
    said = {name: value[0] for name, value in found.items()}
    assert said == {
        "polite": "OutOfTime",
        "waits": "OutOfTime",
        "event": "OutOfTime",
        "innocent": "innocent",
        "slow but free": "slow but free",
        "sql": "QueryCanceled",
        "bits": "OutOfTime",
    }
    assert max(value[1] for value in found.values()) < 3.5


def test_a_busy_loop_holds_up_the_others_no_longer_than_its_time(runtime: Runtime, hanyin: County) -> None:
    found = outcomes(runtime, hanyin, "busy")
    assert found["busy"][0] == "OutOfTime"
    assert found["busy"][1] < 2.5
    assert (found["innocent"][0], found["slow but free"][0]) == ("innocent", "slow but free")
    assert max(value[1] for value in found.values()) < 5


def test_the_time_is_two_seconds_and_another_only_inside_a_block() -> None:
    assert (allowed(), SECONDS) == (2.0, 2.0)
    with allowing(0.3):
        assert allowed() == 0.3
        with pytest.raises(OutOfTime):
            limited(lambda: time.sleep(5), allowed())
    assert allowed() == SECONDS
