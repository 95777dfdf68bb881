"""Judging rows as one import does: against the county's areas and fields and the uploader's area, grouped into
households; at the check of the file, and again when rows were mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk import upsert_households
from xiangyue.features.imports import queries
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_areas import AreaRow, ListAreaIndex
from xiangyue.features.imports.roster_check import CheckedRow, RosterChecker, place_of
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import row_text, sheet_names
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.speaking import speaks_of
from xiangyue.features.imports.staging import ready_households
from xiangyue.features.imports.trial import Watch, samples_of, try_out
from xiangyue.runtime import Runtime
from xiangyue.text.codes import HEAD

#: The part of a household's key that its number has; its lowest bit says that the village is not known.
LABEL_MASK = 0xFFFF_FFFF


#: Numbers of the dry run that repairs change by the difference.
_NUMBERS = (
    "households_new", "households_changed", "households_unchanged", "persons_new", "persons_changed",
    "persons_unchanged", "households_emptied", "facts_waiting",
)  # fmt: skip


class Checker(Protocol):
    """Checks rows, and remembers of them what others may contradict: of the roster, or of a register."""

    repaired: dict[str, int]

    def check_row(self, row: RosterRow) -> CheckedRow: ...

    def know_identity(self, identity: str, row_no: int) -> None: ...

    def finish(self, elsewhere: Callable[[str, bool], bool] = ...) -> list[CellError]: ...


class Judge:
    """What rows of a batch are judged by. ``checkers`` made from it share it; each sees rows of its own.

    This one is of rosters and files that change some of their columns; `register_judge` has that of other registers.
    """

    numbers: tuple[str, ...] = _NUMBERS
    #: Whether a row is judged by itself, whatever the database and other rows say: then the check does it in blocks
    #: (`row_work`) and asks the register only about households that meet something there (`sift`).
    by_itself = True

    def __init__(self, runtime: Runtime, uow: Uow, batch: ImportBatch) -> None:
        tenant = runtime.directory.by_id(uow.tenant_id)
        self.columns: tuple[Column, ...] = queries.columns_of(uow)
        self.areas: list[AreaRow] = queries.county_areas(uow)
        self._index = ListAreaIndex(self.areas)
        self._synthetic = bool(tenant is not None and tenant.settings.get("allow_synthetic_people"))
        self._marks = queries.mark_kinds(uow)
        self._fields = queries.custom_fields(uow)
        self._batch = batch
        ranges = batch.scope_ranges
        self.scope = Scope(uow.tenant_id, None if ranges is None else tuple((lo, hi) for lo, hi in ranges))

    def checker(self) -> Checker:
        """One that has seen no row yet."""
        return self.roster_checker()

    def roster_checker(self) -> RosterChecker:
        """The same; it also judges rows without remembering them."""
        text = partial(row_text, sheets=sheet_names(self._batch.header))
        return RosterChecker(
            self.columns,
            self._index,
            self._synthetic,
            self._marks,
            self._fields,
            row_text=text,
            completed=not self.by_itself,
        )

    def check(self, checker: Checker, row: RosterRow) -> CheckedRow:
        """`RosterChecker.check_row`, and whether the row lies where the uploader may import."""
        return self._within(checker.check_row(row))

    def judge_row(self, checker: RosterChecker, row: RosterRow) -> CheckedRow:
        """The same of a row by itself (`by_itself`); the checker remembers nothing of it."""
        return self._within(checker.judge_row(row))

    def _within(self, checked: CheckedRow) -> CheckedRow:
        code = checked.values["area_code"]
        if code is not None and not self.scope.contains(code):
            checked.errors.append(CellError(checked.row_no, "village", "outside_area"))
        return checked

    def mend(self, row: Any) -> RosterRow | None:
        """What follows from a repair of a row (`rework.MendedRow`) besides; returns a row that is to stand with it."""
        return None

    def grouping(self) -> Grouping:
        """What tells which rows belong together."""
        return Grouping(joins=self.by_itself)

    def row_keys(self, keys: TenantKeys) -> RowKeys:
        return RowKeys(keys)

    def leads(self, values: dict[str, Any]) -> bool:
        """Whether a row speaks for those that belong together; without one they are not written."""
        return bool(values["relation"] == HEAD)

    def identity(self, values: dict[str, Any]) -> str | None:
        """What no other row of the file may have too."""
        found: str | None = values.get("id_number")
        return found

    def try_out(
        self, watch: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, *, again: bool = False
    ) -> dict[str, Any]:
        """What writing would do, see `trial.try_out`: ``valid_households``, ``numbers`` and ``samples``."""
        return try_out(watch, uow, keys, batch, again=again, sifted=self.by_itself and not again)

    def tried(self, uow: Uow, keys: TenantKeys, batch: ImportBatch) -> dict[str, Any]:
        """What the dry run said of the rows in ``stage_again`` before they are mended."""
        groups: Counter[str] = Counter()
        households = ready_households(uow, keys, batch.id, again=True)
        counts = upsert_households(
            uow,
            keys,
            (_noted(household.as_row(), groups) for household in households),
            batch_id=batch.id,
            dry_run=True,
            speaks=speaks_of(uow, batch),
        )
        return {**counts.numbers(), "groups": groups, "samples": samples_of(counts)}


def _noted(row: Any, groups: Counter[str]) -> Any:
    if row.area_code % 1000:
        groups[str(row.area_code)] += 1
    return row


class Grouping:
    """Tells which rows of the sheet make a household, by the number of its first row; rows come in the sheet's order.

    A row whose village is unknown belongs to the row before it or after it with the same household number; so the
    others of its household are not written without it. ``joins``: a row without a household number belongs to the row
    before it for the same reason, unless it is a head's, whose household it is that lacks a number.
    """

    def __init__(self, *, joins: bool = False) -> None:
        self._joins = joins
        self.count = 0
        self._households: dict[Any, int] = {}
        #: Whether the village is known, household number and household of the row before.
        self._last: tuple[bool, str | None, int] = (True, None, 0)

    def number(self, row: RosterRow, values: dict[str, Any], *, adjacent: bool = True) -> int:
        """The row's household. ``adjacent``: it stands in the sheet right behind the row asked for before."""
        place = 0 if values["household_no"] is None else place_of(row, values)
        label, relation = values["household_no"], values["relation"]
        return self.number_of(row.number, label, place, relation, adjacent=adjacent)

    def number_of(
        self, number: int, label: str | None, place: int | str, relation: str | None, *, adjacent: bool = True
    ) -> int:
        """The same by household number and place (`place_of`) and the relation to the head."""
        if label is None and self._joins and adjacent and self._last[2] and relation != HEAD:
            return self._last[2]
        known = isinstance(place, int)
        key = number if label is None else (place, label)
        last_known, last_label, last = self._last
        neighbour = adjacent and label is not None and label == last_label and not (known and last_known)
        found = self._households.get(key)
        if found is None:
            found = self._households[key] = last if neighbour else number
            self.count += not neighbour
        self._last = (known, label, found)
        return found


