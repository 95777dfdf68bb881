"""What the form of a change of areas asks for, and what was typed as a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries
from xiangyue.features.areas.models import COUNTY, GROUP, TOWN, VILLAGE, Area

#: Parts a page offers; the API takes more.
PARTS = 3
Choices = list[tuple[str, Any]]


@dataclass(slots=True)
class Asked:
    """``area``: the one the form is about, when it is known; choices as `components/form.html` takes them."""

    kind: str
    area: Area | None = None
    areas: Choices = field(default_factory=list)
    beside: Choices = field(default_factory=list)
    parents: Choices = field(default_factory=list)
    children: list[Area] = field(default_factory=list)

    @property
    def child_choices(self) -> Choices:
        return [(str(child.area_code), child.name) for child in self.children]

    @property
    def others(self) -> Choices:
        """Of what may go along, those of the same town, without groups of choices: boxes to tick."""
        flat = [one for text, many in self.beside for one in (many if isinstance(many, list) else [(text, many)])]
        if self.area is None:
            return flat
        unit = {TOWN: 10**9, VILLAGE: 10**6, GROUP: 1000}[self.area.level]
        own = self.area.area_code
        return [(code, name) for code, name in flat if int(code) // unit == own // unit and int(code) != own]

    @property
    def level(self) -> str:
        return self.area.level if self.area is not None else VILLAGE


def asked_of(uow: Uow, kind: str, area: Area | None) -> Asked:
    """The choices of a kind's form."""
    found = Asked(kind, area)
    towns = queries.area_choices(uow, TOWN)
    if area is None:
        found.areas = [*queries.village_choices(uow)]
        if kind != "merge":
            found.areas.insert(0, ("·", _choices(towns)))
    else:
        found.children = queries.list_areas(uow, parent=area.area_code)
    if kind == "merge":
        level = found.level
        if level == GROUP and area is not None:
            found.beside = _choices(queries.area_choices(uow, GROUP, area.parent_code))
        else:
            found.beside = _choices(towns) if level == TOWN else [*queries.village_choices(uow)]
    if kind in ("move", "create"):
        county = queries.list_areas(uow, level=COUNTY)
        above = {TOWN: county, VILLAGE: towns, GROUP: []}[found.level] if kind == "move" else [*county, *towns]
        found.parents = _choices(above)
        if kind == "create" or found.level == GROUP:
            found.parents += queries.village_choices(uow)
    return found


def _choices(areas: list[Area]) -> Choices:
    return [(str(a.area_code), f"{a.name} {queries.code_text(a.area_code)}") for a in areas]


def values_of(kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A kept request as the fields of the form."""
    values: dict[str, Any] = {
        "name": request.get("name", ""),
        "group_kind": request.get("kind", ""),
        "code": _text(request.get("code")),
        "keep": "1" if request.get("keep", True) else "",
        **{name: str(request.get(name) or "") for name in ("area", "into", "parent")},
        "areas": [str(code) for code in request.get("areas", ())],
    }
    for number, part in enumerate(request.get("parts", ())[:PARTS]):
        values[f"part{number}_name"] = part["name"]
        values[f"part{number}_code"] = _text(part["code"])
        values[f"part{number}_children"] = [str(code) for code in part["children"]]
    return values


def _text(code: Any) -> str:
    return queries.code_text(int(code)) if code else ""


def request_of(kind: str, form: MultiDict[str, str], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with households and rules that were said before."""
    found: dict[str, Any] = {name: form.get(name, "").strip() for name in ("area", "into", "parent", "code", "name")}
    found["kind"] = form.get("group_kind", "")
    found["areas"] = [code for code in form.getlist("areas") if code]
    if kind == "merge" and form.get("new_into", "").strip():
        found["into"] = form["new_into"].strip()
    if kind == "split":
        found["keep"] = bool(form.get("keep"))
        found["parts"] = [
            {
                "name": form.get(f"part{n}_name", ""),
                "code": form.get(f"part{n}_code", "").strip(),
                "children": form.getlist(f"part{n}_children"),
            }
            for n in range(PARTS)
            if form.get(f"part{n}_name", "").strip() or form.getlist(f"part{n}_children")
        ]
    return {**{name: kept[name] for name in ("rules", "households", "children") if name in kept}, **found}


def errors_of(errors: Mapping[str, Any]) -> dict[str, Any]:
    """Errors by field of the form."""
    found: dict[str, Any] = {}
    for name, messages in errors.items():
        words = name.split(".")
        if words[0] == "parts" and len(words) == 3:
            name = f"part{words[1]}_{words[2]}"
        elif words[0] == "parts":
            name = "part0_children"
        elif name == "kind":
            name = "group_kind"
        elif words[0] in ("children", "rules", "households"):
            name = ""
        found[name] = [*found.get(name, ()), *messages]
    return found


__all__ = ["PARTS", "Asked", "asked_of", "errors_of", "request_of", "values_of"]
