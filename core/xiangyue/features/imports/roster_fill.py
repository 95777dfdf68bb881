# data: zh
"""What the rows of a roster leave to the row above: cells merged down the left, ditto marks, and members under their
head without a household of their own; and rows at the foot of a table, which are no persons.

The row above is known while the sheet is read, not where rows are judged (each by itself, in any process).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from xiangyue.features.imports.roster_columns import TOTAL_ROW
from xiangyue.text.codes import HEAD, RELATIONS
from xiangyue.text.folding import cell_text, half_width, without_spaces

#: Columns that say to which household a row belongs.
PLACE = ("town", "village", "group", "household_no")
_MUST = ("town", "village", "household_no")
_PERSON = ("name", "relation")
#: Shortest citizen number; a count may stand in its column.
_ID_LENGTH = 15
#: What stands in a cell that is the same as the one above.
DITTO = frozenset(("〃", "″", "〞", '"', "“", "”", "''", "‘‘", "’’", "同上", "同 上", "上同", "ditto"))
#: Words of a row of sums that do not begin with one (`TOTAL_ROW`), and what else stands below a table.
_COUNT = re.compile(
    r"总?(?:[人户]|人口)数(?:[:(0-9].*)?|总人口.*|(?:本|全|以上)?[县镇乡村组页]?共(?:计|有)?[0-9]+[户人].*"
)
_FOOT = re.compile(
    r"(?:制表|填表|填报|审核|审批|复核|核对|经办|负责|联系|日期|单位|备注|说明)[^:]{0,6}:.*"
    r"|.*\((?:签字|签名|签章|盖章|公章)\).*|.*(?:签字|签名|签章|盖章):.*",
    re.DOTALL,
)


class Above:
    """Fills the cells of rows, in the sheet's order, from those above.

    ``places``: key -> column; ``merges``: ((row, column), (row, column)) of merged cells from 0, first and last;
    ``persons``: whether a row is a person (else a household). ``filled``: rows to
    which something was given.
    """

    def __init__(self, places: Mapping[str, int], merges: Iterable[Any], *, persons: bool) -> None:
        self._persons = persons
        self._keys = [key for key in PLACE if key in places]
        # A row that has all of these says itself what it is.
        self._whole = itemgetter(*_MUST, *(_PERSON if persons else ()))
        self._above: dict[str, Any] = {}
        self._number = 0
        self._apart = True
        self.filled = 0
        columns = {places[key]: key for key in self._keys}
        found: dict[str, list[tuple[int, int]]] = {}
        for (first, column), (last, _column) in merges:
            if last > first and column in columns:
                found.setdefault(columns[column], []).append((first + 1, last + 1))
        self._merged = {key: sorted(spans) for key, spans in found.items()}

    def part(self) -> None:
        """A row between this and the next keeps them apart."""
        self._apart = True

    def read(self, number: int, cells: dict[str, Any], values: Iterable[Any]) -> str:
        """Complete the cells of a row; ``total`` or ``note`` if it is no data, else ""."""
        try:
            whole = DITTO.isdisjoint(self._whole(cells)) and cells.get("group") not in DITTO
        except KeyError:
            whole = False
            if kind := self._foot(cells, values):
                self._apart = True
                return kind
        if not whole:
            self._fill(number, cells)
        self._above, self._number, self._apart = cells, number, False
        return ""

    def _fill(self, number: int, cells: dict[str, Any]) -> None:
        above, before = self._above, len(cells)
        said = 0
        for key in self._keys:
            value = cells.get(key)
            if key in above and (self._within(key, number) if value is None else value in DITTO):
                cells[key] = above[key]
                said += value is not None
        if self._persons and not self._apart and "household_no" in above and "household_no" not in cells:
            relation = cells.get("relation")
            same = all(key not in cells or cells[key] == above.get(key) for key in self._keys)
            # Who is a head begins a household: its number is missing.
            if same and relation is not None and RELATIONS.parse(relation) != HEAD:
                cells.update((key, above[key]) for key in self._keys if key in above)
        self.filled += said > 0 or len(cells) > before

    def _within(self, key: str, number: int) -> bool:
        """Whether the cell is merged with the one in the row above that was read last."""
        spans = self._merged.get(key)
        if not spans:
            return False
        place = bisect_left(spans, (number, 0)) - 1
        return place >= 0 and spans[place][0] <= self._number and number <= spans[place][1]

    def _foot(self, cells: Mapping[str, Any], values: Iterable[Any]) -> str:
        """What a row is in which something is missing that every person has, if it is none."""
        if len(cell_text(cells.get("id_number"))) >= _ID_LENGTH or all(
            key in cells for key in (*_PERSON, "household_no")
        ):
            return ""
        if any(_is_sum(cells[key]) for key in (("name",) if "name" in cells else (*PLACE, "relation")) if key in cells):
            return "total"
        first = next((value for value in values if value != ""), "")
        # Places alone are rows that were prepared and not filled in.
        bare = cells.keys() <= {"town", "village", "group"}
        return "note" if bare or _FOOT.fullmatch(half_width(cell_text(first))) else ""


def _is_sum(value: Any) -> bool:
    text = without_spaces(value) if isinstance(value, str) else ""
    return TOTAL_ROW.fullmatch(text) is not None or _COUNT.fullmatch(text) is not None
