"""From what was asked to the plan of a change, by its kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.changes import codes
from xiangyue.features.areas.changes.asked import Request
from xiangyue.features.areas.changes.pieces import Pieces, county, names_of
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.features.areas.models import COUNTY, GROUP, TOWN, VILLAGE, Area
from xiangyue.features.areas.queries import code_text
from xiangyue.i18n import lazy_gettext as _l


def plan_of(uow: Uow, kind: str, on: date, request: Request) -> Plan:
    """The plan of a clean request. Raises Invalid, each fault at its field."""
    return _Builder(uow, Plan(kind, on), request).build()


class _Builder(Pieces):
    def build(self) -> Plan:
        getattr(self, f"_{self.plan.kind}")()
        if not self.errors:
            self._check_names()
        if self.errors:
            raise Invalid(self.errors)
        self.plan.rows = {**self.plan.moved, **self.plan.rows}
        return self.plan

    # -- kinds

    def _rename(self) -> None:
        area = self._area("area")
        if area is None:
            return
        name, official = names_of(codes.level_of(area.area_code), area.kind, self.request.get("name", ""))
        kind = self.request.get("kind") or area.kind
        if area.level == GROUP and kind not in codes.GROUP_KINDS:
            self.errors["kind"] = [_l("Choose one of the options.")]
        elif area.level != GROUP:
            kind = area.kind  # the code's range says it
        if (name, official, kind) == (area.name, area.official_name, area.kind):
            self.errors["name"] = [_l("It is called so already.")]
        self.plan.renamed[area.area_code] = (name, official, kind)
        if name != area.name:
            self.plan.former[area.area_code] = [area.name]

    def _recode(self) -> None:
        area = self._area("area")
        if area is not None:
            self._to_new_code(area, area.parent_code, self.request.get("code", 0))

    def _move(self) -> None:
        area, parent = self._area("area"), self._area("parent")
        if area is None or parent is None:
            return
        if codes.BELOW.get(parent.level) != area.level:
            self.errors["parent"] = [
                _l("%(area)s cannot lie directly in %(parent)s.", area=area.name, parent=parent.name)
            ]
        elif parent.area_code == area.parent_code:
            self.errors["parent"] = [_l("It lies there already.")]
        else:
            self._to_new_code(area, parent.area_code, self.request.get("code", 0))

    def _to_new_code(self, area: Area, parent: int, code: int) -> None:
        code = code or self._free(parent, area.kind, "code", near=codes.number_of(area.area_code))
        if not code or not self._check_new(code, area.level, parent, "code"):
            return
        self.plan.main = area.area_code
        self._relocate(area, code, self.request.get("name", ""))

    def _merge(self) -> None:
        into = self.request["into"]
        sources = [area for code in self.request.get("areas", ()) if (area := self._find(code, "areas")) is not None]
        if self.errors:
            return
        level = codes.level_of(into)
        if any(area.level != level for area in sources) or level == COUNTY:
            self.errors["areas"] = [
                _l("Only areas of the same kind can be merged: villages with villages, towns with towns.")
            ]
            return
        target = self._target(into, level, sources)
        if self.errors:
            return
        self.plan.main, self.plan.sources = into, [area.area_code for area in sources]
        names = self._names_below(into)
        for area in sources:
            if area.area_code == into:
                self.errors["areas"] = [_l("%(name)s cannot go into itself.", name=area.name)]
                return
            self.plan.moved[area.area_code] = self.plan.retired[area.area_code] = into
        taken = {codes.number_of(code) for code in codes.known_codes(self.uow, into)}
        below = [(area, child) for area in sources for child in self._children(area)]
        # Numbers that are free there are kept; only then do the others get new ones.
        for area, child in sorted(below, key=lambda pair: codes.number_of(pair[1].area_code) in taken):
            self._child_into(area, child, into, names)
        gone = list(dict.fromkeys(name for area in sources for name in (area.name, *area.former_names)))
        if target is not None:
            if level == VILLAGE:  # households may be put into its groups
                self.plan.standing.update({child.area_code: child for child in self._children(target)})
            self.plan.former.setdefault(into, []).extend(gone)
        else:
            self.plan.made[into].former_names = [n for n in gone if n != self.plan.made[into].name]

    def _target(self, into: int, level: str, sources: list[Area]) -> Area | None:
        """The area that stays, None for a new one; it may get another name."""
        name = self.request.get("name", "")
        target = self._known(into)
        if target is not None and not (target.active and self.uow.scope.contains(into)):
            self._refuse_gone(target, "into")
            return None
        if target is not None:
            self.plan.standing[into] = target
            if name and name not in (target.name, target.official_name):
                called, official = names_of(level, target.kind, name)
                self.plan.renamed[into] = (called, official, target.kind)
                self.plan.former[into] = [target.name]
            return target
        if not name:
            self.errors["name"] = [_l("%(code)s is a new area: enter its name.", code=code_text(into))]
        elif self._check_new(into, level, sources[0].parent_code, "into"):
            self._make(into, name, sources[0])
        return None

    def _child_into(self, source: Area, child: Area, into: int, names: set[str]) -> None:
        said = self.request.get("children", {}).get(str(child.area_code), {})
        key = f"children.{code_text(child.area_code)}"
        code = said.get("code", 0)
        standing = self._known(code) if code else None
        if standing is not None and standing.active and codes.parent_of(code) == into and child.level == GROUP:
            self.plan.standing[code] = standing  # one group into another
            self.plan.standing[child.area_code] = child
            self.plan.moved[child.area_code] = self.plan.retired[child.area_code] = code
            self.plan.former.setdefault(code, []).append(child.name)
            return
        code = code or self._free(into, child.kind, key, near=codes.number_of(child.area_code))
        if not code or not self._check_new(code, child.level, into, key):
            return
        name = said.get("name", "") or child.name
        if name in names and not said.get("name"):
            name = f"{source.name}{name}"
        names.add(name)
        self._relocate(child, code, name if name != child.name else "")

    def _split(self) -> None:
        area = self._area("area")
        if area is None:
            return
        if area.level == COUNTY:
            self.errors["area"] = [county()]
            return
        plan = self.plan
        plan.main, plan.sources = area.area_code, [area.area_code]
        children = {child.area_code: child for child in self._children(area)}
        given: dict[int, int] = {}
        for number, part in enumerate(self.request.get("parts", ())):
            key = f"parts.{number}"
            kind = part["kind"] or area.kind
            code = part["code"] or self._free(area.parent_code, kind, f"{key}.code")
            if not code or not self._check_new(code, area.level, area.parent_code, f"{key}.code"):
                continue
            self._make(code, part["name"], area, kind=part["kind"])
            for child in part["children"]:
                if child not in children or child in given:
                    self.errors[f"{key}.children"] = [
                        _l("Each group goes to one part only, and is one of this area's.")
                    ]
                    continue
                given[child] = code
                below = codes.number_of(child) * codes.UNIT[children[child].level]
                self._relocate(children[child], code + below, "")
        parts = [
            code
            for code in plan.made
            if codes.parent_of(code) == area.parent_code and codes.level_of(code) == area.level
        ]
        left = [child.name for code, child in children.items() if code not in given]
        if not self.request.get("keep", True):
            plan.retired[area.area_code] = parts[0] if parts else 0
            if parts:
                plan.rows[area.area_code] = parts[0]
            if left:
                self.errors["parts"] = [
                    _l("Say where %(names)s go: the area they lie in ends.", names="、".join(left[:5]))
                ]
        else:
            plan.standing.update({code: child for code, child in children.items() if code not in given})

    def _create(self) -> None:
        parent = self._area("parent")
        if parent is None:
            return
        level = codes.BELOW.get(parent.level)
        if level is None:
            self.errors["parent"] = [_l("Nothing lies below a villager group.")]
            return
        kind = self.request.get("kind") or {TOWN: "town", VILLAGE: "village_committee", GROUP: GROUP}[level]
        code = self.request.get("code") or self._free(parent.area_code, kind, "code")
        if code and self._check_new(code, level, parent.area_code, "code"):
            self.plan.main = code
            self._make(code, self.request.get("name", ""), None, kind=self.request.get("kind", ""))

    def _close(self) -> None:
        area = self._area("area")
        if area is None:
            return
        if area.level == COUNTY:
            self.errors["area"] = [county()]
        elif children := self._children(area):
            names = "、".join(child.name for child in children[:3])
            self.errors["area"] = [_l("%(names)s still lie in it. Abolish or move them first.", names=names)]
        self.plan.sources = [area.area_code]
        self.plan.retired[area.area_code] = 0


def standing_below(uow: Uow, sources: Iterable[int]) -> list[int]:
    """Codes of all areas in the subtrees of ``sources``, out of use or not."""
    found: list[int] = []
    for code in sources:
        found += uow.session.scalars(select(Area.area_code).where(Area.area_code.between(*area_range(code))))
    return found
