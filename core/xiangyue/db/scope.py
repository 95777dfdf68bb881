"""What a session may reach: one tenant and, within it, ranges of area codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Range = tuple[int, int]


def area_range(code: int) -> Range:
    """First and last 15-digit area code of the subtree under ``code`` (county, town, village or group)."""
    for width in (1_000_000_000, 1_000_000, 1_000):
        if code % width == 0:
            return code, code + width - 1
    return code, code


def merge_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sorted ranges without those that lie inside another."""
    merged: list[Range] = []
    for lo, hi in sorted(ranges):
        if merged and lo <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(hi, merged[-1][1]))
        else:
            merged.append((lo, hi))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Scope:
    """``ranges`` None means the whole tenant; an empty tuple means no area at all."""

    tenant_id: int
    ranges: tuple[Range, ...] | None = None

    def contains(self, area_code: int) -> bool:
        return self.ranges is None or any(lo <= area_code <= hi for lo, hi in self.ranges)

    def narrowed(self, area_code: int) -> Scope:
        """This scope cut down to the subtree of ``area_code``."""
        lo, hi = area_range(area_code)
        if self.ranges is None:
            return Scope(self.tenant_id, ((lo, hi),))
        cut = tuple((max(lo, a), min(hi, b)) for a, b in self.ranges if max(lo, a) <= min(hi, b))
        return Scope(self.tenant_id, cut)

    def within(self, other: Scope) -> Scope:
        """What both reach."""
        if self.ranges is None or other.ranges is None:
            return Scope(self.tenant_id, other.ranges if self.ranges is None else self.ranges)
        cut = ((max(a, c), min(b, d)) for a, b in self.ranges for c, d in other.ranges)
        return Scope(self.tenant_id, merge_ranges((lo, hi) for lo, hi in cut if lo <= hi))
