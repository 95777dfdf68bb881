"""The outcome of a dry run or a writing as people read it: counts, and examples of changes before -> after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.imports.policy import ROSTER
from xiangyue.features.imports.queries import columns_of, mark_kinds
from xiangyue.features.imports.registers import columns_of_kind, is_register, known_registers
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.chinese import has_han
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX

_FIELDS: dict[str, Any] = {
    "address": _l("Address"),
    "area_code": _l("Village or group"),
    "income": _l("Household income (yuan)"),
    "name": _l("Name of the person"),
    "relation": _l("Relation to head"),
    "sex": _l("Sex"),
    "nationality": _l("Nationality"),
    "birth_date": _l("Date of birth"),
    "away": _l("Away"),
    "household_id": _l("Household"),
    "id_number": _l("Citizen number"),
    "phone": _l("Phone"),
    "code": _l("Household number"),
    "household_code": _l("Household number"),
    "marks": _l("Marks"),
}
_TABLES = {"relation": RELATIONS, "sex": SEX, "nationality": NATIONALITIES}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an example: what stands in the register and what the file says ("" for nothing).

    ``data``: the values are as people wrote them, in Chinese.
    """

    field: Any
    before: str
    after: str
    data: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A new or changed household (named after its head), person or record."""

    entity: str
    label: str
    changes: list[Change]
    new: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """New, changed and unchanged ones of a kind."""

    label: Any
    new: int
    changed: int
    unchanged: int


def tallies(counts: Mapping[str, Any]) -> list[Tally]:
    """Households, persons and new groups of `BulkCounts.numbers` as they stand in the batch's counts."""
    if "records_new" in counts:
        numbers = (int(counts.get(f"records_{kind}") or 0) for kind in ("new", "changed", "unchanged"))
        return [Tally(_("Records of the register"), *numbers)]
    groups = int(counts.get("groups_new") or 0)
    return [
        Tally(label, *(int(counts.get(f"{key}_{kind}") or 0) for kind in ("new", "changed", "unchanged")))
        for key, label in (("households", _("Households")), ("persons", _("Persons")))
    ] + ([Tally(_("Villager groups"), groups, 0, 0)] if groups else [])


def samples(uow: Uow, counts: Mapping[str, Any], kind: str = ROSTER) -> list[Sample]:
    """Examples of what is new and of what changes, codes put into words."""
    found = counts.get("samples") or []
    if is_register(kind):
        return _of_register(uow, kind, found)
    codes = {
        int(side["area_code"])
        for sample in found
        for side in (sample["before"], sample["after"])
        if side and "area_code" in side
    }
    words = _Words(uow, areas.places(uow, codes), whole=any(sample["before"] is None for sample in found))
    made = []
    for sample in found:
        before, after = sample["before"] or {}, sample["after"]
        changes = [
            words.change(key, before, after)
            for key in dict.fromkeys([*after, *before])
            if key != "income_year"  # said with the income
        ]
        made.append(Sample(sample["entity"], sample["label"], changes, sample["before"] is None))
    return made


def _of_register(uow: Uow, kind: str, found: Sequence[Mapping[str, Any]]) -> list[Sample]:
    register = next((register for _c, register in known_registers(uow) if register.key == kind), None)
    tables = {column.key: column.choices for column in columns_of_kind(uow, kind) if column.choices is not None}
    columns = {} if register is None else {column.key: column for column in register.columns}
    places = {key for key, column in columns.items() if column.kind in ("village", "area", "place")}
    sides = [side for one in found for side in (one["before"], one["after"]) if side]
    codes = {side[key] for side in sides for key in places if side.get(key)}
    names = areas.places(uow, {int(code) for code in codes})

    def worded(key: str, value: Any) -> str:
        if value is None or value == "":
            return ""
        known = columns.get(key)
        if key in places:
            return names.get(int(value), str(value))
        if known is not None and known.kind in ("household", "person"):
            return _("No. %(id)s", id=value)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return tables[key].label(str(value)) if key in tables else str(value)

    def change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
        label = pick(*columns[key].names) if key in columns else key
        old, new = worded(key, before.get(key)), worded(key, after.get(key))
        return Change(label, old, new, has_han(old + new))

    return [
        Sample(
            one["entity"],
            one["label"],
            [change(key, one["before"] or {}, one["after"]) for key in one["after"]],
            one["before"] is None,
        )
        for one in found
    ]


class _Words:
    """Labels and values in words; ``whole``: also of what only new ones show, marks and own fields."""

    def __init__(self, uow: Uow, names: Mapping[int, str], *, whole: bool) -> None:
        self._names = names
        self._marks = {kind.key: kind.name for kind in mark_kinds(uow)} if whole else {}
        self._own = {column.key: column for column in columns_of(uow) if column.custom} if whole else {}

    def change(self, key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
        own = self._own.get(key)
        label = own.label if own is not None else _label(key, {**before, **after})
        data = key in ("address", "area_code", "name", "marks") or own is not None
        return Change(label, self._worded(key, before.get(key)), self._worded(key, after.get(key)), data)

    def _worded(self, key: str, value: Any) -> str:
        if key == "area_code" and value:
            return self._names.get(int(value), str(value))
        if key == "marks":
            return "、".join(self._marks.get(mark, mark) for mark in value or ())
        table = self._own[key].choices if key in self._own else None
        return table.label(str(value)) if table is not None and value else _worded(key, value)


def _label(key: str, values: Mapping[str, Any]) -> Any:
    if key == "income" and "income_year" in values:
        return _("Household income of %(year)s (yuan)", year=values["income_year"])
    return _FIELDS.get(key, key)


def _worded(key: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if key in _TABLES:
        return _TABLES[key].label(str(value))
    if key == "household_id":
        return _("No. %(id)s", id=value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:,}" if key == "income" else str(value)
