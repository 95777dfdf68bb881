"""Two records fact by fact: what each says, where that came from, and which of both is the better guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys
from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import paths
from xiangyue.features.duplicates import policy
from xiangyue.features.households.custom import values_of
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full, masked
from xiangyue.features.households.memberships import Home, Place, home_of, standing
from xiangyue.features.households.models import Household
from xiangyue.features.households.words import PERSON_STATES
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX
from xiangyue.text.idnumber import check_digit

#: Facts of each kind that one may choose of. ``registered``, ``living``: household and relation on that basis;
#: ``state``: lives here, moved away, deceased.
PLAIN = {
    policy.PERSON: (
        "name",
        "id_number",
        "phone",
        "sex",
        "birth_date",
        "nationality",
        "registered",
        "living",
        "state",
        "note",
    ),
    policy.HOUSEHOLD: ("address", "location", "area_code", "note"),
}
LABELS: dict[str, Any] = {
    "name": _l("Full name"),
    "id_number": _l("Citizen number"),
    "phone": _l("Phone"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "registered": _l("Registered in"),
    "living": _l("Lives in"),
    "state": _l("State"),
    "note": _l("Note"),
    "address": _l("Address"),
    "location": _l("Location"),
    "area_code": _l("Village or group"),
}
BASES = ("registered", "living")
AWAY = _l("Away")
#: Where the trail tells of a fact under other names.
_TOLD = {"household_id": BASES, "relation": BASES, "away": ("living",), "left_on": ("state",), "on": ("state",)}
CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: ``what`` the act, who and when where that is known."""

    what: Any
    who: str = ""
    at: datetime | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """What one record says: as it is shown, "" for nothing; ``data``: the county's own words."""

    text: Any
    data: bool
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Fact:
    """``same``: nothing to choose. ``best``: first or second where one is plainly right (a right check digit, lives
    here; of where somebody lives who is away by one record, the one that is registered)."""

    key: str
    label: Any
    first: Side
    second: Side
    same: bool
    best: str = ""

    @property
    def differs(self) -> bool:
        """Whether both say something, and not the same."""
        return not self.same and bool(self.first.text) and bool(self.second.text)

    def better(self, keep: str) -> str:
        """The side that is ticked when ``keep`` stays: its own, unless that says nothing or the other is the best."""
        if self.best:
            return self.best
        mine, other = (self.first, self.second) if keep == "first" else (self.second, self.first)
        return keep if mine.text or not other.text else ("second" if keep == "first" else "first")


def facts_of(uow: Uow, keys: TenantKeys, kind: str, first: Any, second: Any) -> list[Fact]:
    """Every fact of both, chosen ones first, then the county's own fields; identifiers masked."""
    origins = [_origins(uow, record) for record in (first, second)]
    homes = _homes(uow, [first.id, second.id]) if kind == policy.PERSON else {}
    found = []
    for key in PLAIN[kind]:
        if key in BASES:
            values = [getattr(homes[record.id], key) for record in (first, second)]
            texts = [_at(uow, key, homes[record.id]) for record in (first, second)]
        else:
            values = [_raw(record, key) for record in (first, second)]
            texts = [_shown(uow, keys, record, key) for record in (first, second)]
        sides = [Side(*text, origin.get(key, origin[""])) for text, origin in zip(texts, origins, strict=True)]
        if key == "living" and None in values:
            right = [homes[record.id].registered is not None for record in (first, second)]
        else:
            right = [_plainly_right(uow, keys, record, key) for record in (first, second)]
        best = _best(right)
        found.append(Fact(key, LABELS[key], sides[0], sides[1], values[0] == values[1], best))
    return [*found, *_own(uow, kind, first, second, origins)]


def _homes(uow: Uow, ids: Sequence[int]) -> dict[int, Home]:
    return {id: home_of(rows) for id, rows in standing(uow, ids).items()}


def _at(uow: Uow, key: str, home: Home) -> tuple[Any, bool]:
    """(text, whether it is data). To be registered and live nowhere in the county says something: away."""
    if key == "living" and home.living is None and home.registered is not None:
        return AWAY, False
    return _place(uow, getattr(home, key)), True


