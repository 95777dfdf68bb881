"""Seals the audit trail into a hash chain in batches, and checks the chain.

A chain head per write would serialise a county, so a job takes whole transactions that are certainly over. A seal's
hash is SHA-256 over the hash before it, a line about the seal itself, and one line of canonical JSON per entry in the
order of (xact, id). Each sealing is itself an entry (``audit.seal``), so a seal taken away leaves its record behind.

What no chain inside the database can show: an owner who removes the newest seal *and* everything after it. For that,
note the head (``xiangyue audit verify`` prints it, every sealing logs it) and ask for it with ``--head``.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, Text, cast, func, select

from xiangyue.access.audit import audit
from xiangyue.access.models import AuditEntry, AuditSeal
from xiangyue.access.seal_report import SealRun, SealState
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.i18n import lazy_gettext as _l

log = structlog.get_logger()

SEAL_ACTION = "audit.seal"
#: First key of the advisory lock under which a tenant is sealed; the second is the tenant.
_LOCK = 0x5EA1
#: Entries in a seal; one transaction with more stays whole.
BATCH = 5000
GENESIS = bytes(32)

_COLUMNS = (
    AuditEntry.id,
    AuditEntry.xact,
    AuditEntry.at,
    AuditEntry.actor_kind,
    AuditEntry.account_id,
    AuditEntry.actor_name,
    AuditEntry.action,
    AuditEntry.object_type,
    AuditEntry.object_id,
    AuditEntry.object_label,
    AuditEntry.area_code,
    AuditEntry.before,
    AuditEntry.after,
    AuditEntry.purpose,
    AuditEntry.ip,
    AuditEntry.request_id,
)
_NAMES = tuple(column.key for column in _COLUMNS)
_DIGEST = struct.Struct(">q16s")


def canonical(values: dict[str, Any]) -> bytes:
    """UTF-8 JSON with sorted keys and without blanks; times in UTC to the microsecond."""
    plain = {
        k: v.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(v, datetime) else v
        for k, v in values.items()
    }
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def sealed_lines(uow: Uow, first: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(id, canonical JSON) of the entries with first <= xact < end, in the order of the chain."""
    statement = (
        select(*_COLUMNS)
        .where(AuditEntry.xact >= first, AuditEntry.xact < end)
        .order_by(AuditEntry.xact, AuditEntry.id)
        .execution_options(yield_per=1000)
    )
    for row in uow.session.execute(statement):
        yield row.id, canonical(dict(zip(_NAMES, row, strict=True)))


def digest_of(line: bytes) -> bytes:
    """The start of an entry's own hash, 16 bytes."""
    return hashlib.sha256(line).digest()[:16]


def pack_digests(digests: dict[int, bytes]) -> bytes:
    return b"".join(_DIGEST.pack(id, digest) for id, digest in digests.items())


def unpack_digests(packed: bytes) -> dict[int, bytes]:
    """Entry id -> digest. A tail that is no whole record (tampered) is left out."""
    whole = len(packed) - len(packed) % _DIGEST.size
    return dict(_DIGEST.iter_unpack(packed[:whole]))


def chain_hash(seal: AuditSeal) -> Any:
    """The running hash before the entries: the hash before it and what the seal says of itself."""
    running = hashlib.sha256(seal.previous_hash)
    about = {
        "first_xact": seal.first_xact,
        "end_xact": seal.end_xact,
        "entries": seal.entries,
        "sealed_at": seal.sealed_at,
    }
    running.update(canonical(about) + b"\n")
    return running


def certainly_over(uow: Uow) -> int:
    """The transaction number below which every transaction has ended, and whatever it wrote can be seen."""
    snapshot = func.pg_snapshot_xmin(func.pg_current_snapshot())
    return uow.session.execute(select(cast(cast(snapshot, Text), BigInteger))).scalars().one()


