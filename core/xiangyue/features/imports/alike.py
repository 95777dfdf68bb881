# data: zh
"""Cells that are wrong in the same way: the same value in the same column, found by the errors that stand in the clear
(no row is decrypted for it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.imports.roster_check import SHOWN_LENGTH
from xiangyue.features.imports.roster_columns import MARK_BLANKS, MARK_SEPARATORS
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.text.folding import half_width

#: What is wrong with these hangs on other rows, other cells or the register: the same value is not the same mistake.
_OF_ITS_OWN = frozenset({
    "id_duplicate", "no_head", "two_heads", "household_differs", "head_row_only", "sex_mismatch", "birth_mismatch",
    "household_elsewhere", "household_twice", "head_other", "person_elsewhere", "person_twice", "not_taken",
    "outside_area", "row_twice", "group_unknown", "group_absent", "name_format", "name_long", "record_twice",
    "person_ambiguous",
})  # fmt: skip


class Alike(NamedTuple):
    """``value``: what stands in the cell, or the word of it that is wrong (``word``); ``town``: of a village, for the
    same words mean another village in another town."""

    column: str
    code: str
    value: str
    town: str = ""
    word: bool = False


def alike_of(error: CellError) -> Alike | None:
    """What other cells must have in common with a wrong one to be mended with it; None where that cannot be told:
    the value is masked or cut short, or the mistake is one of this row alone."""
    if error.code in _OF_ITS_OWN:
        return None
    if error.column == "marks" and error.params.get("mark"):
        return Alike(error.column, error.code, str(error.params["mark"]), word=True)
    if "*" in error.shown_value or len(error.shown_value) >= SHOWN_LENGTH:
        return None
    return Alike(error.column, error.code, error.shown_value, str(error.params.get("town") or ""))


_MATCHES = """e.value->>'column' = :column AND e.value->>'code' = :code
   AND CASE WHEN :word THEN e.value->'params'->>'mark' = :value
            ELSE e.value->>'shown_value' = :value AND coalesce(e.value->'params'->>'town', '') = :town END"""
#: Row numbers of the rows with such a cell.
ROWS = f"""
SELECT DISTINCT r.row_no FROM import_row r, jsonb_array_elements(r.errors) AS e(value)
 WHERE {{tenant:r}} AND r.batch_id = :batch AND r.error_count > 0 AND {_MATCHES}
"""  # noqa: S608 - constants of this module
_NUMBERS = """
SELECT w.place, count(DISTINCT r.row_no)
  FROM import_row r, jsonb_array_elements(r.errors) AS e(value),
       unnest(CAST(:columns AS text[]), CAST(:codes AS text[]), CAST(:values AS text[]), CAST(:towns AS text[]),
              CAST(:words AS bool[])) WITH ORDINALITY AS w(col, code, val, town, word, place)
 WHERE {tenant:r} AND r.batch_id = :batch AND r.error_count > 0
   AND e.value->>'column' = w.col AND e.value->>'code' = w.code
   AND CASE WHEN w.word THEN e.value->'params'->>'mark' = w.val
            ELSE e.value->>'shown_value' = w.val AND coalesce(e.value->'params'->>'town', '') = w.town END
 GROUP BY w.place
"""


def numbers(uow: Uow, batch_id: int, wanted: Sequence[Alike]) -> dict[Alike, int]:
    """In how many rows of the batch each stands."""
    if not wanted:
        return {}
    columns, codes, values, towns, words = map(list, zip(*wanted, strict=True))
    params = {"columns": columns, "codes": codes, "values": values, "towns": towns, "words": words}
    found = scoped_rows(uow.session, _NUMBERS, {"batch": batch_id, **params})
    return {wanted[place - 1]: number for place, number in found}


_GROUPS = """
SELECT g.col, g.code, g.val, g.town, g.word, count(DISTINCT g.row_no), min(g.suggestion)
  FROM (SELECT r.row_no, e.value->>'column' AS col, e.value->>'code' AS code, e.value->>'suggestion' AS suggestion,
               coalesce(w.mark, e.value->>'shown_value') AS val, w.mark IS NOT NULL AS word,
               CASE WHEN w.mark IS NULL THEN coalesce(e.value->'params'->>'town', '') ELSE '' END AS town
          FROM import_row r, jsonb_array_elements(r.errors) AS e(value),
               LATERAL (SELECT CASE WHEN e.value->>'column' = 'marks' THEN e.value->'params'->>'mark' END AS mark) w
         WHERE {tenant:r} AND r.batch_id = :batch AND r.error_count > 0
           AND e.value->>'code' <> ALL(:own) AND e.value->>'shown_value' NOT LIKE :masked
           AND length(e.value->>'shown_value') < :long
           AND (:code = '' OR e.value->>'code' = :code) AND (:column = '' OR e.value->>'column' = :column)) g
 GROUP BY 1, 2, 3, 4, 5 HAVING count(DISTINCT g.row_no) > 1 ORDER BY 6 DESC, 1, 2, 3, 4 LIMIT :limit
"""


class Group(NamedTuple):
    """Cells that are wrong in the same way, in how many rows, and what was likely meant (or "")."""

    alike: Alike
    rows: int
    suggestion: str


def groups(uow: Uow, batch_id: int, *, code: str = "", column: str = "", limit: int = 8) -> list[Group]:
    """The mistakes that most rows share, the most frequent first; of one kind or column where that is given."""
    params = {"own": sorted(_OF_ITS_OWN), "masked": "%*%", "long": SHOWN_LENGTH, "code": code, "column": column}
    found = scoped_rows(uow.session, _GROUPS, {"batch": batch_id, "limit": limit, **params})
    return [
        Group(Alike(col, kind, value, town, word), rows, suggestion or "")
        for col, kind, value, town, word, rows, suggestion in found
    ]


def replace_word(text: str, old: str, new: str) -> str:
    """A cell of several words with one of them replaced, or taken out where ``new`` is empty."""
    kept = []
    for piece in MARK_SEPARATORS.split(half_width(text)):
        said = [old] if piece.strip() == old else MARK_BLANKS.split(piece)
        words = [new if word == old else word for word in said]
        kept += [" ".join(word for word in words if word)]
    return "、".join(piece for piece in kept if piece)
