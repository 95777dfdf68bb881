"""Statements of a bulk write that have nothing to do for a chunk of which nothing stands in the register yet.

They would only read the register through, chunk after chunk, while it grows: a first import is mostly such chunks.
"""

from __future__ import annotations


class OfHouseholds(str):
    """Needs households of the chunk that stand already."""

    __slots__ = ()


class OfPersons(str):
    """Needs persons of the chunk that stand already."""

    __slots__ = ()


class OfChanges(str):
    """Needs something that stands already and is to be changed."""

    __slots__ = ()
