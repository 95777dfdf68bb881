"""Every kind of job run with the other county's ids: no change and no byte there, with either wall gone; with both
gone there is."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Connection, Engine, create_engine, text

from xiangyue.access.actor import system_actor
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import FINAL_STATES, Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.twins import FOREIGN, FOREIGN_ID, OWN, TWIN_ID, checksum, plant, tenant_table_objects
from xiangyue.testing.walls import without_rls, without_scope

#: Makes the planted rows what the clearing jobs look for: a job that reached over would take them.
_OLD = """
UPDATE job SET state = 'succeeded', finished_at = now() - interval '200 days' WHERE id = :twin;
UPDATE outbox_message SET sent_at = now() - interval '200 days' WHERE id = :twin;
UPDATE stored_file SET expires_at = now() - interval '1 day' WHERE id = :twin;
UPDATE account_session SET expires_at = now() - interval '200 days' WHERE id IN (:twin, :foreign);
UPDATE one_time_link SET expires_at = now() - interval '200 days' WHERE id IN (:twin, :foreign);
UPDATE import_batch SET state = 'checked', checked_at = now() - interval '200 days' WHERE id = :twin;
UPDATE import_batch SET job_id = id WHERE id IN (:twin, :foreign);
DELETE FROM audit_seal WHERE id IN (:twin, :foreign);
"""


@pytest.fixture(scope="module")
def owner(runtime: Runtime) -> Iterator[Engine]:
    engine = create_engine(runtime.settings.migration_database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def twins(owner: Engine, runtime: Runtime, hanyin: County, tongyu: County) -> Iterator[None]:
    """Fresh twins for every test, with bytes of their files: one known, one that no row knows any more."""
    with owner.begin() as connection:
        for table in reversed(tenant_table_objects()):
            connection.execute(
                text(f'DELETE FROM "{table.name}" WHERE id IN (:twin, :foreign)'),
                {"twin": TWIN_ID, "foreign": FOREIGN_ID},
            )
        for county, word, ids in ((hanyin, OWN, (TWIN_ID,)), (tongyu, FOREIGN, (TWIN_ID, FOREIGN_ID))):
            plant(connection, county.info.id, county.info.area_code, word=word, ids=ids)
        for statement in _OLD.strip().splitlines():
            names = {"twin": TWIN_ID, "foreign": FOREIGN_ID}
            connection.execute(text(statement), {k: v for k, v in names.items() if f":{k}" in statement})
        for county, word in ((hanyin, OWN), (tongyu, FOREIGN)):
            for key in list(runtime.storage.keys(county.info.id)):  # left by tests that share the folder
                runtime.storage.delete(county.info.id, key)
            known = runtime.storage.put(county.info.id, io.BytesIO(word.encode()))
            runtime.storage.put(county.info.id, io.BytesIO(b"orphan " + word.encode()))
            connection.execute(
                text("UPDATE stored_file SET storage_key = :key WHERE tenant_id = :tenant AND id = :twin"),
                {"key": known.key, "tenant": county.info.id, "twin": TWIN_ID},
            )
    for path in runtime.settings.home.rglob("*"):
        if path.is_file() and path.stat().st_size < 100 and b"orphan" in path.read_bytes():
            os.utime(path, (1_000_000_000, 1_000_000_000))
    yield
    client = Redis.from_url(runtime.settings.redis_url)
    for key in client.scan_iter(f"rq:*{runtime.settings.instance}*"):
        client.delete(key)


class Anything(dict[str, Any]):
    """Parameters that hold an id of the other county for whatever a job asks for, and remember what that was."""

    def __init__(self, row_id: int, other: County) -> None:
        super().__init__()
        self.row_id, self.other = row_id, other

    def __missing__(self, name: str) -> Any:
        found: Any = f"their{name}"
        if name == "id" or name.endswith("_id"):
            found = self.row_id
        elif name in ("area", "area_code"):
            found = self.other.info.area_code
        elif name == "schedule":
            raise KeyError(name)
        self[name] = found
        return found

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def run_directly(runtime: Runtime, kind: str, county: County, other: County, row_id: int) -> tuple[Anything, str]:
    """Run a kind past its row, as if the other county's job were ours; what it asked for, and what it said."""
    params = Anything(row_id, other)
    context = JobContext(
        runtime, tenant_id=county.info.id, job_id=row_id, params=params, actor=system_actor(county.info.id)
    )
    try:
        said = repr(runtime.registry.jobs[kind].run(context))
    except Exception as error:  # a refusal is what we hope for; what was written is looked at below
        said = repr(error)
    return params, said


