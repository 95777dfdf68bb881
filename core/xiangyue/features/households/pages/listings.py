"""Lists of households and persons as their addresses ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import redirect, request

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, PurposeNeeded
from xiangyue.features.households import queries
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter, household_filter, person_filter
from xiangyue.features.households.models import CustomField, MarkKind
from xiangyue.features.households.offered import Asked, Failure, asked_conditions, offered_columns
from xiangyue.features.households.pages.addresses import list_view
from xiangyue.features.households.pages.common import (
    code_choices,
    kind_name,
)
from xiangyue.features.households.pages.own_columns import (
    YES_NO,
    by_column,
    own_columns,
    own_fields,
    own_filters,
    own_shown,
)
from xiangyue.features.households.service_records import note_sensitive_read
from xiangyue.features.households.words import HOUSEHOLD_STATES, PERSON_STATES
from xiangyue.features.privacy.policy_care import CARE_VIEW, CARED, LIVING
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import HouseholdColumn
from xiangyue.text.chinese import has_han
from xiangyue.text.codes import NATIONALITIES, SEX
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.shell import say_unusable

HOUSEHOLD_COLUMNS = (
    Column("name", _l("Household head"), sort=True, primary=True),
    Column("place", _l("Village · group")),
    Column("size", _l("Household size"), numeric=True, sort=True),
    Column("away", _l("Away"), numeric=True),
    Column("marks", _l("Marks")),
    Column("address", _l("Address"), default=False),
    Column("location", _l("Location"), default=False),
    Column("income", _l("Latest income (yuan)"), numeric=True, default=False),
    Column("code", _l("Household number"), sort=True, default=False),
    Column("state", _l("State"), default=False),
    Column("left", _l("Left on"), default=False),
    Column("updated", _l("Last change"), sort=True, default=False),
)
PERSON_COLUMNS = (
    Column("name", _l("Full name"), sort=True, primary=True),
    Column("household", _l("Household"), sort=True),
    Column("place", _l("Village · group")),
    Column("relation", _l("Relation to head")),
    Column("sex", _l("Sex")),
    Column("birth_date", _l("Age"), numeric=True, sort=True),
    Column("marks", _l("Marks")),
    Column("away", _l("Away")),
    Column("id_number", _l("Citizen number"), default=False),
    Column("phone", _l("Phone"), default=False),
    Column("nationality", _l("Nationality"), default=False),
    Column("state", _l("State"), default=False),
    Column("left", _l("Left on"), default=False),
    Column("updated", _l("Last change"), sort=True, default=False),
)
#: What a column needs of the row, by list.
HOUSEHOLD_NEEDS = {
    "place": ["area_name"], "size": ["person_count"], "away": ["away_count"], "marks": ["marks"],
    "address": ["address"], "location": ["location"], "income": ["income", "income_year"], "state": ["state"],
    "left": ["left_on", "left_reason"], "updated": ["updated_at"],
}  # fmt: skip
PERSON_NEEDS = {
    "household": ["household_id", "head_name", "household_code"], "place": ["area_name"], "relation": ["relation"],
    "sex": ["sex"], "birth_date": ["birth_date"], "marks": ["marks"], "away": ["away"], "id_number": ["id_number"],
    "phone": ["phone"], "nationality": ["nationality"], "state": ["state"],
    "left": ["left_on", "left_reason"], "updated": ["updated_at"],
}  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """A list as its address asks for it."""

    view: ListView
    filter: Any
    fields: list[str]
    marks: dict[str, MarkKind]
    problems: dict[str, list[Any]]
    #: Offered conditions that were asked for and failed before the list was read.
    failed: Sequence[Failure] = ()
    #: The offered columns that are shown.
    offered: Sequence[tuple[Contributor, HouseholdColumn]] = ()
    #: The county's own fields by their columns.
    own: Mapping[str, CustomField] = field(default_factory=dict)


def household_listing(uow: Uow, kept: Any | None = None) -> Listing:
    """The list of households at the present address (or at one that was ``kept``, by its parameters); wrong conditions
    are named and left out."""
    args = request.args if kept is None else kept
    marks = {k.key: k for k in queries.mark_kinds(uow)}
    own = own_fields(uow, "household", args)
    filters = (
        Filter("q", _l("Name, pinyin or number"), kind="text"),
        Filter("mark", _l("Mark"), choices=[(k.key, kind_name(k)) for k in marks.values()], data=_chinese(marks)),
        Filter("away", _l("Somebody away"), choices=YES_NO),
        Filter("has_head", _l("Has a head"), choices=YES_NO, more=True),
        Filter("min_persons", _l("Persons from"), kind="number", more=True),
        Filter("max_persons", _l("Persons up to"), kind="number", more=True),
        Filter("income_year", _l("Income of the year"), kind="number", more=True),
        Filter("income_min", _l("Income from (yuan)"), kind="number", more=True),
        Filter("income_max", _l("Income up to (yuan)"), kind="number", more=True),
        Filter("award", _l("Award"), choices=[(k.key, kind_name(k)) for k in queries.award_kinds(uow)], more=True),
        Filter("award_year", _l("Award of the year"), kind="number", more=True),
        Filter(
            "awarded",
            _l("Awarded"),
            choices=[("yes", _l("Won")), ("no", _l("Not awarded")), ("none", _l("Not recorded"))],
            more=True,
        ),
        Filter("state", _l("State"), choices=[*HOUSEHOLD_STATES.items(), ("all", _l("All states"))], more=True),
        Filter("batch", _l("Import number"), kind="number", more=True),
        *own_filters(own, args),
    )
    asked = asked_conditions(uow, args, bar=True)
    offered = offered_columns(uow)
    more = [Column(item.key, item.label, default=False) for _whose, item in offered]
    columns = (*HOUSEHOLD_COLUMNS, *own_columns(own), *more)
    view = list_view(columns, (*filters, *_offered(asked)), "households.filter_households", kept)
    wanted, problems = _read(view, household_filter, HouseholdFilter())
    fields = ["id", "code", "head_name", "has_head", "state", *_needs(view, HOUSEHOLD_NEEDS), *own_shown(view)]
    shown = [pair for pair in offered if pair[1].key in {column.key for column in view.visible}]
    return Listing(
        view,
        replace(wanted, offered=tuple(asked.conditions)),
        list(dict.fromkeys([*fields, "area_code"] if shown else fields)),
        marks,
        {**problems, **asked.problems},
        asked.failed,
        shown,
        by_column(own),
    )


def _offered(asked: Asked) -> list[Filter]:
    """Conditions of plugins in the filter bar; their words may be the county's own, in Chinese."""
    return [
        Filter(item.key, item.label, choices=choices, data=any(has_han(label) for _value, label in choices))
        for item, choices in asked.choices
    ]


