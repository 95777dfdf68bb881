"""Conditions of the lists of households and persons, read from the parameters of a page or of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from xiangyue.errors import Invalid
from xiangyue.features.households.schemas import CUSTOM, HouseholdConditions, PersonConditions
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.offer import Contributor

Custom = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """A condition of a plugin or another feature as SQL on the household ``h``; see ``offered``."""

    key: str
    label: Any
    contributor: Contributor
    sql: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HouseholdFilter:
    """``area``: 15 digits, 0 for all. ``marks`` must all hold. Income bounds in whole yuan, without ``income_year``
    about the latest recorded year. ``awarded``: yes, no or none (nothing recorded). ``custom``: (key, text)."""

    area: int = 0
    q: str = ""
    marks: tuple[str, ...] = ()
    state: str = "active"
    away: bool | None = None
    has_head: bool | None = None
    min_persons: int | None = None
    max_persons: int | None = None
    income_year: int | None = None
    income_min: int | None = None
    income_max: int | None = None
    award: str = ""
    award_year: int | None = None
    awarded: str = "yes"
    batch: int | None = None
    custom: Custom = ()
    offered: tuple[Offered, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """``sex``, ``nationality`` and ``relation`` are codes; ages in full years; ``household`` an id."""

    area: int = 0
    q: str = ""
    marks: tuple[str, ...] = ()
    state: str = "active"
    away: bool | None = None
    sex: str = ""
    nationality: str = ""
    relation: str = ""
    min_age: int | None = None
    max_age: int | None = None
    household: int | None = None
    care: str = ""
    batch: int | None = None
    custom: Custom = ()


_HOUSEHOLD = HouseholdConditions(unknown=EXCLUDE)
_PERSON = PersonConditions(unknown=EXCLUDE)
_YES_NO = {"yes": True, "no": False}


def household_filter(args: Mapping[str, Any]) -> HouseholdFilter:
    """Conditions from the parameters of a URL (a MultiDict or plain mapping). Blank ones count as missing, parameters
    of other parts of the page are passed over. Raises Invalid by parameter name."""
    return household_conditions(_load(_HOUSEHOLD, args), args)


def person_filter(args: Mapping[str, Any]) -> PersonFilter:
    """The same for persons."""
    return person_conditions(_load(_PERSON, args), args)


def household_conditions(loaded: Mapping[str, Any], args: Mapping[str, Any]) -> HouseholdFilter:
    """From what ``HouseholdConditions`` has loaded already; ``args`` for the county's own fields."""
    return HouseholdFilter(**_common(loaded, args, _HOUSEHOLD))


def person_conditions(loaded: Mapping[str, Any], args: Mapping[str, Any]) -> PersonFilter:
    """From what ``PersonConditions`` has loaded already."""
    return PersonFilter(**_common(loaded, args, _PERSON))


def _common(loaded: Mapping[str, Any], args: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    values = {name: loaded[name] for name in schema.fields if name != "mark"}
    values["marks"] = tuple(dict.fromkeys(key for item in loaded["mark"] for key in item.split(",") if key))
    for name in ("away", "has_head"):
        if name in values:
            values[name] = _YES_NO.get(loaded[name])
    values["q"] = loaded["q"].strip()
    values["custom"] = tuple(
        (name.removeprefix(CUSTOM), str(args[name]).strip())
        for name in args
        if name.startswith(CUSTOM) and str(args[name]).strip()
    )
    return values


def _load(schema: Schema, args: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in args:
        if name not in schema.fields:
            continue
        values = args.getlist(name) if hasattr(args, "getlist") else args[name]
        kept = [str(v).strip() for v in (values if isinstance(values, list | tuple) else [values])]
        kept = [v for v in kept if v]
        if kept:
            given[name] = kept if name == "mark" else kept[0]
    try:
        loaded: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        # marshmallow's own words are English only
        raise Invalid({str(name): [_l("This value cannot be used here.")] for name in error.messages_dict}) from None
    return loaded
