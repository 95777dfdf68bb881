"""How wrong cells are shown to be mended: rows with their wrong cells, the same mistake in many rows, repairs done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.features.imports import alike as alikes
from xiangyue.features.imports import repair
from xiangyue.features.imports.alike import Alike, Group, alike_of
from xiangyue.features.imports.models import ImportRepair
from xiangyue.features.imports.queries_rows import SheetRow
from xiangyue.features.imports.repair_work import values_of
from xiangyue.features.imports.roster_check import is_masked
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_messages import CellError, problem_of
from xiangyue.features.imports.roster_suggest import Suggester
from xiangyue.features.imports.view import MOST_SHOWN, column_label, marked
from xiangyue.features.imports.workbook_back import REASONS
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.text.folding import cell_text


@dataclass(slots=True)
class WrongCell:
    """A wrong cell: ``value`` as it may be shown (a long one ``clipped``), ``text`` as it goes into the field ("" for
    a masked one), problems in words, suggestions, in how many rows it is wrong ``alike``, ``seen``: see
    `repair.cell_seen`; ``choices``: id of the list to choose from, or ""."""

    id: str
    column: str
    label: Any
    value: str
    text: str
    clipped: bool
    problems: list[Any]
    suggestions: list[str]
    seen: str
    alike: Alike | None = None
    rows: int = 0
    choices: str = ""
    masked: bool = False
    focus: bool = False


@dataclass(slots=True)
class WrongRow:
    """A row with wrong cells: where and who, in words of the file; ``more``: wrong cells that the filter hides."""

    row_no: int
    name: str
    where: str
    relation: str
    cells: list[WrongCell] = field(default_factory=list)
    more: int = 0


@dataclass(slots=True)
class Grid:
    """``lists``: id -> values to choose from."""

    rows: list[WrongRow]
    lists: dict[str, list[str]]


def where_of(cells: Mapping[str, Any]) -> str:
    """Town, village and household number as the file has them, each cut short."""
    return " ".join(text[:20] for key in ("town", "village", "household_no") if (text := cell_text(cells.get(key))))


def title_of(cells: Mapping[str, Any], columns: Sequence[Column]) -> str:
    """Who or what a row is about: the name of the person, else what stands in the register's first column."""
    if "name" in cells or not columns:
        return cell_text(cells.get("name"))
    own = (column.key for column in columns if column.entity == "record" and column.kind != "area")
    first = next((key for key in own if not is_masked(key)), "name")
    return cell_text(cells.get(first))


def grid(
    uow: Uow,
    keys: TenantKeys,
    batch_id: int,
    rows: Sequence[SheetRow],
    columns: Sequence[Column],
    suggester: Suggester,
    *,
    code: str = "",
    column: str = "",
) -> Grid:
    """The rows with those of their wrong cells that the filter asks for."""
    made: list[WrongRow] = []
    lists: dict[tuple[str, ...], str] = {}
    for row in rows:
        wrong: dict[str, list[CellError]] = {}
        for error in row.errors:
            wrong.setdefault(error.column, []).append(error)
        cells = {
            key: errors
            for key, errors in wrong.items()
            if (not column or key == column) and (not code or any(error.code == code for error in errors))
        }
        shown = WrongRow(
            row.row_no,
            title_of(row.cells, columns)[:20],
            where_of(row.cells),
            cell_text(row.cells.get("relation"))[:20],
            more=len(wrong) - len(cells),
        )
        for key, errors in cells.items():
            cell = wrong_cell(keys, row, key, errors, columns, suggester)
            values = tuple(suggester.choices(key, row.cells))
            if values and key != "marks":
                cell.choices = lists.setdefault(values, f"choices-{len(lists)}")
            shown.cells.append(cell)
        made.append(shown)
    wanted = list(dict.fromkeys(cell.alike for row in made for cell in row.cells if cell.alike))
    numbers = alikes.numbers(uow, batch_id, wanted)
    for line in made:
        for cell in line.cells:
            cell.rows = numbers.get(cell.alike, 0) if cell.alike else 0
    return Grid(made, {id: list(values) for values, id in lists.items()})