def person_listing(uow: Uow, kept: Any | None = None) -> Listing:
    """The list of persons, likewise."""
    args = request.args if kept is None else kept
    marks = {k.key: k for k in queries.mark_kinds(uow)}
    own = own_fields(uow, "person", args)
    filters = (
        Filter("q", _l("Name, pinyin or number"), kind="text"),
        Filter("mark", _l("Mark"), choices=[(k.key, kind_name(k)) for k in marks.values()], data=_chinese(marks)),
        Filter("away", _l("Away"), choices=YES_NO),
        Filter("min_age", _l("Age from"), kind="number", more=True),
        Filter("max_age", _l("Age up to"), kind="number", more=True),
        Filter("care", _l("Old people and children"), choices=_care_choices(uow), more=True),
        Filter("sex", _l("Sex"), choices=[c for c in code_choices(SEX) if c[0] in ("1", "2")], more=True),
        Filter("nationality", _l("Nationality"), choices=code_choices(NATIONALITIES), more=True),
        Filter("state", _l("State"), choices=[*PERSON_STATES.items(), ("all", _l("All states"))], more=True),
        Filter("batch", _l("Import number"), kind="number", more=True),
        *own_filters(own, args),
    )
    view = list_view((*PERSON_COLUMNS, *own_columns(own)), filters, "households.filter_persons", kept)
    wanted, problems = _read(view, person_filter, PersonFilter())
    fields = ["id", "name", "state", *_needs(view, PERSON_NEEDS), *own_shown(view)]
    return Listing(view, wanted, list(dict.fromkeys(fields)), marks, problems, own=by_column(own))


def _care_choices(uow: Uow) -> list[tuple[str, Any]]:
    known = {**LIVING, **CARED} if uow.actor.can(CARE_VIEW) else LIVING
    return list(known.items())


def _chinese(kinds: dict[str, MarkKind]) -> bool:
    return any(not k.name_en for k in kinds.values())


def _needs(view: ListView, needs: dict[str, list[str]]) -> list[str]:
    return [name for column in view.visible for name in needs.get(column.key, ())]


def _read(view: ListView, reader: Any, empty: Any) -> tuple[Any, dict[str, list[Any]]]:
    try:
        return reader(view.args), {}
    except Invalid as invalid:
        kept = {k: v for k, v in view.args.items() if k not in invalid.fields}
        try:
            return reader(kept), invalid.fields
        except Invalid:
            return empty, invalid.fields


def note_filter(uow: Uow, listing: Listing, rows: Sequence[Mapping[str, Any]]) -> None:
    """Looking for people by a sensitive mark is reading it, so it stands in the audit trail and in the logs of those
    who were shown (``rows``)."""
    found = [key for key in listing.filter.marks if key in listing.marks and _sensitive(listing.marks[key])]
    if found:
        ids = [row["id"] for row in rows]
        note_sensitive_read(
            uow,
            object_type="list",
            object_id=None,
            label=request.path,
            area_code=listing.filter.area,
            marks=found,
            persons=ids if isinstance(listing.filter, PersonFilter) else (),
            households=() if isinstance(listing.filter, PersonFilter) else ids,
        )


def without(listing: Listing, invalid: Invalid) -> Any:
    """On to the same list without the conditions that cannot be used, saying so."""
    if isinstance(invalid, PurposeNeeded):
        raise invalid
    names = {n for name in invalid.fields for n in (("after", "before") if name == "cursor" else (name,))}
    target = listing.view.url(**dict.fromkeys(names))
    if target == listing.view.url():
        raise invalid
    labels = {spec.name: spec.label for spec in listing.view.filters}
    for name, messages in invalid.fields.items():
        say_unusable(labels.get(name, name), " ".join(str(m) for m in messages))
    return redirect(target)


def _sensitive(kind: MarkKind) -> bool:
    return kind.sensitivity != "normal"


def shown_marks(listing: Listing, keys_of_row: Sequence[str]) -> list[MarkKind]:
    """The marks a row shows: sensitive ones only when they were looked for, for a list is read over shoulders."""
    kinds = [listing.marks[key] for key in keys_of_row if key in listing.marks]
    return sorted(
        (k for k in kinds if not _sensitive(k) or k.key in listing.filter.marks), key=lambda k: (k.position, k.id)
    )
