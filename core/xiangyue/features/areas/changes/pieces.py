"""The pieces of which the plan of each kind of change is put together; faults are collected by field."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes import codes
from xiangyue.features.areas.changes.asked import Errors, Request
from xiangyue.features.areas.changes.planned import Made, Plan
from xiangyue.features.areas.models import COUNTY, GROUP, VILLAGE, Area
from xiangyue.features.areas.queries import NO_AREA, code_text
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.division_names import village_display

WHOLE = "what lies in an area is moved wherever the actor's other areas end; the areas themselves are the actor's"


class Pieces:
    """Knows the request, the plan so far, and what is wrong."""

    def __init__(self, uow: Uow, plan: Plan, request: Request) -> None:
        self.uow = uow
        self.plan = plan
        self.request = request
        self.errors: Errors = {}

    def _area(self, name: str) -> Area | None:
        area = self._find(self.request.get(name, 0), name, touched=name == "area")
        if area is not None and name == "area":
            self.plan.main = area.area_code
        if area is not None and area.level == COUNTY and name == "area":
            self.errors[name] = [county()]
            return None
        return area

    def _find(self, code: int, name: str, *, touched: bool = True) -> Area | None:
        """An area that stands and is the actor's as a whole. One that something is only put into is not touched."""
        area = self._known(code)
        if area is None or not self.uow.scope.contains(code) or not _whole_mine(self.uow, code):
            self.errors[name] = [NO_AREA]
            return None
        if not area.active:
            self._refuse_gone(area, name)
            return None
        if touched:
            self.plan.standing[code] = area
        return area

    def _refuse_gone(self, area: Area, name: str) -> None:
        if area.active or not self.uow.scope.contains(area.area_code):
            self.errors[name] = [NO_AREA]
            return
        led = self._known(area.succeeded_by) if area.succeeded_by else None
        if led is None:
            self.errors[name] = [_l("%(name)s is out of use.", name=area.name)]
        else:
            self.errors[name] = [_l("%(name)s has become %(now)s. Choose that.", name=area.name, now=led.name)]

    def _known(self, code: int) -> Area | None:
        with self.uow.tenant_wide(WHOLE):
            return self.uow.session.scalars(select(Area).where(Area.area_code == code)).one_or_none()

    def _children(self, area: Area) -> list[Area]:
        statement = select(Area).where(Area.parent_code == area.area_code, Area.active.is_(True))
        return list(self.uow.session.scalars(statement.order_by(Area.area_code)))

    def _names_below(self, code: int) -> set[str]:
        statement = select(Area.name).where(Area.parent_code == code, Area.active.is_(True))
        return set(self.uow.session.scalars(statement))

    def _free(self, parent: int, kind: str, name: str, *, near: int = 0) -> int:
        code = codes.free_code(self.uow, parent, kind, taken=self.plan.made, near=near)
        if code is None:
            self.errors[name] = [_l("No code of this kind is left there. Enter one.")]
        return code or 0

    def _check_new(self, code: int, level: str, parent: int, name: str) -> bool:
        """Whether the code fits and was never used; else an error stands at ``name``."""
        text = code_text(code)
        known = self._known(code)
        if codes.level_of(code) != level or codes.parent_of(code) != parent:
            wrong: Any = _l(
                "%(code)s is no code of an area there: it begins with %(start)s.", code=text, start=_start(parent)
            )
        elif codes.kind_of(code) is None:
            wrong = _l("%(code)s: no kind of area has this number. Numbers go from 001 to 599.", code=text)
        elif known is not None and known.active:
            wrong = _l("%(code)s is the code of %(name)s. Choose another.", code=text, name=known.name)
        elif known is not None:
            wrong = _l(
                "%(code)s was the code of %(name)s. Codes are never used again: choose another.",
                code=text,
                name=known.name,
            )
        elif code in self.plan.made:
            wrong = _l("%(code)s is given twice.", code=text)
        elif not self.uow.scope.contains(code) or not _whole_mine(self.uow, code):
            wrong = _l("%(code)s lies outside your area.", code=text)
        else:
            return True
        self.errors[name] = [wrong]
        return False

    def _make(self, code: int, name: str, origin: Area | None, *, kind: str = "") -> None:
        level = codes.level_of(code)
        by_code = codes.kind_of(code) or "other"
        if level == GROUP:
            by_code = kind if kind in codes.GROUP_KINDS else origin.kind if origin is not None else GROUP
        called, official = names_of(level, by_code, name)
        source = origin.area_code if origin is not None else 0
        self.plan.made[code] = Made(code, called, official, by_code, source, position=origin.position if origin else 0)

    def _relocate(self, area: Area, code: int, name: str) -> None:
        """The area and all below it under a new code."""
        below = select(Area).where(Area.area_code.between(*area_range(area.area_code))).order_by(Area.area_code)
        for one in self.uow.session.scalars(below):
            new = code + one.area_code - area.area_code
            if not one.active:
                self.plan.rows[one.area_code] = code  # what still hangs on a group out of use
                continue
            self.plan.standing[one.area_code] = one
            self._make(new, name if one is area and name else one.official_name or one.name, one)
            made = self.plan.made[new]
            if not (one is area and name):
                made.name, made.official_name = one.name, one.official_name
            made.former_names = [n for n in (*one.former_names, one.name) if n != made.name]
            self.plan.moved[one.area_code] = self.plan.retired[one.area_code] = new

    def _check_names(self) -> None:
        """No two areas of one name beside each other."""
        new = {code: made.name for code, made in self.plan.made.items()}
        new.update({code: name for code, (name, _official, _kind) in self.plan.renamed.items()})
        seen: dict[tuple[int, str], int] = {}
        for code, name in new.items():
            parent = codes.parent_of(code)
            beside = select(Area.area_code).where(
                Area.parent_code == parent, Area.name == name, Area.active.is_(True), Area.area_code != code
            )
            with self.uow.tenant_wide("names of areas are known to everybody in the county"):
                others = set(self.uow.session.scalars(beside)) - set(self.plan.retired)
            if others - set(new) or seen.setdefault((parent, name), code) != code:
                self.errors["name"] = [_l("“%(name)s” is the name of another area here today.", name=name)]


def names_of(level: str, kind: str, name: str) -> tuple[str, str]:
    """(shown, official) of a name as it was entered."""
    if level == VILLAGE:
        return village_display(name, community=kind == "community"), name
    return name, name


def _start(parent: int) -> str:
    return str(parent // codes.UNIT[codes.level_of(parent)])


def county() -> Any:
    return _l("The county itself is changed by the operator of this service.")


def _whole_mine(uow: Uow, code: int) -> bool:
    lo, hi = area_range(code)
    return uow.scope.ranges is None or any(a <= lo and hi <= b for a, b in uow.scope.ranges)
