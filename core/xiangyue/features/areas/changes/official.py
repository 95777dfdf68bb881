# data: zh
"""The yearly official list of division codes (统计用区划代码) beside the county's areas, and taking it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.changes import codes
from xiangyue.features.areas.models import TOWN, VILLAGE, Area
from xiangyue.features.areas.queries import code_text
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import without_spaces

CODE = ("code", "代码", "区划代码", "统计用区划代码")
NAME = ("name", "名称", "区划名称", "单位名称")
#: Likeness (0 to 100) of two names from which one is taken for the other.
ALIKE = 75.0
MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """A difference. ``kind``: new, gone, renamed, recoded. ``code`` is the county's (of a new one the list's), ``to``
    the list's code of one that was re-coded."""

    kind: str
    code: int
    name: str
    to: int = 0
    to_name: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.code}-{self.to}-{self.to_name}"


def read_list(table: Sequence[Sequence[str]], county: int) -> dict[int, str]:
    """15-digit code -> official name of the towns and villages of the county. Raises Invalid (file)."""
    head = _columns(table)
    if head is None:
        raise Invalid({"file": [_l("The list needs columns of codes and of names, with headings that say so.")]})
    start, code_at, name_at = head
    found: dict[int, str] = {}
    for row in table[start : start + MOST_LINES]:
        if max(code_at, name_at) >= len(row):
            continue
        text, name = without_spaces(row[code_at]), without_spaces(row[name_at])
        if not (text.isascii() and text.isdigit() and len(text) in (9, 12)) or not name:
            continue
        code = int(text.ljust(15, "0"))
        if code // 10**9 == county // 10**9 and code != county:
            found[code] = name[:60]
    if not found:
        start_of = str(county)[:6]
        none = _l("The list has no town or village of this county: no code begins with %(start)s.", start=start_of)
        raise Invalid({"file": [none]})
    return found


def _columns(table: Sequence[Sequence[str]]) -> tuple[int, int, int] | None:
    for place, row in enumerate(table[:10]):
        cells = [without_spaces(cell).lower() for cell in row]
        code = next((n for n, cell in enumerate(cells) if cell in CODE), None)
        name = next((n for n, cell in enumerate(cells) if cell in NAME), None)
        if code is not None and name is not None:
            return place + 1, code, name
    return None


def compare(uow: Uow, listed: dict[int, str]) -> list[Line]:
    """What the list says otherwise than the county, towns first, by code; only in the actor's areas."""
    statement = select(Area).where(Area.level.in_((TOWN, VILLAGE)), Area.active.is_(True))
    known = {area.area_code: area for area in uow.session.scalars(statement)}
    lines = [
        Line("renamed", code, area.name, to_name=listed[code])
        for code, area in known.items()
        if code in listed and without_spaces(area.official_name or area.name) != listed[code]
    ]
    gone = {code: area for code, area in known.items() if code not in listed}
    new = {code: name for code, name in listed.items() if code not in known and uow.scope.contains(code)}
    for code, area in sorted(gone.items()):
        to = _likest(area, new)
        if to:
            lines.append(Line("recoded", code, area.name, to, new.pop(to)))
        else:
            lines.append(Line("gone", code, area.name))
    lines += [Line("new", code, name) for code, name in new.items()]
    return sorted(lines, key=lambda line: (line.code % 10**6 != 0, line.code))


def _likest(area: Area, new: dict[int, str]) -> int:
    """The code under which the list has an area of this name, or one like it, anywhere in the county."""
    best, found = ALIKE, 0
    for code, name in new.items():
        if codes.level_of(code) != area.level:
            continue
        same_parent = codes.parent_of(code) == area.parent_code
        score = fuzz.ratio(name, area.official_name or area.name) + (5 if same_parent else 0)
        # In another town only the very name counts.
        if score > best and (same_parent or score >= 100):
            best, found = score, code
    return found


def request_of(line: Line) -> tuple[str, dict[str, Any]]:
    """(kind, request) of the change that takes a line over."""
    if line.kind == "renamed":
        return "rename", {"area": code_text(line.code), "name": line.to_name}
    if line.kind == "recoded":
        same = codes.parent_of(line.to) == codes.parent_of(line.code)
        asked = {"area": code_text(line.code), "code": code_text(line.to), "name": line.to_name}
        return ("recode", asked) if same else ("move", {**asked, "parent": code_text(codes.parent_of(line.to))})
    if line.kind == "new":
        return "create", {
            "parent": code_text(codes.parent_of(line.code)),
            "code": code_text(line.code),
            "name": line.name,
        }
    return "close", {"area": code_text(line.code)}