def files_of(runtime: Runtime, county: County) -> set[bytes]:
    stored = set()
    for key in runtime.storage.keys(county.info.id):
        with runtime.storage.open(county.info.id, key) as stream:
            stored.add(stream.read())
    return stored


def foreign_rows(connection: Connection, county: County) -> list[str]:
    """Tables of the county in which a word of the other one stands."""
    found = []
    for table in tenant_table_objects():
        statement = text(f'SELECT count(*) FROM "{table.name}" t WHERE t.tenant_id = :tenant AND t::text LIKE :word')
        values = {"tenant": county.info.id, "word": f"%{FOREIGN}%"}
        if connection.execute(statement, values).scalar_one():
            found.append(table.name)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in after if after[name] != before[name]}


@pytest.fixture(params=["both walls", "no row-level security", "no scope"])
def standing(request: pytest.FixtureRequest, runtime: Runtime, twins: None) -> Iterator[Runtime]:
    with ExitStack() as stack:
        if request.param == "no scope":
            stack.enter_context(without_scope())
        if request.param == "no row-level security":
            runtime = stack.enter_context(without_rls(runtime))
        yield runtime


def test_no_kind_of_job_touches_the_other_county(
    standing: Runtime, owner: Engine, hanyin: County, tongyu: County
) -> None:
    with owner.connect() as connection:
        theirs, ours = (checksum(connection, c.info.id) for c in (tongyu, hanyin))
    files = files_of(standing, tongyu)
    assert len(files) == 2
    kinds = sorted(standing.registry.jobs)
    assert {"imports.check", "imports.commit", "files.clear", "jobs.tidy", "sessions.sweep", "audit.seal"} <= set(kinds)
    asked: set[str] = set()
    for kind in kinds:
        for row_id in (FOREIGN_ID, TWIN_ID):
            params, said = run_directly(standing, kind, hanyin, tongyu, row_id)
            assert FOREIGN not in said, f"{kind} {row_id}: {said}"
            asked |= {f"{kind} {name}" for name in params}
            # The same by its row, as a worker does it: it ends, however it ends.
            with standing.uow(hanyin.info.id) as uow:
                job_id = enqueue_job(uow, kind=kind, params=dict(params)).id
            for _attempt in range(3):
                state = run_with(standing, hanyin.info.id, job_id)
            with standing.uow(hanyin.info.id) as uow:
                job = uow.get(Job, job_id)
                assert (state is None) == (job.state in FINAL_STATES)
                assert job.state in FINAL_STATES, f"{kind} {row_id}: {job.state}"
                assert FOREIGN not in f"{job.result} {job.error} {job.step}", kind
    assert {"imports.check batch_id", "imports.commit batch_id", "audit.verify head"} <= asked
    with owner.connect() as connection:
        assert changed(theirs, checksum(connection, tongyu.info.id)) == set()
        assert foreign_rows(connection, hanyin) == []
        # The jobs did do something, to what is ours.
        own = changed(ours, checksum(connection, hanyin.info.id))
    assert {"job", "account_session", "one_time_link", "stored_file", "outbox_message", "import_batch"} <= own
    assert "audit_seal" in own
    assert files_of(standing, tongyu) == files
    assert files_of(standing, hanyin) == set()


def test_the_other_countys_job_is_not_ours_to_run(
    standing: Runtime, owner: Engine, hanyin: County, tongyu: County
) -> None:
    with tongyu.uow() as uow:
        waiting = enqueue_job(uow, kind="jobs.tidy", params={}).id
    with owner.connect() as connection:
        before = checksum(connection, tongyu.info.id)
    for job_id in (waiting, FOREIGN_ID):
        assert run_with(standing, hanyin.info.id, job_id) is None
    with owner.connect() as connection:
        assert changed(before, checksum(connection, tongyu.info.id)) == set()


def test_with_both_walls_gone_jobs_reach_over(runtime: Runtime, owner: Engine, hanyin: County, tongyu: County) -> None:
    """If this fails, the tests above prove nothing."""
    with owner.connect() as connection:
        before = checksum(connection, tongyu.info.id)
    with without_rls(runtime) as bare, without_scope():
        for kind in sorted(bare.registry.jobs):
            run_directly(bare, kind, hanyin, tongyu, FOREIGN_ID)
    with owner.connect() as connection:
        reached = changed(before, checksum(connection, tongyu.info.id))
    # Rows that a session loads have a third guard (it refuses another county's); these go by statements alone.
    assert {"job", "outbox_message", "account_session", "one_time_link"} <= reached
