"""What sealing and checking the audit trail report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

#: More broken seals, and more entries of one, are counted but not named in what is kept of a check.
KEPT_SEALS, KEPT_ENTRIES = 200, 100
#: What can be wrong with a seal.
SEAL_MISSING, SEAL_CHANGED, CHAIN_BROKEN, ENTRIES_CHANGED = (
    "seal_missing",
    "seal_changed",
    "chain_broken",
    "entries_changed",
)


@dataclass(frozen=True, slots=True)
class SealRun:
    """What one run sealed; ``head`` is the newest hash in hex, "" before the first seal."""

    seals: int
    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class SealState:
    """``unsealed`` entries follow the last seal, the oldest written at ``oldest_unsealed``; records of sealings do not
    count."""

    sealed_at: datetime | None
    head: str
    unsealed: int
    oldest_unsealed: datetime | None


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """A seal that does not hold. ``seal_id`` None: nobody knows its number any more.

    ``problem``: seal_missing, seal_changed (the seal itself), chain_broken (does not follow the one before it) or
    entries_changed. ``changed``, ``missing`` and ``added`` are ids of audit entries.
    """

    seal_id: int | None
    first_xact: int
    end_xact: int
    sealed_at: datetime | None
    problem: str
    changed: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    added: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """``entries`` were checked under ``seals``; the unsealed tail cannot be checked and is only counted."""

    seals: int
    entries: int
    state: SealState
    broken: tuple[BrokenSeal, ...] = ()
    #: A hash that was noted earlier and is not in the chain any more.
    lost_head: str = ""

    @property
    def ok(self) -> bool:
        return not self.broken and not self.lost_head

    @property
    def first_broken(self) -> BrokenSeal | None:
        return self.broken[0] if self.broken else None

    def expecting(self, head: str, known: set[str]) -> VerifyReport:
        """The report, with ``head`` missed when it is not among the hashes of the chain."""
        return replace(self, lost_head="" if not head or head in known else head)

    def kept(self) -> dict[str, Any]:
        """The report as JSON, for the row of the job that made it; ``read_back`` turns it into one again."""
        values = asdict(replace(self, broken=self.broken[:KEPT_SEALS]))
        for part in (values["state"], *values["broken"]):
            for name, value in part.items():
                if isinstance(value, datetime):
                    part[name] = value.isoformat()
                elif isinstance(value, tuple):
                    part[name] = list(value[:KEPT_ENTRIES])
        return values


def read_back(kept: dict[str, Any]) -> VerifyReport:
    """The report that ``kept`` was made of."""
    state = {**kept["state"]}
    for name in ("sealed_at", "oldest_unsealed"):
        state[name] = _time(state[name])
    broken = (
        BrokenSeal(
            **{
                **one,
                "sealed_at": _time(one["sealed_at"]),
                **{name: tuple(one[name]) for name in ("changed", "missing", "added")},
            }
        )
        for one in kept["broken"]
    )
    return VerifyReport(kept["seals"], kept["entries"], SealState(**state), tuple(broken), kept["lost_head"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
