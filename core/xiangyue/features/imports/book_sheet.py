"""A sheet of cells, as every format gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: Error values of formulas that are kept by cell; a sheet with more is wrong throughout, and the first say so.
MAX_ERRORS = 200_000


@dataclass(slots=True)
class Facts:
    """What the reader does not tell of a sheet. Rows and columns from 1: ``hidden`` rows; ``errors`` row -> column ->
    error value of a formula, such as ``#REF!``."""

    hidden: set[int] = field(default_factory=set)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    error_count: int = 0

    def note_error(self, row: int, column: int, text: str) -> None:
        if self.error_count < MAX_ERRORS:
            self.errors.setdefault(row, {})[column] = text
            self.error_count += 1


class Sheet:
    """A visible sheet; it is loaded when its rows are asked for, and again after `release`."""

    def __init__(self, name: str, load: Callable[[], Any], facts: Facts) -> None:
        self.name = name
        self.facts = facts
        self._load = load
        self._loaded: Any = None

    @property
    def _table(self) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    @property
    def end(self) -> tuple[int, int] | None:
        """Row and column, from 0, of the last filled cell; None for an empty sheet."""
        found: tuple[int, int] | None = self._table.end
        return found

    @property
    def merges(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """First and last cell, from 0, of those merged; none where the format does not tell."""
        return getattr(self._table, "merged_cell_ranges", None) or []

    def rows(self) -> Iterator[list[Any]]:
        """The cells of each row from the first, blank ones as ``""``; error values of formulas as text."""
        errors = self.facts.errors
        if not errors:
            yield from self._table.iter_rows()
            return
        for number, values in enumerate(self._table.iter_rows(), 1):
            if number in errors:
                cells = list(values)
                for column, text in errors[number].items():
                    if column <= len(cells):
                        cells[column - 1] = text
                yield cells
            else:
                yield values

    def release(self) -> None:
        """Give the memory back."""
        self._loaded = None
