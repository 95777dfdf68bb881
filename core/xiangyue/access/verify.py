"""Checks the sealed audit trail: every hash is computed again from the entries that stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from xiangyue.access.models import AuditEntry, AuditSeal
from xiangyue.access.seal import (
    GENESIS,
    SEAL_ACTION,
    chain_hash,
    digest_of,
    pack_digests,
    seal_state,
    sealed_lines,
    unpack_digests,
)
from xiangyue.access.seal_report import (
    CHAIN_BROKEN,
    ENTRIES_CHANGED,
    SEAL_CHANGED,
    SEAL_MISSING,
    BrokenSeal,
    VerifyReport,
)
from xiangyue.db.uow import Uow


@dataclass(frozen=True, slots=True)
class _Record:
    """What the trail itself says of a sealing."""

    seal_id: int | None
    first_xact: int
    end_xact: int
    hash: str


def verify(uow: Uow, *, head: str = "", progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Check the whole chain; names every broken seal and the entries changed, missing or slipped in.

    ``head``: a hash in hex noted earlier that must still be in the chain. ``progress(done, total)`` in seals, called
    after each; it may raise to stop. Reads every entry once, in small memory.
    """
    seals = list(uow.session.scalars(select(AuditSeal).order_by(AuditSeal.first_xact)))
    records = _records(uow)
    ids = {seal.id for seal in seals}
    broken: list[BrokenSeal] = []
    expected, previous, checked = 0, GENESIS, 0
    for number, seal in enumerate(seals, 1):
        if seal.first_xact != expected:
            broken += _gap(records, ids, expected, seal.first_xact)
        fault, count = _check(uow, seal, records.get(seal.id))
        checked += count
        if fault is None and seal.previous_hash != previous and seal.first_xact == expected:
            fault = _fault(seal, CHAIN_BROKEN)
        if fault is not None:
            broken.append(fault)
        expected, previous = seal.end_xact, seal.hash
        if progress is not None:
            progress(number, len(seals))
    named = {b.seal_id for b in broken}
    broken += [_missing(r) for r in records.values() if r.seal_id not in ids | named]
    broken.sort(key=lambda b: b.first_xact)
    report = VerifyReport(len(seals), checked, seal_state(uow), tuple(broken))
    return report.expecting(head.strip().lower(), {seal.hash.hex() for seal in seals})


def _records(uow: Uow) -> dict[int | None, _Record]:
    """Seals by number, as the trail recorded them. A record that was tampered with fails with its own seal."""
    found: dict[int | None, _Record] = {}
    statement = select(AuditEntry.object_id, AuditEntry.after).where(
        AuditEntry.action == SEAL_ACTION, AuditEntry.actor_kind == "system"
    )
    for seal_id, after in uow.session.execute(statement):
        values = after or {}
        first, end, digest = (values.get(k) for k in ("first_xact", "end_xact", "hash"))
        if isinstance(first, int) and isinstance(end, int) and isinstance(digest, str):
            found[seal_id] = _Record(seal_id, first, end, digest)
    return found


def _gap(records: dict[int | None, _Record], ids: set[int], first: int, end: int) -> list[BrokenSeal]:
    """Seals that should stand between two others. One whose row is there, moved, is found by its own hash."""
    lost = [r for r in records.values() if first <= r.first_xact < end]
    if lost:
        return [_missing(r) for r in lost if r.seal_id not in ids]
    return [BrokenSeal(None, first, end, None, SEAL_MISSING)]


def _missing(record: _Record) -> BrokenSeal:
    return BrokenSeal(record.seal_id, record.first_xact, record.end_xact, None, SEAL_MISSING)


def _fault(seal: AuditSeal, problem: str, **entries: tuple[int, ...]) -> BrokenSeal:
    return BrokenSeal(seal.id, seal.first_xact, seal.end_xact, seal.sealed_at, problem, **entries)


def _check(uow: Uow, seal: AuditSeal, record: _Record | None) -> tuple[BrokenSeal | None, int]:
    """(what is wrong with a seal, entries read)."""
    sealed = unpack_digests(seal.digests)
    running = chain_hash(seal)
    standing: dict[int, bytes] = {}
    for id, line in sealed_lines(uow, seal.first_xact, seal.end_xact):
        running.update(line + b"\n")
        standing[id] = digest_of(line)
    count = len(standing)
    if running.digest() == seal.hash and (record is None or record.hash == seal.hash.hex()):
        return (None if pack_digests(standing) == seal.digests else _fault(seal, SEAL_CHANGED)), count
    changed = tuple(id for id, digest in standing.items() if sealed.get(id, digest) != digest)
    missing = tuple(id for id in sealed if id not in standing)
    added = tuple(id for id in standing if id not in sealed)
    if changed or missing or added:
        return _fault(seal, ENTRIES_CHANGED, changed=changed, missing=missing, added=added), count
    return _fault(seal, SEAL_CHANGED), count
