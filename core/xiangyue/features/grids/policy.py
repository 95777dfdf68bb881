"""Rights, kinds and the rule for sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GRID_VIEW = Permission("grid.view", _l("See grids"))
GRID_EDIT = Permission("grid.edit", _l("Divide grids, move households between them, undo"))
GRID_EXPORT = Permission("grid.export", _l("Export grids"))
GRID_SETTINGS = Permission("grid.settings", _l("Set the county's rules for grids"))
GRID_PRINT = Permission("grid.print", _l("Print grid boards"))
PERMISSIONS = (GRID_VIEW, GRID_EDIT, GRID_EXPORT, GRID_PRINT, GRID_SETTINGS)

AREA, SPECIAL = "area", "special"
KINDS = {AREA: _l("Area grid"), SPECIAL: _l("Special grid")}
#: Of special grids (专属网格); the list is open, a county may write its own word.
SPECIAL_KINDS = {
    "school": _l("School"),
    "park": _l("Business park"),
    "market": _l("Market"),
    "hospital": _l("Hospital"),
    "company": _l("Company"),
}
LEVELS: Mapping[int, Any] = {1: _l("Level 1"), 2: _l("Level 2"), 3: _l("Level 3")}

CHANGES = {
    "create": _l("Grid made"),
    "rename": _l("Grid renamed"),
    "recode": _l("Grid given another code"),
    "close": _l("Grid closed"),
    "split": _l("Grid split"),
    "merge": _l("Grids merged"),
    "move_households": _l("Households moved to a grid"),
    "plan": _l("Village divided by a plan"),
    "boundary": _l("Outline set or removed"),
    "register": _l("Followed from a change of the register"),
}
CHANGE_STATES = {"done": _l("Done"), "undone": _l("Undone")}

ROLES = {
    "leader": _l("Grid leader"),
    "deputy": _l("Deputy grid leader"),
    "worker": _l("Grid worker"),
    "representative": _l("Village representative"),
}
PROBLEMS = {"died": _l("has died"), "moved": _l("has moved away"), "term_over": _l("term is over")}

#: What a list may ask of sizes and of leaders (`conditions`).
OUT, FITS, UNEXPLAINED, EXPLAINED, TO_DIVIDE = "out", "fits", "unexplained", "explained", "to_divide"
SIZE_CONDITIONS = (OUT, FITS, UNEXPLAINED, EXPLAINED, TO_DIVIDE)
LEADER_CONDITIONS = ("none", "no_principal", "over", "soon", "gone")

REGISTERED, LIVING = "registered", "living"
BASES = {REGISTERED: _l("Household register"), LIVING: _l("Living here")}

ACTIONS = {
    "grid.create": _l("Grid made"),
    "grid.rename": _l("Grid renamed"),
    "grid.recode": _l("Grid given another code"),
    "grid.close": _l("Grid closed"),
    "grid.split": _l("Grid split"),
    "grid.merge": _l("Grids merged"),
    "grid.move_households": _l("Households moved to a grid"),
    "grid.plan": _l("Village divided by a plan"),
    "grid.boundary": _l("Outline set or removed"),
    "grid.register": _l("Grids followed a change of the register"),
    "grid.undo": _l("Change of grids undone"),
    "grid.appoint": _l("Somebody put in charge of a grid"),
    "grid.withdraw_post": _l("Post in a grid withdrawn before it began"),
    "grid.end_post": _l("Post in a grid ended"),
    "grid.explain": _l("Reason given for a grid's size"),
    "grid.settings": _l("Rules for grids changed"),
    "grid.export": _l("Grids exported"),
    "grid.print": _l("Grid boards printed"),
}

_EDITORS = frozenset({GRID_VIEW.name, GRID_EDIT.name, GRID_EXPORT.name, GRID_PRINT.name})
ROLE_TEMPLATES = {
    "county_admin": _EDITORS | {GRID_SETTINGS.name},
    "department": frozenset({GRID_VIEW.name}),
    "town": _EDITORS,
    "village": frozenset({GRID_VIEW.name, GRID_EDIT.name, GRID_PRINT.name}),
    "grid_leader": frozenset({GRID_VIEW.name, GRID_PRINT.name}),
    "auditor": frozenset({GRID_VIEW.name}),
}


@dataclass(frozen=True, slots=True)
class SizeRule:
    """How large a leaf grid of a level should be; None: no limit. ``basis``: whose persons count. ``source``: the
    paper that says so. A breach warns and takes a reason; it never blocks (domain rule HY-06)."""

    basis: str = LIVING
    min_households: int | None = None
    max_households: int | None = None
    min_persons: int | None = None
    max_persons: int | None = None
    source: str = ""

    @property
    def empty(self) -> bool:
        return not any((self.min_households, self.max_households, self.min_persons, self.max_persons))

    def breaches(self, households: int, persons: int) -> tuple[str, ...]:
        """Which limits are passed: households_below, households_above, persons_below, persons_above."""
        found = []
        for what, number, low, high in (
            ("households", households, self.min_households, self.max_households),
            ("persons", persons, self.min_persons, self.max_persons),
        ):
            if low is not None and number < low:
                found.append(f"{what}_below")
            if high is not None and number > high:
                found.append(f"{what}_above")
        return tuple(found)

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> SizeRule:
        known = cls.__slots__
        return cls(**{name: value[name] for name in known if name in value})


@dataclass(frozen=True, slots=True)
class CodeTemplate:
    """``{village}`` 12 digits, ``{level}`` one digit (0: special), ``{serial}`` at least ``width`` digits."""

    template: str = "{village}{level}{serial}"
    width: int = 3

    def make(self, village: int, level: int, serial: int) -> str:
        return self.template.format(village=village // 1000, level=level, serial=f"{serial:0{self.width}d}")


@dataclass(frozen=True, slots=True)
class DutyList:
    """What whoever leads a grid of a level sees to (职责清单). ``source``: the paper that says so."""

    title: str = ""
    items: tuple[str, ...] = ()
    source: str = ""

    def plain(self) -> dict[str, Any]:
        return {"title": self.title, "items": list(self.items), "source": self.source}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> DutyList:
        return cls(str(value.get("title") or ""), tuple(value.get("items") or ()), str(value.get("source") or ""))


#: Keys of ``grid_setting``.
CODE = "code"


def rule_key(level: int) -> str:
    return f"size{level}"


def duty_key(level: int) -> str:
    return f"duties{level}"
