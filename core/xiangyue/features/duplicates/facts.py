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
from xiangyue.features.households.models import Household, Person
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX
from xiangyue.text.idnumber import check_digit

#: Facts of each kind that one may choose of; ``home``: household, relation, whether and since when here.
PLAIN = {
    policy.PERSON: ("name", "id_number", "phone", "sex", "birth_date", "nationality", "home", "away", "note"),
    policy.HOUSEHOLD: ("address", "area_code", "note"),
}
LABELS: dict[str, Any] = {
    "name": _l("Full name"),
    "id_number": _l("Citizen number"),
    "phone": _l("Phone"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "home": _l("Household and relation"),
    "away": _l("Away"),
    "note": _l("Note"),
    "address": _l("Address"),
    "area_code": _l("Village or group"),
}
HOME = ("household_id", "relation", "state", "left_on", "left_reason")
CUSTOM = "custom."
_PERSON_STATES = {"active": _l("Lives here"), "moved": _l("Moved away"), "deceased": _l("Deceased")}


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
    """``same``: nothing to choose. ``better``: first or second, the guess that is ticked when the first survives, and
    when the second does."""

    key: str
    label: Any
    first: Side
    second: Side
    same: bool

    def better(self, keep: str) -> str:
        """``keep``: whose record stays; its value, unless it has none or the other's number alone is right."""
        mine, other = (self.first, self.second) if keep == "first" else (self.second, self.first)
        return keep if mine.text or not other.text else ("second" if keep == "first" else "first")


def facts_of(uow: Uow, keys: TenantKeys, kind: str, first: Any, second: Any) -> list[Fact]:
    """Every fact of both, chosen ones first, then the county's own fields; identifiers masked."""
    origins = [_origins(uow, record) for record in (first, second)]
    found = []
    for key in PLAIN[kind]:
        values = [_raw(record, key) for record in (first, second)]
        sides = [
            Side(*_shown(uow, keys, record, key), origin.get(key, origin[""]))
            for record, origin in zip((first, second), origins, strict=True)
        ]
        found.append(Fact(key, LABELS[key], sides[0], sides[1], values[0] == values[1]))
    return [*found, *_own(uow, kind, first, second, origins)]


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
    if key == "home":
        return tuple(getattr(record, name) for name in HOME)
    return getattr(record, key)


def _shown(uow: Uow, keys: TenantKeys, record: Any, key: str) -> tuple[Any, bool]:
    """(text, whether it is data)"""
    value = _raw(record, key)
    if key in (ID_NUMBER, PHONE):
        return masked(keys, uow.tenant_id, key, getattr(record, key)), False
    if key == "home":
        return _home(uow, record), True
    if key == "area_code":
        return " · ".join(name for _code, name in paths(uow, [value]).get(value, [])), True
    if key == "away":
        return (_l("Yes") if value else _l("No")), False
    table = {"sex": SEX, "nationality": NATIONALITIES}.get(key)
    if table is not None:
        return (table.label(str(value)) if value else ""), False
    return ("" if value is None else str(value)), key in ("name", "note", "address")


def _home(uow: Uow, person: Person) -> str:
    home = uow.get(Household, person.household_id)
    parts = [home.head_name, home.code, RELATIONS.label(person.relation) if person.relation else ""]
    if person.state != "active":
        parts.append(f"{_PERSON_STATES.get(person.state, person.state)} {person.left_on or ''}".strip())
    return " · ".join(part for part in parts if part)


def _origins(uow: Uow, record: Any) -> dict[str, Origin]:
    """By fact, the newest act that set it; under "" where the record as a whole came from."""
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
    for entry in entries:
        origin = Origin(entry.action, entry.actor_name, entry.at)
        for key in entry.after or {}:
            found.setdefault("home" if key in HOME else key, origin)
        if entry.action.endswith(".add"):
            found.setdefault("", origin)
    if "" not in found:
        action = f"{kind}.import" if record.import_batch_id else f"{kind}.add"
        found[""] = Origin(action, "", record.created_at, record.import_batch_id)
    return found


def right_number(uow: Uow, keys: TenantKeys, person: Person) -> bool | None:
    """Whether the citizen number's check digit is right; None without a number."""
    if person.id_number is None:
        return None
    number = in_full(keys, uow.tenant_id, ID_NUMBER, person.id_number)
    return check_digit(number[:17]) == number[17]
