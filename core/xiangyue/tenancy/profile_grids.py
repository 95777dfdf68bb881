"""What a profile says of grids: size rules by level and the template of codes, until the county sets its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from xiangyue.tenancy.profile_schema import Choice, ListOf, Strict, Text, Whole


@dataclass(frozen=True, slots=True)
class GridSizeSpec:
    """How large a leaf grid of a level should be; None: no limit. ``basis``: whose persons count."""

    level: int
    basis: str = "living"
    min_households: int | None = None
    max_households: int | None = None
    min_persons: int | None = None
    max_persons: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class GridDutiesSpec:
    """What whoever leads a grid of a level sees to (职责清单)."""

    level: int
    items: tuple[str, ...]
    title: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class GridsSpec:
    """``code_template`` "": the core's own."""

    sizes: tuple[GridSizeSpec, ...] = ()
    duties: tuple[GridDutiesSpec, ...] = ()
    code_template: str = ""
    code_width: int = 3
    #: (least, most) households of a ten-household group; None: the core's own.
    ten_households: tuple[int, int] | None = None


def _limit() -> Whole:
    return Whole(least=1, most=9_999, load_default=None)


class GridSizeSchema(Strict):
    level = Whole(least=1, most=3, required=True)
    basis = Choice("registered", "living", load_default="living")
    min_households = _limit()
    max_households = _limit()
    min_persons = _limit()
    max_persons = _limit()
    source = Text(blank=True, longest=200, load_default="")


class TenHouseholdsSchema(Strict):
    min_households = Whole(least=1, most=99, required=True)
    max_households = Whole(least=1, most=99, required=True)


class GridDutiesSchema(Strict):
    level = Whole(least=1, most=3, required=True)
    title = Text(blank=True, longest=60, load_default="")
    items = ListOf(Text(longest=200), required=True)
    source = Text(blank=True, longest=200, load_default="")


class GridsSchema(Strict):
    duties = ListOf(fields.Nested(GridDutiesSchema), load_default=list)
    sizes = ListOf(fields.Nested(GridSizeSchema), load_default=list)
    code_template = Text(blank=True, longest=60, load_default="")
    code_width = Whole(least=2, most=6, load_default=3)
    ten_households = fields.Nested(TenHouseholdsSchema, load_default=None)


def grids_from(values: dict[str, Any]) -> GridsSpec:
    """What the schema loaded, as unchangeable values."""
    return GridsSpec(
        sizes=tuple(GridSizeSpec(**size) for size in values["sizes"]),
        duties=tuple(GridDutiesSpec(**{**one, "items": tuple(one["items"])}) for one in values["duties"]),
        code_template=values["code_template"],
        code_width=values["code_width"],
        ten_households=(ten["min_households"], ten["max_households"]) if (ten := values["ten_households"]) else None,
    )
