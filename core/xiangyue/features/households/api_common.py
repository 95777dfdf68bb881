"""Parts the API's modules share: keys, answers with one record, what stands in the audit trail for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, redirect, url_for

from xiangyue.access.crypto import TenantKeys
from xiangyue.api.lists import chosen_fields, set_etag
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.households import queries, schemas, service_records
from xiangyue.features.households.api_words import household_json, person_json
from xiangyue.features.households.listing import mark_rights
from xiangyue.features.households.queries import HouseholdView
from xiangyue.features.households.queries_persons import PartOfAnother, PersonView, person_view, survivor_of
from xiangyue.web.pipeline import current_tenant, current_uow, runtime


def tenant_keys() -> TenantKeys:
    return runtime().tenant_keys(current_uow())


def allow_synthetic() -> bool:
    """Whether the county lets made-up people with wrong check digits in."""
    return bool(current_tenant().settings.get("allow_synthetic_people"))


def lost_update(error: Stale) -> PreconditionFailed:
    """The same as HTTP says it: If-Match failed."""
    return PreconditionFailed(error.message, theirs=error.theirs)


def take_ids(items: list[dict[str, Any]], *, keep: bool) -> list[int]:
    """Ids of the rows, which are read with them; ``keep``: they were asked for."""
    return [row["id"] if keep else row.pop("id") for row in items]


def note_sensitive_list(
    items: list[dict[str, Any]], area: int, asked: Sequence[str], *, ids: Sequence[int], of_persons: bool
) -> None:
    """One audit entry for a list that showed sensitive marks, in its rows or by what was ``asked`` for; ``ids`` of
    those who were shown, persons or households, whose logs it stands in."""
    with_marks = items if items and "marks" in items[0] else []
    told = {key for item in with_marks for key in item["marks"]}.union(asked)
    if told:
        marks = sorted(told.intersection(mark_rights(current_uow()).sensitive))
        _note("household", None, "", area, marks, **{"persons" if of_persons else "households": ids})


def _note(
    object_type: str, object_id: int | None, label: str, area_code: int, marks: list[str], **shown: Sequence[int]
) -> None:
    if marks:
        service_records.note_sensitive_read(
            current_uow(),
            object_type=object_type,
            object_id=object_id,
            label=label,
            area_code=area_code,
            marks=marks,
            **shown,
        )


def moved_on(endpoint: str, name: str, merged: PartOfAnother) -> Response:
    """On to the record that a merged one is part of; 404 outside the caller's area. Temporary, for a merge can be
    undone."""
    values: dict[str, Any] = {name: survivor_of(current_uow(), merged)}
    return make_response(redirect(url_for(endpoint, **values), 307))


def read_household(household_id: int) -> HouseholdView:
    """The household; that sensitive marks were shown stands in the audit trail."""
    view = queries.household_view(current_uow(), tenant_keys(), household_id)
    household = view.household
    _note("household", household.id, household.head_name, household.area_code, view.sensitive)
    return view


def read_person(person_id: int) -> PersonView:
    """The person, noted in the same way."""
    view = person_view(current_uow(), tenant_keys(), person_id)
    person = view.person
    _note("person", person.id, person.name, person.area_code, view.sensitive)
    return view


def one_household(household_id: int, status: int = 200) -> Response:
    view = read_household(household_id)
    return set_etag(make_response(jsonify(household_json(view)), status), view.household.version)


def one_person(person_id: int, status: int = 200) -> Response:
    view = read_person(person_id)
    return set_etag(make_response(jsonify(person_json(view)), status), view.person.version)


def with_own(entity: str, asked: str | None, known: Sequence[str]) -> tuple[list[str], list[str]]:
    """(fields of the list, ``custom.<key>`` of own fields) of the parameter ``fields``; ``custom`` means all in use.
    Raises Invalid on ``fields`` for what there is not."""
    names = [name.strip() for name in (asked or "").split(",") if name.strip()]
    own = [name for name in names if name.startswith(schemas.CUSTOM)]
    if "custom" in names:
        own = [f"{schemas.CUSTOM}{field.key}" for field in queries.custom_fields(current_uow(), entity)]
    rest = [name for name in names if name != "custom" and not name.startswith(schemas.CUSTOM)]
    return (chosen_fields(",".join(rest), known) if rest else []), own


def nest_own(items: list[dict[str, Any]], own: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with the values of own fields under ``custom``, as in a record."""
    for item in items:
        item["custom"] = {name.removeprefix(schemas.CUSTOM): item.pop(name) for name in own}
    return items
