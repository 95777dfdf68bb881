# data: zh
"""What may be put in the place of a wrong cell: by likeness with the county's own names and the columns' lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.features.imports.roster_areas import TOWN, VILLAGE, AreaRow, likely_names
from xiangyue.features.imports.roster_columns import YES_NO, Column
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.text.codes import HEAD, RELATIONS, SEX
from xiangyue.text.folding import cell_text, without_spaces

#: Suggestions for one cell, and how like (of 100) a name must be that was not the likeliest.
MOST = 3
_FLOOR = 40.0
#: Longest list that is offered to choose from.
_LONGEST = 400


class Suggester:
    """Knows the county's towns and villages and the lists of the roster's columns."""

    def __init__(self, columns: Sequence[Column], areas: Sequence[AreaRow]) -> None:
        self._columns = {column.key: column for column in columns}
        self._towns = [area.name for area in areas if area.level == TOWN]
        self._codes = {area.name: area.code for area in areas if area.level == TOWN}
        for area in areas:
            if area.level == TOWN:
                self._codes.setdefault(without_spaces(area.official_name), area.code)
        self._villages: dict[int, list[str]] = {}
        for area in areas:
            if area.level == VILLAGE:
                self._villages.setdefault(area.code // 10**6 * 10**6, []).append(area.name)

    def choices(self, column: str, cells: Mapping[str, Any]) -> list[str]:
        """All that may stand in a column of this row, in Chinese; none for free text or a list without end."""
        if column == "town":
            return self._towns
        if column == "village":
            return self._villages.get(self._town(cells), [])
        known = self._columns.get(column)
        if known is None or known.choices is None:
            return []
        return [entry.zh for entry in known.choices][:_LONGEST]

    def suggest(self, error: CellError, cells: Mapping[str, Any]) -> list[str]:
        """Up to `MOST` values, the likeliest first. Of a cell with several marks: of the wrong word."""
        found = [error.suggestion] if error.suggestion else []
        if error.code == "no_head":
            found.append(RELATIONS.zh(HEAD))
        elif error.code == "village_ambiguous":
            found += str(error.params.get("choices", "")).split("、")
        elif error.code == "boolean_format":
            found += [entry.zh for entry in YES_NO]
        elif error.column == "sex" and error.code in ("choice_unknown", "required_without_id"):
            found += [SEX.zh("1"), SEX.zh("2")]
        elif error.code in ("town_unknown", "village_unknown", "choice_unknown", "mark_unknown"):
            word = str(error.params.get("mark") or cell_text(cells.get(error.column)))
            table = self._columns[error.column].choices if error.code == "mark_unknown" else None
            if not found and table is not None and table.named_in(word):
                return []  # one mark in place of several would lose the others
            found += likely_names(word, self.choices(error.column, cells), limit=MOST, floor=_FLOOR)
        return [value for value in dict.fromkeys(found) if value][:MOST]

    def _town(self, cells: Mapping[str, Any]) -> int:
        text = without_spaces(cell_text(cells.get("town")))
        found = self._codes.get(text)
        if found is not None:
            return found
        short = [code for name, code in self._codes.items() if text and name.startswith(text)]
        return short[0] if len(short) == 1 else 0
