"""Imports of other registers than the roster: what ``register_imports`` returns, and what its functions get and give.

The declaring side says which columns there are, what a row would do, and how rows are written. Uploading, reading of
files, matching of columns, judging of cells, repair, dry run, writing as a job, undo and API are the core's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow

#: Kinds of columns whose cells stand for themselves.
PLAIN_KINDS = ("text", "integer", "money", "year", "date", "boolean", "choice", "phone")
#: Kinds that name something of the core, each at most once in a register, and the core's columns that a file has for
#: it (the same headings as in the roster): a place, a household by its number there, a person by citizen number or by
#: name and date of birth there.
REFERENCES: dict[str, tuple[str, ...]] = {
    "village": ("town", "village"),
    "area": ("town", "village", "group"),
    "place": ("town", "village", "group"),
    "household": ("town", "village", "household_no"),
    "person": ("id_number", "name", "birth_date", "town", "village"),
}


@dataclass(frozen=True, slots=True)
class RegisterChoice:
    """What may stand in a column of the kind choice: ``key`` is what functions get, the rest what people write."""

    key: str
    zh: str
    en: str = ""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterColumn:
    """A column of a register.

    ``kind``: one of `PLAIN_KINDS`, or of `REFERENCES`: village, area (the group where the row names one) and place
    (what the row names: the county, by its name in the town's column, a town, village or group) give a code of 15
    digits, household and person the id of one that stands in the register where the uploader may import.
    ``names`` are the headers in Chinese and English (of a reference: what it is called in results), ``aliases`` other
    headings. ``choices(uow)`` of the kind choice. ``help`` and ``example`` stand in the template.
    Keys are not those of the roster's own columns; a phone's is ``…_phone``: it is masked where rows are shown.
    """

    key: str
    names: tuple[str, str]
    kind: str = "text"
    required: bool = False
    help: Any = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    width: int = 14
    choices: Callable[[Uow], Sequence[RegisterChoice]] | None = None


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A row whose cells are right by themselves.

    ``number`` is what answers name it by. ``values``: by the column's key; integer, money and year are int, date a
    ``date``, choice the choice's key, references ids or codes; a cell that is empty is not there. ``record``: when it
    is to be written, the record that it changes as `RowOutlook` had it, or None for a new one.
    """

    number: int
    values: Mapping[str, Any]
    record: int | None = None


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with a cell (``column``: its key), in words, and what may be put in its place (as people write it),
    or ""."""

    column: str
    message: Any
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class RowOutlook:
    """What writing a row would do.

    ``record``: the id of the record that the row is about, None for a new one. ``before`` and ``after``: what stands
    and would stand, by the column's key; nothing changes where every value of ``after`` stands in ``before``.
    ``name``: what people call the record. With ``faults`` the row is not written.
    """

    row: int
    record: int | None = None
    name: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[CellFault] = ()

    @property
    def unchanged(self) -> bool:
        return self.record is not None and all(
            key in self.before and self.before[key] == value for key, value in self.after.items()
        )


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """What an import did to a record: ``before`` is None for one that it made."""

    record: int
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


Check = Callable[[Uow, Sequence[RegisterRow]], Sequence[RowOutlook]]
Write = Callable[[Uow, Sequence[RegisterRow]], None]
Built = Callable[[Uow, Sequence[RegisterChange]], Mapping[int, Any]]
Undo = Callable[[Uow, Sequence[RegisterChange]], None]


@dataclass(frozen=True, slots=True)
class ImportRegister:
    """An import of a register of its own.

    ``keys``: columns that tell rows apart; two rows of a file with the same are told. Rows come some hundreds at a
    time, in the sheet's order, inside the area of whoever uploaded the file and with the rights of whoever started the
    work; ``permission`` is needed besides that to import.

    ``check(uow, rows)`` answers with a `RowOutlook` for each row and writes nothing: it is asked when a file is read or
    mended, before a row is written, and after, when every row must be unchanged. ``write(uow, rows)`` writes those that
    are new or change something. ``undo(uow, changes)`` takes back what an import did; without it none can be undone.
    ``built(uow, changes)`` says of which records it could not, and why (record -> words); a record that no longer is as
    the import left it should be among them. What any of them raises ends the work with nothing written.
    """

    key: str
    label: Any
    permission: Permission
    columns: tuple[RegisterColumn, ...]
    keys: tuple[str, ...]
    check: Check
    write: Write
    undo: Undo | None = None
    built: Built | None = None
    help: Any = ""

    def column(self, key: str) -> RegisterColumn | None:
        return next((column for column in self.columns if column.key == key), None)