def _place(uow: Uow, place: Place | None) -> str:
    """Head, number and relation; only the number of a household outside the actor's area."""
    if place is None:
        return ""
    statement = select(Household.head_name, Household.code, Household.area_code)
    with uow.tenant_wide("a person may be registered in one area and live in another"):
        head, code, area = uow.session.execute(statement.where(Household.id == place.household_id)).one()
    relation = RELATIONS.label(place.relation) if place.relation else ""
    return " · ".join(part for part in (head if uow.scope.contains(area) else "", code, relation) if part)


def _plainly_right(uow: Uow, keys: TenantKeys, record: Any, key: str) -> bool:
    if key == "id_number" and record.id_number is not None:
        number = in_full(keys, uow.tenant_id, ID_NUMBER, record.id_number)
        return check_digit(number[:17]) == number[17]
    return key == "state" and record.state == "active"


def _best(right: Sequence[bool]) -> str:
    return {(True, False): "first", (False, True): "second"}.get((right[0], right[1]), "")


def _own(uow: Uow, kind: str, first: Any, second: Any, origins: Sequence[Mapping[str, Origin]]) -> Iterator[Fact]:
    values = values_of(uow, kind, [first, second])
    for one, other in zip(values[first.id], values[second.id], strict=True):
        key = f"{CUSTOM}{one.field.key}"
        sides = [
            Side(str(v.label), v.field.type in ("text", "choice"), origin.get(key, origin[""]))
            for v, origin in zip((one, other), origins, strict=True)
        ]
        yield Fact(key, pick(one.field.name, one.field.name_en), sides[0], sides[1], one.value == other.value)


def _raw(record: Any, key: str) -> Any:
    if key in (ID_NUMBER, PHONE):
        return getattr(record, f"{key}_index")
    if key == "state":
        return (record.state, record.left_on)
    return getattr(record, key)


def _shown(uow: Uow, keys: TenantKeys, record: Any, key: str) -> tuple[Any, bool]:
    """(text, whether it is data)"""
    value = _raw(record, key)
    if key in (ID_NUMBER, PHONE):
        return masked(keys, uow.tenant_id, key, getattr(record, key)), False
    if key == "state":
        return f"{PERSON_STATES.get(record.state, record.state)} {record.left_on or ''}".strip(), False
    if key == "area_code":
        return " · ".join(name for _code, name in paths(uow, [value]).get(value, [])), True
    table = {"sex": SEX, "nationality": NATIONALITIES}.get(key)
    if table is not None:
        return (table.label(str(value)) if value else ""), False
    return ("" if value is None else str(value)), key in ("name", "note", "address")


def _origins(uow: Uow, record: Any) -> dict[str, Origin]:
    """By fact, the newest act that set it; under "" where the record as a whole came from. What a merge took from
    another record has that record's."""
    kind = record.__tablename__
    statement = (
        select(AuditEntry)
        .where(AuditEntry.object_type == kind, AuditEntry.object_id == record.id, AuditEntry.after.is_not(None))
        .order_by(AuditEntry.id.desc())
        .limit(200)
    )
    found: dict[str, Origin] = {}
    with uow.tenant_wide("entries about a record lie where it then lay"):
        entries = list(uow.session.scalars(statement))
    undone: list[int] = []
    for entry in entries:
        origin, after = Origin(entry.action, entry.actor_name, entry.at), entry.after or {}
        loser = int(after.get("loser_id") or 0)
        if entry.action == f"{kind}.unfold" and loser:
            undone.append(loser)
        elif entry.action == f"{kind}.fold" and loser in undone:
            undone.remove(loser)
        elif entry.action == f"{kind}.fold" and after.get("fields"):
            theirs = _taken_from(uow, type(record), loser)
            for name in after["fields"]:
                told = name if name in PLAIN[kind] else f"{CUSTOM}{name}"
                found.setdefault(told, theirs.get(told) or theirs.get("", origin))
        for key in after:
            for told in _TOLD.get(key, (key,)):
                found.setdefault(told, origin)
        if entry.action.endswith(".add"):
            found.setdefault("", origin)
    if "" not in found:
        action = f"{kind}.import" if record.import_batch_id else f"{kind}.add"
        found[""] = Origin(action, "", record.created_at, record.import_batch_id)
    return found


def _taken_from(uow: Uow, model: Any, loser: int) -> dict[str, Origin]:
    with uow.tenant_wide("a record that became part of another lies where that lay then"):
        record = uow.session.scalars(select(model).where(model.id == loser)).one_or_none()
    return _origins(uow, record) if record is not None else {}
