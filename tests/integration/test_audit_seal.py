"""The sealed audit trail: what was tampered with is named, and nothing that commits late is skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from xiangyue.access.audit import audit
from xiangyue.access.models import AuditEntry, AuditSeal
from xiangyue.access.seal import chain_hash, digest_of, pack_digests, seal_entries, seal_state, sealed_lines
from xiangyue.access.seal_report import CHAIN_BROKEN, ENTRIES_CHANGED, SEAL_CHANGED, SEAL_MISSING, SealRun, VerifyReport
from xiangyue.access.verify import verify
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County


@pytest.fixture
def owner(runtime: Runtime) -> Iterator[Callable[..., None]]:
    """Runs a statement as the owning role, past every right of the application, and undoes nothing."""
    with psycopg.connect(runtime.settings.migration_database_url, autocommit=True) as connection:

        def run(sql: str, *params: Any) -> None:
            connection.execute(sql, params)

        yield run


@pytest.fixture
def clean(hanyin: County, owner: Callable[..., None]) -> County:
    """Hanyin with an empty, unsealed trail."""
    owner("DELETE FROM audit_entry")
    owner("DELETE FROM audit_seal")
    return hanyin


def write(county: County, *labels: str) -> list[int]:
    """One transaction with an entry for each label; their ids."""
    with county.uow() as uow:
        for label in labels:
            audit(
                uow, action="household.edit", object_type="household", object_id=1, label=label, after={"note": label}
            )
        uow.session.flush()
        found = uow.session.scalars(select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(len(labels))).all()
    return sorted(found)


def seal(county: County, **options: Any) -> SealRun:
    with county.uow() as uow:
        return seal_entries(uow, **options)


def check(county: County, **options: Any) -> VerifyReport:
    with county.uow() as uow:
        return verify(uow, **options)


def three_seals(county: County) -> list[list[int]]:
    written = []
    for n in range(3):
        written.append(write(county, f"a{n}", f"b{n}"))
        assert seal(county).seals == 1
    return written


def test_a_sealed_trail_holds(clean: County) -> None:
    three_seals(clean)
    write(clean, "tail")
    report = check(clean)
    assert (report.ok, report.seals, report.first_broken) == (True, 3, None)
    # Two entries each, and the records of the first two sealings.
    assert report.entries == 8
    assert report.state.unsealed == 1
    assert report.state.oldest_unsealed is not None


def test_nothing_new_makes_no_seal(clean: County) -> None:
    assert seal(clean) == SealRun(0, 0, "")
    write(clean, "a")
    first = seal(clean)
    assert (first.seals, first.entries) == (1, 1)
    assert seal(clean) == SealRun(0, 0, first.head)


def test_batches_end_at_the_edge_of_a_transaction(clean: County) -> None:
    for _ in range(3):
        write(clean, "a", "b")
    write(clean, *"cdefghi")
    assert seal(clean, batch=3) == SealRun(4, 13, check(clean).state.head)
    assert check(clean).ok


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE audit_entry SET purpose = 'nicer' WHERE id = %s", "changed"),
        ("UPDATE audit_entry SET after = '{}' WHERE id = %s", "changed"),
        ("UPDATE audit_entry SET at = at - interval '1 day' WHERE id = %s", "changed"),
        ("DELETE FROM audit_entry WHERE id = %s", "missing"),
    ],
)
def test_a_tampered_entry_is_named(clean: County, owner: Any, statement: str, named: str) -> None:
    entry = three_seals(clean)[1][0]
    owner(statement, entry)
    report = check(clean)
    assert not report.ok
    assert [b.problem for b in report.broken] == [ENTRIES_CHANGED]
    assert getattr(report.broken[0], named) == (entry,)


def test_an_entry_slipped_in_is_named(clean: County, runtime: Runtime) -> None:
    entry = three_seals(clean)[1][0]
    with clean.uow() as uow:
        old = uow.get(AuditEntry, entry)
        uow.session.add(AuditEntry(xact=old.xact, actor_kind="system", action="household.edit", object_label="false"))
    with clean.uow() as uow:
        newest = max(verify(uow).broken[0].added)
    assert newest > entry


def seal_ids(county: County) -> list[int]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(AuditSeal.id).order_by(AuditSeal.first_xact)))


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        "hash = decode(repeat('00', 32), 'hex')",
        "sealed_at = sealed_at - interval '1 day'",
        "entries = entries + 1",
        "end_xact = end_xact + 1",
        "first_xact = first_xact + 1",
        "digests = digests || digests",
        "previous_hash = decode(repeat('11', 32), 'hex')",
    ],
)
def test_a_tampered_seal_is_named(clean: County, owner: Any, change: str, which: int) -> None:
    three_seals(clean)
    wanted = seal_ids(clean)[which]
    owner(f"UPDATE audit_seal SET {change} WHERE id = %s", wanted)
    report = check(clean)
    assert wanted in [b.seal_id for b in report.broken if b.problem in (SEAL_CHANGED, ENTRIES_CHANGED)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_removed_seal_is_named(clean: County, owner: Any, which: int) -> None:
    """The newest too, of which only its record in the trail is left."""
    three_seals(clean)
    wanted = seal_ids(clean)[which]
    owner("DELETE FROM audit_seal WHERE id = %s", wanted)
    report = check(clean)
    assert (wanted, SEAL_MISSING) in [(b.seal_id, b.problem) for b in report.broken]


def test_a_chain_forged_from_some_seal_on_does_not_follow(clean: County, owner: Any) -> None:
    """Somebody who computes a new hash for a changed batch breaks the link to the next one."""
    entry = three_seals(clean)[1][0]
    wanted = seal_ids(clean)
    owner("UPDATE audit_entry SET purpose = 'nicer' WHERE id = %s", entry)
    with clean.uow() as uow:
        row = uow.session.scalars(select(AuditSeal).where(AuditSeal.id == wanted[1])).one()
        lines = list(sealed_lines(uow, row.first_xact, row.end_xact))
        running = chain_hash(row)
    for _id, line in lines:
        running.update(line + b"\n")
    digests = pack_digests({id: digest_of(line) for id, line in lines})
    owner("UPDATE audit_seal SET hash = %s, digests = %s WHERE id = %s", running.digest(), digests, wanted[1])
    # The record of the sealing in the trail says another hash, and the next seal follows another one.
    assert [(b.seal_id, b.problem) for b in check(clean).broken] == [
        (wanted[1], SEAL_CHANGED),
        (wanted[2], CHAIN_BROKEN),
    ]


def test_a_head_noted_elsewhere_must_still_be_there(clean: County, owner: Any) -> None:
    three_seals(clean)
    head = check(clean).state.head
    assert check(clean, head=head.upper()).ok
    write(clean, "later")
    seal(clean)
    assert check(clean, head=head).ok
    owner("DELETE FROM audit_entry")
    owner("DELETE FROM audit_seal")
    assert check(clean).ok
    assert check(clean, head=head).lost_head == head


def test_an_entry_that_commits_late_is_not_skipped(clean: County, runtime: Runtime) -> None:
    """Its transaction began before others that were sealed in between; a later seal has it."""
    late = Uow(runtime.engine, tenant_id=clean.info.id, actor=clean.actor())
    audit(late, action="household.edit", label="late")
    late.session.flush()
    late_id = late.session.scalars(select(AuditEntry.id)).one()
    others = write(clean, "early")
    assert seal(clean).seals == 0, "the open transaction began first, so nothing after it is certainly over"
    with clean.uow() as uow:
        assert seal_state(uow).unsealed == 1
    late.commit()
    late.close()
    assert late_id < others[0]
    assert seal(clean).entries == 2
    assert check(clean).ok
    assert check(clean).entries == 2


def test_two_sealings_at_once_make_one_chain(clean: County) -> None:
    for _ in range(5):
        write(clean, "a")
    gate = threading.Barrier(4)
    runs: list[SealRun] = []

    def run() -> None:
        gate.wait(10)
        runs.append(seal(clean))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(r.entries for r in runs) == [0, 0, 0, 5]
    assert check(clean).ok


def test_each_county_has_its_own_chain(clean: County, tongyu: County) -> None:
    write(clean, "here")
    write(tongyu, "there")
    assert seal(clean).entries == 1
    with tongyu.uow() as uow:
        assert (seal_state(uow).head, seal_state(uow).unsealed) == ("", 1)
    assert seal(tongyu).entries == 1
    assert check(clean).ok
    assert check(tongyu).ok


def test_a_database_restored_into_a_younger_server_says_so(clean: County, owner: Any) -> None:
    three_seals(clean)
    owner("UPDATE audit_seal SET end_xact = end_xact + 1000000")
    write(clean, "after")
    with pytest.raises(Conflict, match="pg_resetwal"):
        seal(clean)


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_runtime_role_cannot_change_the_trail(clean: County, runtime: Runtime, table: str, statement: str) -> None:
    write(clean, "a")
    seal(clean)
    with psycopg.connect(runtime.settings.database_url) as connection:
        connection.execute(f"SET LOCAL app.tenant_id = '{clean.info.id}'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format(table))
