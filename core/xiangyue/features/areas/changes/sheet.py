# data: zh
"""A sheet that says which household goes where: out with all households, in with a code or name of an area each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xiangyue.errors import Invalid
from xiangyue.features.areas.changes.households import Move, Moves
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.features.areas.queries import code_text
from xiangyue.features.imports.book import open_book
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import cell_text, without_spaces

HOUSEHOLD = ("户编号", "household no.", "household")
TARGET = ("去向", "goes to", "new area")
MOST_ROWS = 50_000
MOST_TOLD = 20


def headings() -> list[str]:
    """Of the sheet that goes out."""
    return [_("Household no."), _("Head"), _("Address"), _("Area"), _("Goes to area")]


def lines(moves: Iterable[Move], names: dict[int, str]) -> Iterator[list[object]]:
    """Rows of that sheet; the last column is to be filled in."""
    for move in moves:
        row = move.row
        to = code_text(move.to) if move.to else ""
        yield [row.code, row.head_name, row.address, f"{names.get(row.area_code, '')} {code_text(row.area_code)}", to]


def table_of(data: bytes) -> list[list[str]]:
    """The first sheet of a file as texts. Raises Invalid (file) for one that cannot be read."""
    sheets = open_book(data)
    return [[cell_text(cell) for cell in row] for row in sheets[0].rows()] if sheets else []


def read_sheet(data: bytes, moves: Moves, plan: Plan) -> dict[int, int]:
    """Household id -> code, of the rows with an area; 0 where the area is left empty. Raises Invalid (file) naming the
    rows that do not fit; then nothing is taken."""
    table = table_of(data)
    found = _columns(table)
    if found is None:
        raise Invalid(
            {"file": [_l("The sheet has other columns. Download the sheet of this change and fill in that.")]}
        )
    start, household, target = found
    ids = {move.row.code: move.row.id for move in moves.moves}
    places = {code_text(code): code for code in plan.places}
    for code, name in plan.places.items():
        places[without_spaces(name)] = code if without_spaces(name) not in places else 0
    taken: dict[int, int] = {}
    wrong: list[object] = []
    for number, row in enumerate(table[start:MOST_ROWS], start + 1):
        number_text = without_spaces(row[household]) if household < len(row) else ""
        text = without_spaces(row[target]) if target < len(row) else ""
        if not number_text:
            continue
        if number_text not in ids:
            wrong.append(
                _l("Row %(row)d: no household %(code)s lies in these areas.", row=number, code=number_text[:30])
            )
        elif text and not places.get(text):
            wrong.append(_l("Row %(row)d: “%(area)s” is no area of this change.", row=number, area=text[:30]))
        else:
            taken[ids[number_text]] = places.get(text, 0)
    if wrong:
        more = [_l("and %(n)d more rows", n=len(wrong) - MOST_TOLD)] if len(wrong) > MOST_TOLD else []
        raise Invalid({"file": [*wrong[:MOST_TOLD], *more]})
    if not taken:
        raise Invalid({"file": [_l("No row of the sheet says anything.")]})
    return taken


def _columns(table: Sequence[Sequence[str]]) -> tuple[int, int, int] | None:
    for place, row in enumerate(table[:10]):
        cells = [without_spaces(cell).lower() for cell in row]
        household = next((n for n, cell in enumerate(cells) if cell in {without_spaces(w) for w in HOUSEHOLD}), None)
        target = next((n for n, cell in enumerate(cells) if cell in {without_spaces(w) for w in TARGET}), None)
        if household is not None and target is not None:
            return place + 1, household, target
    return None
