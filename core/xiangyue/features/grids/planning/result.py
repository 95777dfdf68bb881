"""What the planner answers: parts, figures, and what could not be met and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Why something could not be met."""

    #: The whole group has fewer households or persons than one grid needs.
    TOO_SMALL = "too_small"
    #: More than so many grids take, fewer than one more needs: no number of grids fits, by households or by persons.
    BETWEEN = "between"
    #: Households ask for one number of grids, persons for another.
    DISAGREE = "disagree"
    #: The sums would fit, but no cut of the line does.
    NO_CUT = "no_cut"
    #: One household alone is above the limit.
    LARGE_HOUSEHOLD = "large_household"
    #: A part that had to stay as it is.
    FIXED = "fixed"
    #: These households were ordered by house number, because coordinates are missing.
    NO_COORDINATES = "no_coordinates"


@dataclass(frozen=True, slots=True)
class Size:
    """Households, persons on the rule's basis, and care of a part or a group."""

    households: int
    persons: int
    care: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf grid. ``level`` 2: whole groups (or what has no group), 3: a piece of a group; ``groups``: codes in
    order; ``homes``: household ids in the order of the line; ``fixed``: key of a part that was given."""

    village: int
    level: int
    groups: tuple[int, ...]
    homes: tuple[int, ...]
    size: Size
    in_rule: bool
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that could not be met: of a group (code) or a part (position in ``VillagePlan.parts``).

    ``params``: numbers for the sentence of ``why``.
    """

    why: Why
    group: int | None = None
    part: int | None = None
    params: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a village, or summed over several.

    ``least_out``: grids out of the rule that no division can avoid, given which groups may be joined; ``chunk_*``: the
    same of the best simple chunking by house order; ``excess``: by how much the parts miss the rule, in thousandths
    of a limit, summed; ``split`` groups in several parts; ``joined``: parts of several groups.
    """

    households: int = 0
    persons: int = 0
    parts: int = 0
    in_rule: int = 0
    least_out: int = 0
    excess: int = 0
    split: int = 0
    joined: int = 0
    chunk_parts: int = 0
    chunk_in_rule: int = 0

    @property
    def share(self) -> float:
        """Share of the parts that are within the rule; 1 where there are none."""
        return self.in_rule / self.parts if self.parts else 1.0

    @property
    def bound(self) -> float:
        """No division into as many parts has a larger share."""
        return (self.parts - min(self.least_out, self.parts)) / self.parts if self.parts else 1.0

    @property
    def ratio(self) -> float:
        """Share by bound, at most 1."""
        return self.share / self.bound if self.bound else 1.0

    @property
    def chunk_share(self) -> float:
        return self.chunk_in_rule / self.chunk_parts if self.chunk_parts else 1.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class VillagePlan:
    """The division of one village: every household given is in exactly one part."""

    village: int
    parts: tuple[Part, ...]
    unmet: tuple[Unmet, ...]
    figures: Figures
