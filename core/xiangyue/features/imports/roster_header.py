# data: zh
"""The header row of a roster: where it stands, which column each heading means, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xiangyue.features.imports.roster_columns import IGNORED_HEADERS, Column, bare_header, fold_header
from xiangyue.features.imports.roster_file import cell_name
from xiangyue.features.imports.roster_words import HEADINGS
from xiangyue.i18n import LazyText, gettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import cell_text

#: Rows in which the header is looked for.
HEADER_ROWS = 20
#: Characters of a heading that are kept.
HEADING_LENGTH = 60
#: Headings that must be known for a row to be the header.
_ENOUGH = 3
#: Likeness of headings, of 100, from which one is suggested.
LIKELY = 70
#: Rows above from which a blank heading is filled, and how many headings of its own the lowest row needs for that.
_ABOVE = 2
_OWN = 2


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """``code``: header_missing, header_duplicate, header_unknown, header_ignored. ``cell``: where, such as
    ``F3``.
    ``suggestion``: the header that was likely meant. ``blocking``: reading on would lose data."""

    code: str
    header: str
    cell: str = ""
    suggestion: str = ""
    blocking: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "header": self.header,
            "cell": self.cell,
            "suggestion": self.suggestion,
            "blocking": self.blocking,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HeaderProblem:
        return cls(**data)


HEADER_MESSAGES: dict[str, LazyText] = {
    "header_missing": _l("Column “%(header)s” is missing. Add it to the header row."),
    "header_duplicate": _l("Column “%(header)s” stands there twice, again in %(cell)s. Delete one of them."),
    "header_unknown": _l("Column “%(header)s” in %(cell)s is not known. Did you mean “%(suggestion)s”?"),
    "header_key_missing": _l(
        "There is no column to find records by: the citizen number, or the household number with town and village."
    ),
    "header_person_missing": _l(
        "There is no column to find persons by: the citizen number, or name, date of birth, town and village."
    ),
    "header_nothing_to_change": _l("There is no column to change beside those that find the records."),
    "header_ignored": _l("Column “%(header)s” in %(cell)s is not part of the roster and is passed over."),
}


def describe_header(problem: HeaderProblem) -> str:
    """What is wrong with a header, where, and what to do, in the current language."""
    return gettext(
        HEADER_MESSAGES[problem.code].message,
        header=problem.header,
        cell=problem.cell,
        suggestion=problem.suggestion,
    )


def heading_key(text: str) -> str:
    """By what it is remembered where a heading goes: a hash, for in a file anything may stand there."""
    return hashlib.sha256(fold_header(cell_text(text)[:HEADING_LENGTH]).encode()).hexdigest()[:24]


class HeaderFinder:
    """Knows the headings of the columns. ``decided``: where a person once sent headings that are not known, by
    `heading_key`: key of the column, "" for left out."""

    def __init__(self, columns: Sequence[Column], decided: Mapping[str, str] | None = None) -> None:
        self.columns = columns
        self.by_key = {column.key: column for column in columns}
        self._decided = {text: key for text, key in (decided or {}).items() if not key or key in self.by_key}
        self.known: dict[str, str] = {}
        for column in columns:
            for text in (column.zh, column.en):
                self.known.setdefault(fold_header(text), column.key)
        for column in columns:
            for text in (bare_header(column.zh), bare_header(column.en), *map(fold_header, column.aliases)):
                self.known.setdefault(text, column.key)
        for key, headings in HEADINGS.items():
            if key in self.by_key:
                for text in headings:
                    self.known.setdefault(fold_header(text), key)
        self.ignored = {fold_header(text) for text in IGNORED_HEADERS} - set(self.known)

    def key_of(self, text: str) -> str | None:
        return self.known.get(fold_header(text)) or self.known.get(bare_header(text))

    def decided(self, text: str) -> str | None:
        """Where a person sent a heading that is not known: key of the column, "" for left out, None for nowhere yet."""
        return self._decided.get(heading_key(text)) if self._decided else None

    def header_row(self, rows: Iterable[list[Any]], enough: int = _ENOUGH) -> tuple[int, int, list[Any]] | None:
        """(known headings, position from 0, cells) of the row with most known headings, or None.

        A header may stand in two rows, with cells merged over both or groups above (户主信息 over 姓名, 身份证号): a
        blank cell then takes the known heading above it.
        """
        best: tuple[int, int, list[Any]] | None = None
        above: list[list[Any]] = []
        for position, values in enumerate(rows):
            if position >= HEADER_ROWS:
                break
            cells, own = list(values), len(self._known(values))
            if own >= _OWN:
                for upper in reversed(above[-_ABOVE:]):
                    cells = [
                        high if low == "" and isinstance(high, str) and self.key_of(high) else low
                        for low, high in zip(cells, upper, strict=False)
                    ]
            known = len(self._known(cells))
            if known >= enough and (best is None or known > best[0]):
                best = (known, position, cells)
            above.append(list(values))
        return best

    def _known(self, values: Iterable[Any]) -> set[str | None]:
        return {self.key_of(value) for value in values if isinstance(value, str)} - {None}

    def apply(self, header: list[Any], chosen: Mapping[int, str]) -> tuple[dict[str, int], list[HeaderProblem]]:
        """The same as `map` where a person decided: ``chosen`` is position -> key, or "" for what is left out."""
        mapping = {key: place for place, key in sorted(chosen.items()) if key in self.by_key and place < len(header)}
        return mapping, self._missing(mapping)

    def resolve(self, header: Sequence[Any], asked: Mapping[str, str]) -> dict[int, str]:
        """Where columns go when somebody said it in advance: ``asked`` is heading, or position from 0 as text, -> key,
        or "" for one to be left out. Other headings go where they are known to go, unless that is taken."""
        folded = {fold_header(name): key for name, key in asked.items()}
        chosen: dict[int, str] = {}
        for place, value in enumerate(header):
            key = asked.get(str(place), folded.get(fold_header(str(value)) if value != "" else ""))
            if key is not None:
                chosen[place] = key
        for place, value in enumerate(header):
            known = self.key_of(str(value)) if place not in chosen and value != "" else None
            if known is not None and known not in chosen.values():
                chosen[place] = known
        return chosen

    def _missing(self, mapping: Mapping[str, int]) -> list[HeaderProblem]:
        return [HeaderProblem("header_missing", c.label) for c in self.columns if c.required and c.key not in mapping]

    def map(self, header: list[Any], row: int) -> tuple[dict[str, int], list[HeaderProblem]]:
        """(key -> position, problems)."""
        mapping: dict[str, int] = {}
        problems: list[HeaderProblem] = []
        strangers: list[tuple[str, str, int]] = []
        for position, value in enumerate(header):
            text = str(value).strip()
            if not text or fold_header(text) in self.ignored:
                continue
            cell = cell_name(row, position + 1)
            key = self.key_of(text)
            if key is None:
                strangers.append((text, cell, position))
            elif key in mapping:
                problems.append(HeaderProblem("header_duplicate", text, cell, self.by_key[key].label))
            else:
                mapping[key] = position
        for text, cell, position in strangers:
            decided = self.decided(text)
            if decided == "":
                continue
            if decided is not None and decided not in mapping:
                mapping[decided] = position
                continue
            likely = self.likely(text, mapping)
            code, label = ("header_unknown", self.by_key[likely].label) if likely else ("header_ignored", "")
            problems.append(HeaderProblem(code, text, cell, label, bool(likely)))
        problems += self._missing(mapping)
        return mapping, problems

    def likely(self, heading: str, taken: Container[str]) -> str:
        """Key of the column, not in ``taken``, that a heading was likely meant for; "" for none."""
        from rapidfuzz import fuzz, process

        if not heading:
            return ""
        free = [known for known, key in self.known.items() if key not in taken]
        best = process.extractOne(bare_header(heading), free, scorer=fuzz.ratio, score_cutoff=LIKELY)
        return self.known[best[0]] if best else ""