def wrong_cell(
    keys: TenantKeys,
    row: SheetRow,
    key: str,
    errors: Sequence[CellError],
    columns: Sequence[Column],
    suggester: Suggester,
) -> WrongCell:
    """A cell with what is wrong in it, not yet counted."""
    masked = is_masked(key)
    text = cell_text(row.cells.get(key))
    value = next((error.shown_value for error in errors if error.shown_value), "" if masked else text)
    suggestions: list[str] = []
    for error in errors:
        suggestions += [one for one in suggester.suggest(error, row.cells) if one not in suggestions]
    return WrongCell(
        f"r{row.row_no}-{key.replace('.', '-')}",
        key,
        marked(column_label(columns, key)),
        value[:MOST_SHOWN],
        "" if masked else text,
        len(value) > MOST_SHOWN,
        [marked(problem_of(replace(error, suggestion=""))) for error in errors],
        suggestions,
        repair.cell_seen(keys, row.row_no, key, row.cells.get(key)),
        alike=next((found for error in errors if (found := alike_of(error)) is not None), None),
        masked=masked,
    )


@dataclass(frozen=True, slots=True)
class SameMistake:
    """The same mistake in several rows. ``fields`` go along with its form."""

    label: Any
    value: str
    town: str
    rows: int
    suggestions: list[str]
    fields: dict[str, str]


def same_mistakes(found: Sequence[Group], columns: Sequence[Column], suggester: Suggester | None) -> list[SameMistake]:
    return [
        SameMistake(
            marked(column_label(columns, group.alike.column)),
            group.alike.value,
            group.alike.town,
            group.rows,
            suggestions_of(group, suggester),
            alike_fields(group.alike),
        )
        for group in found
    ]


def suggestions_of(group: Group, suggester: Suggester | None) -> list[str]:
    """What may be put in the place of a mistake that several rows share."""
    alike = group.alike
    params = {"mark": alike.value} if alike.word else {}
    error = CellError(0, alike.column, alike.code, params, alike.value, group.suggestion)
    cells = {"town": alike.town, alike.column: alike.value}
    return [] if suggester is None else suggester.suggest(error, cells)


def alike_fields(alike: Alike) -> dict[str, str]:
    return {
        "column": alike.column,
        "code": alike.code,
        "old": alike.value,
        "town": alike.town,
        "word": "1" if alike.word else "",
    }


@dataclass(frozen=True, slots=True)
class RepairLine:
    """A repair in the list of those done. ``rows``: how many it changed."""

    id: int
    kind: str
    state: str
    row_no: int | None
    label: Any
    before: str
    after: str
    rows: int
    suggested: bool
    file_name: str
    refused: list[Any]
    repair: ImportRepair


def repair_line(uow: Uow, keys: TenantKeys, one: ImportRepair, columns: Sequence[Column]) -> RepairLine:
    before, after = values_of(uow, keys, one)
    return RepairLine(
        one.id,
        one.kind,
        one.state,
        one.row_no,
        marked(column_label(columns, one.column_key)) if one.column_key else "",
        before[:MOST_SHOWN],
        after[:MOST_SHOWN],
        int(one.result.get("rows") or 0),
        one.suggested,
        str(one.result.get("file_name") or ""),
        refused_lines(one),
        one,
    )


def refused_lines(one: ImportRepair) -> list[Any]:
    """What of a returned workbook was not taken, in words."""
    return [marked(line) for line in refused_texts(one)]


def refused_texts(one: ImportRepair) -> list[str]:
    if problem := one.result.get("problem"):
        return [str(problem)]
    told = one.result.get("refused") or []
    lines = [_("Row %(row)s of the workbook %(reason)s", row=row_no, reason=str(REASONS[why])) for row_no, why in told]
    more = int(one.result.get("refused_count") or 0) - len(told)
    if more > 0:
        lines.append(ngettext("%(n)d more row was not taken.", "%(n)d more rows were not taken.", more))
    return lines
