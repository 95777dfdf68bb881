"""What becomes of each area, and where what lies in them goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from xiangyue.features.areas.changes import codes
from xiangyue.features.areas.models import GROUP, VILLAGE, Area


@dataclass(slots=True)
class Made:
    """An area that the change makes. ``origin``: the one it was before, or was cut from; 0 for one set up anew."""

    code: int
    name: str
    official_name: str
    kind: str
    origin: int = 0
    former_names: list[str] = field(default_factory=list)
    position: int = 0

    @property
    def level(self) -> str:
        return codes.level_of(self.code)


@dataclass(slots=True)
class Plan:
    """``moved``: where households of exactly this code go unless something else is said of them; ``rows``: the same of
    all that hangs on no household; ``retired``: codes that end, and which area leads on (0: none)."""

    kind: str
    on: date
    standing: dict[int, Area] = field(default_factory=dict)
    made: dict[int, Made] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    retired: dict[int, int] = field(default_factory=dict)
    renamed: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    former: dict[int, list[str]] = field(default_factory=dict)
    #: Areas whose households may be sent elsewhere one by one.
    sources: list[int] = field(default_factory=list)
    main: int = 0

    @property
    def touched(self) -> set[int]:
        return {*self.standing, *self.made}

    @property
    def whole(self) -> bool:
        """Everything in the new areas was in the old ones: an undo takes along what came since."""
        return self.kind in ("recode", "move")

    @property
    def places(self) -> dict[int, str]:
        """Where a household may be after it, with the name."""
        standing = {code: area.name for code, area in self.standing.items() if code not in self.retired}
        found = {**standing, **{code: made.name for code, made in self.made.items()}}
        return {code: name for code, name in sorted(found.items()) if codes.level_of(code) in (VILLAGE, GROUP)}

    def only_origin(self, code: int) -> int:
        """The one area that became ``code`` as a whole; 0 when there is none."""
        made = self.made.get(code)
        if made is None or not made.origin or self.moved.get(made.origin) != code:
            return 0
        return made.origin if sum(to == code for to in self.moved.values()) == 1 else 0
