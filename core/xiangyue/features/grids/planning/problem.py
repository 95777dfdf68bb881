"""What the planner is given: households, the size rule, and what may be done with villager groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Home:
    """One household. ``group``: 15-digit code of its villager group (or of the village, when it is in none);
    ``order``: its number in the village; ``registered``, ``living``: persons on either basis; ``care``: how much care
    it needs, in the caller's unit; ``at``: longitude and latitude in degrees; ``fixed``: key of the part that it must
    stay in, alone with the others of that key."""

    id: int
    group: int
    order: int
    registered: int
    living: int
    care: int = 0
    at: tuple[float, float] | None = None
    fixed: str | None = None

    @property
    def village(self) -> int:
        return self.group // 1000 * 1000


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Least and most households and persons of a grid, both inclusive; None: no limit. ``basis``: registered (户籍) or
    living (常住) persons are counted.

    :raises ValueError: an unknown basis, a limit below one, or a least above the most.
    """

    basis: str = "registered"
    min_households: int | None = None
    max_households: int | None = None
    min_persons: int | None = None
    max_persons: int | None = None

    def __post_init__(self) -> None:
        if self.basis not in ("registered", "living"):
            raise ValueError(f"unknown basis {self.basis!r}")
        for least, most in (self.households, self.persons):
            if (least is not None and least < 1) or (most is not None and most < 1):
                raise ValueError("a limit must be at least 1")
            if least is not None and most is not None and least > most:
                raise ValueError("the least is above the most")

    @property
    def households(self) -> tuple[int | None, int | None]:
        return self.min_households, self.max_households

    @property
    def persons(self) -> tuple[int | None, int | None]:
        return self.min_persons, self.max_persons

    @property
    def limits(self) -> bool:
        """Whether it limits anything at all."""
        return any(limit is not None for limit in (*self.households, *self.persons))

    def count(self, home: Home) -> int:
        """Persons of a household on the rule's basis."""
        return home.registered if self.basis == "registered" else home.living

    def admits(self, households: int, persons: int) -> bool:
        """Whether a grid of this size is within the rule."""
        return within(self.households, households) and within(self.persons, persons)


class Joining(StrEnum):
    """What may be done with several villager groups of a village."""

    #: Every leaf lies in one group: a second-level grid is the group (HY-05).
    NONE = "none"
    #: Neighbouring groups may be one leaf, each of them whole, as long as the leaf is not above the most.
    WHOLE = "whole"
    #: The line may be cut anywhere: the end of one group with the beginning of the next.
    FREE = "free"


def within(limits: tuple[int | None, int | None], figure: int) -> bool:
    least, most = limits
    return (least is None or figure >= least) and (most is None or figure <= most)
