"""Organisations, posts and holders as the API's schemas have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.features.areas.queries import code_text
from xiangyue.features.organisations import schemas
from xiangyue.features.organisations.holders import Holding, Seats
from xiangyue.features.organisations.models import Organisation, OrganisationElection, OrganisationKind
from xiangyue.features.organisations.queries_person import Held

ORGANISATION = tuple(schemas.OrganisationSchema().fields)
_POST = tuple(name for name in schemas.PostSchema().fields if name not in ("missing", "holders"))
_HOLDER = tuple(schemas.HolderSchema().fields)
_ELECTION = tuple(schemas.ElectionSchema().fields)
_KIND = tuple(schemas.KindSchema().fields)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _of(row: Any, names: tuple[str, ...], made: Mapping[str, Any]) -> dict[str, Any]:
    return _plain({name: made[name] if name in made else getattr(row, name) for name in names})


def organisation(row: Organisation) -> dict[str, Any]:
    """As OrganisationSchema."""
    made = {"kind": row.kind_key, "area": code_text(row.area_code), "card": row.card_token is not None}
    return _of(row, ORGANISATION, made)


def post(seats: Seats, *, full: bool) -> dict[str, Any]:
    """As PostSchema."""
    return {
        **_of(seats.post, _POST, {}),
        "missing": seats.missing,
        "holders": [holder(one, full=full) for one in seats.holdings],
    }


def holder(one: Holding, *, full: bool) -> dict[str, Any]:
    """As HolderSchema. ``full``: with the doubts, which speak of relatives."""
    row = one.row
    made = {"name": one.name, "unit": row.outsider_unit, "gone": one.gone}
    if not full:
        made |= {"doubt": [], "doubt_reason": ""}  # type: ignore[dict-item]
    return _of(row, _HOLDER, made)


def held(one: Held, name: str) -> dict[str, Any]:
    """As PersonPostSchema."""
    made = {"name": name, "unit": "", "gone": "", "doubt": [], "doubt_reason": ""}
    return {
        **_of(one.row, _HOLDER, made),
        "organisation_id": one.organisation.id,
        "organisation": one.organisation.name,
        "post": one.post.name,
    }


def election(row: OrganisationElection) -> dict[str, Any]:
    """As ElectionSchema."""
    return _of(row, _ELECTION, {})


def kind(row: OrganisationKind) -> dict[str, Any]:
    """As KindSchema."""
    return _of(row, _KIND, {})
