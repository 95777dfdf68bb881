"""Who saw what of whom: written where protected data is shown, beside the audit entry, so that a person's own log is
found by index and not by reading through the trail.

One person at a time has a row of its own. Many at once (a page of a list, an export) are one set with a bit for each
person: an export of 200,000 persons is about fifty rows of 512 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.privacy.models import PersonAccess, PersonAccessMember, PersonAccessSet

#: Person ids in one row.
RUN = 4096
_WAYS = {"account": "page", "token": "api"}
#: Household ids in one statement.
_CHUNK = 5000

_MEMBERS = """
SELECT p.id FROM person p
 WHERE {tenant:p} AND p.household_id = ANY(:ids) AND p.state = 'active'
"""
_MARKED = """
SELECT DISTINCT m.person_id FROM person_mark m
 WHERE {tenant:m} AND m.household_id = ANY(:ids) AND m.mark_key = ANY(:marks)
"""


class Ids:
    """Very many ids in little memory, kept while a file is written: a bit for each."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self.runs: dict[int, bytearray] = {}
        for id in ids:
            self.add(id)

    def add(self, id: int) -> None:
        bits = self.runs.setdefault(id // RUN, bytearray(RUN // 8))
        bits[id % RUN // 8] |= 1 << (id % 8)

    def __iter__(self) -> Iterator[int]:
        for run, bits in sorted(self.runs.items()):
            for place, byte in enumerate(bits):
                for bit in range(8):
                    if byte >> bit & 1:
                        yield run * RUN + place * 8 + bit

    def __len__(self) -> int:
        return sum(byte.bit_count() for bits in self.runs.values() for byte in bits)


def way_of(uow: Uow) -> str:
    """How whoever acts came here: page, api or job."""
    return _WAYS.get(uow.actor.kind, "job")


def note_look(uow: Uow, *, person_id: int, seen: str, detail: Sequence[str] = (), purpose: str, way: str = "") -> None:
    """One person's protected data was shown."""
    actor = uow.actor
    uow.session.add(
        PersonAccess(
            person_id=person_id,
            actor_kind=actor.kind,
            account_id=actor.account_id,
            actor_name=actor.name or actor.login,
            way=way or way_of(uow),
            seen=seen,
            detail=",".join(detail),
            purpose=purpose,
        )
    )


def note_set(
    uow: Uow, *, persons: Ids, seen: str, detail: Sequence[str] = (), purpose: str, way: str, number: str = ""
) -> None:
    """Many persons' data was shown or left the house at once; nobody in it: nothing to note."""
    if not persons.runs:
        return
    actor = uow.actor
    made = PersonAccessSet(
        actor_kind=actor.kind,
        account_id=actor.account_id,
        actor_name=actor.name or actor.login,
        way=way,
        seen=seen,
        detail=",".join(detail),
        purpose=purpose,
        number=number,
        persons=len(persons),
    )
    uow.session.add(made)
    uow.session.flush()
    uow.session.add_all(
        PersonAccessMember(id=made.id, bucket=run, members=bytes(bits)) for run, bits in sorted(persons.runs.items())
    )
    uow.session.flush()


def members_of(uow: Uow, households: Iterable[int]) -> Ids:
    """The present members of these households."""
    found = Ids()
    for chunk in _chunks(households):
        for (id,) in scoped_rows(uow.session, _MEMBERS, {"ids": chunk}):
            found.add(id)
    return found


def marked_in(uow: Uow, households: Sequence[int], marks: Sequence[str]) -> Ids:
    """Members of these households who have or had one of the marks."""
    ids = {"ids": list(households), "marks": list(marks)}
    return Ids(id for (id,) in scoped_rows(uow.session, _MARKED, ids))


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for id in ids:
        chunk.append(id)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