def last_seal(uow: Uow) -> AuditSeal | None:
    return uow.session.scalars(select(AuditSeal).order_by(AuditSeal.first_xact.desc()).limit(1)).one_or_none()


def seal_entries(uow: Uow, *, batch: int = BATCH) -> SealRun:
    """Seal what is certainly over; for the job and the command line. Does not commit.

    Two at once wait for each other, and ``(tenant_id, first_xact)`` is unique besides. Only records of sealings are
    no reason for another seal. Raises Conflict when the transaction counter stands behind the chain.
    """
    uow.session.execute(select(func.pg_advisory_xact_lock(_LOCK, uow.tenant_id)))
    horizon = certainly_over(uow)
    previous = last_seal(uow)
    start = previous.end_xact if previous is not None else 0
    if start > horizon:
        raise Conflict(
            _l(
                "The database's transaction counter (%(now)d) stands behind the last seal (%(sealed)d): it was "
                "restored into a younger server. Raise the counter (pg_resetwal) before entries can be sealed again.",
                now=horizon,
                sealed=start,
            )
        )
    worth = select(AuditEntry.id).where(
        AuditEntry.xact >= start, AuditEntry.xact < horizon, AuditEntry.action != SEAL_ACTION
    )
    if uow.session.execute(worth.limit(1)).first() is None:
        return SealRun(0, 0, previous.hash.hex() if previous else "")
    seals = entries = 0
    while (end := _batch_end(uow, start, horizon, batch)) is not None:
        previous = _seal(uow, previous, start, end)
        seals, entries, start = seals + 1, entries + previous.entries, end
    head = previous.hash.hex() if previous else ""
    uow.after_commit(lambda: log.info("audit_sealed", tenant_id=uow.tenant_id, entries=entries, head=head))
    return SealRun(seals, entries, head)


def _batch_end(uow: Uow, start: int, horizon: int, batch: int) -> int | None:
    """Where the next seal ends (exclusive), at the edge of a transaction; None when nothing is left."""
    ordered = (
        select(AuditEntry.xact)
        .where(AuditEntry.xact >= start, AuditEntry.xact < horizon)
        .order_by(AuditEntry.xact, AuditEntry.id)
    )
    first = uow.session.execute(ordered.limit(1)).scalar_one_or_none()
    if first is None:
        return None
    beyond = uow.session.execute(ordered.offset(batch).limit(1)).scalar_one_or_none()
    if beyond is None:
        return horizon
    return int(beyond) if beyond > first else int(beyond) + 1


def _seal(uow: Uow, previous: AuditSeal | None, first: int, end: int) -> AuditSeal:
    lines = list(sealed_lines(uow, first, end))
    seal = AuditSeal(
        first_xact=first,
        end_xact=end,
        entries=len(lines),
        previous_hash=previous.hash if previous is not None else GENESIS,
        sealed_at=datetime.now(UTC),
        digests=pack_digests({id: digest_of(line) for id, line in lines}),
    )
    running = chain_hash(seal)
    for _id, line in lines:
        running.update(line + b"\n")
    seal.hash = running.digest()
    uow.session.add(seal)
    uow.session.flush()
    audit(
        uow,
        action=SEAL_ACTION,
        obj=seal,
        after={"first_xact": first, "end_xact": end, "entries": seal.entries, "hash": seal.hash.hex()},
    )
    return seal


def seal_state(uow: Uow) -> SealState:
    """How far the trail is sealed, without checking it: cheap enough for a page."""
    last = last_seal(uow)
    tail = select(func.count(), func.min(AuditEntry.at)).where(
        AuditEntry.xact >= (last.end_xact if last is not None else 0), AuditEntry.action != SEAL_ACTION
    )
    count, oldest = uow.session.execute(tail).one()
    return SealState(
        sealed_at=last.sealed_at if last is not None else None,
        head=last.hash.hex() if last is not None else "",
        unsealed=count,
        oldest_unsealed=oldest,
    )