class RowKeys:
    """By what rows are found that belong to another: numbers that say nothing without the county's key."""

    def __init__(self, keys: TenantKeys) -> None:
        self._keys = keys
        self._halves: dict[tuple[str, str], int] = {}

    def household(self, row: RosterRow, values: dict[str, Any]) -> int | None:
        """Of village and household number (see `LABEL_MASK`); None without a number."""
        label = values["household_no"]
        if label is None:
            return None
        place = self._half("place", str(place_of(row, values)))
        return place << 32 | self._half("label", label) << 1 | (values["village_code"] is None)

    def person(self, values: dict[str, Any]) -> int | None:
        """Of the citizen number, if there is a sound one."""
        identity = values["id_number"]
        if identity is None:
            return None
        return int.from_bytes(blind_index(self._keys, "import.person", identity)[:8], "big", signed=True)

    def label(self, household_no: str, *, lost: bool) -> int:
        """The part under `LABEL_MASK` of a household of that number."""
        return self._half("label", household_no) << 1 | lost

    def _half(self, kind: str, text: str) -> int:
        found = self._halves.get((kind, text))
        if found is None:
            found = int.from_bytes(blind_index(self._keys, f"import.{kind}", text)[:4], "big") & 0x7FFF_FFFF
            self._halves[kind, text] = found
        return found
