"""What rows of a roster say about each other: citizen numbers twice, heads of households, cells that contradict each
other. Sees of each row only what is compared, in the order of the sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import Cell
from xiangyue.text import idnumber
from xiangyue.text.codes import HEAD

#: Who a row is where it has no citizen number: name and day of birth.
Who = tuple[str, Any]
#: What other rows may contradict in a row: number, citizen number, household number, place, relation, its cell, the
#: filled cells that a household shares as (column, value, cell), and who it is without a citizen number.
Noted = tuple[int, str | None, str | None, int | str, str | None, Cell, Sequence[tuple[str, Any, Cell]], Who | None]


@dataclass(slots=True)
class _Household:
    first_row: int
    label: str
    head_row: int = 0
    #: Whether a relation could not be read: then "no head" would be noise.
    doubtful: bool = False
    #: Values of the head's row, by column.
    shared: dict[str, tuple[Any, Cell]] = field(default_factory=dict)
    #: Values of other rows seen before the head: (row, column, value, cell).
    early: list[tuple[int, str, Any, Cell]] = field(default_factory=list)
    #: Rows of those without a citizen number.
    unnumbered: dict[Who, int] = field(default_factory=dict)


def nowhere(_label: str, _lost: bool) -> bool:
    """There are no rows but those that were seen."""
    return False


class BetweenRows:
    """Keeps of each person the citizen number's row, of each household its head. ``row_text``: a row's number as errors
    that name another row say it; ``shown``: the cell of a column as an error may show it."""

    def __init__(self, row_text: Callable[[int], int | str], shown: Callable[[str, Cell], str]) -> None:
        self._row_text, self._shown = row_text, shown
        self._households: dict[tuple[int | str, str], _Household] = {}
        self._id_rows: dict[str, int] = {}
        self._cross: list[CellError] = []

    def know_identity(self, identity: str, row_no: int) -> None:
        """A citizen number that stands in a row which is not seen here."""
        self._id_rows[identity] = row_no

    def remember(self, noted: Noted) -> None:
        """Take in a row."""
        number, identity, household_no, place, relation, cell, found, who = noted
        copied = 0
        if identity is not None:
            first = self._id_rows.setdefault(identity, number)
            if first != number:
                copied = first
                params = {"first_row": self._row_text(first)}
                self._cross.append(CellError(number, "id_number", "id_duplicate", params, idnumber.mask(identity)))
        if household_no is None:
            return
        household = self._households.get((place, household_no))
        if household is None:
            household = self._households[place, household_no] = _Household(number, household_no)
        if who is not None and (first := household.unnumbered.setdefault(who, number)) != number:
            # Whatever else is to be said of a copied row, it is the same everywhere.
            params = {"first_row": self._row_text(first)}
            self._cross.append(CellError(number, "name", "row_twice", params, who[0]))
            return
        if relation is None:
            household.doubtful = True
        if relation == HEAD and not household.head_row:
            household.head_row = number
            household.shared = {key: (value, said) for key, value, said in found}
            return
        if relation == HEAD and copied != household.head_row:
            params = {"household": household_no, "first_row": self._row_text(household.head_row)}
            self._cross.append(CellError(number, "relation", "two_heads", params, self._shown("relation", cell)))
        for key, value, said in found:
            if household.head_row:
                self._compare(household, number, key, value, said)
            else:
                household.early.append((number, key, value, said))

    def finish(self, elsewhere: Callable[[str, bool], bool] = nowhere) -> list[CellError]:
        """Errors between rows, in the order of rows: citizen numbers twice in the file, households without or with
        two heads, household cells that contradict each other. To be called once, after the last row.

        ``elsewhere``: whether a row that was not checked here has this household number, in a village that nobody
        knows (True) or in a known one (False)."""
        errors = self._cross
        # A row whose village was not found may be the missing head, or belong to a head elsewhere: say one thing.
        lost = {label for place, label in self._households if isinstance(place, str)}
        found = {label for place, label in self._households if isinstance(place, int)}
        for (place, label), household in self._households.items():
            if not household.head_row:
                away = isinstance(place, int)
                torn = label in (lost if away else found) or elsewhere(label, away)
                if not household.doubtful and not torn:
                    params = {"household": household.label}
                    errors.append(CellError(household.first_row, "relation", "no_head", params))
                continue
            for number, key, value, cell in household.early:
                self._compare(household, number, key, value, cell)
        errors.sort(key=lambda error: error.row)
        return errors

    def _compare(self, household: _Household, number: int, key: str, value: Any, cell: Cell) -> None:
        if key not in household.shared:
            params = {"first_row": self._row_text(household.head_row)}
            self._cross.append(CellError(number, key, "head_row_only", params, self._shown(key, cell)))
            return
        first, first_cell = household.shared[key]
        if first != value:
            first_text = self._shown(key, first_cell)
            differing = {"first_row": self._row_text(household.head_row), "first_value": first_text}
            self._cross.append(
                CellError(number, key, "household_differs", differing, self._shown(key, cell), first_text)
            )
