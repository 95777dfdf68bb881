"""Writes on organisations and their posts. Nothing here commits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.areas.queries import find_area, parse_code
from xiangyue.features.households.writing import required_text
from xiangyue.features.organisations import inputs, policy, queries
from xiangyue.features.organisations.checks import check_kind, refuse
from xiangyue.features.organisations.dates import add_years
from xiangyue.features.organisations.events import tell
from xiangyue.features.organisations.models import Organisation, OrganisationElection, Post, PostHolder
from xiangyue.features.organisations.steps import ORGANISATION_COLUMNS, locked, refuse_dissolved
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.pinyin import sort_key


@acts(policy.EDIT)
def create_organisation(uow: Uow, *, values: Mapping[str, Any]) -> Organisation:
    """Record an organisation with the posts of its kind. ``values``: ``kind`` (key), ``area`` (a code of 6, 9, 12 or 15
    digits) and columns of Organisation. Without ``term_years`` those of the kind hold; with ``term_from`` and without
    ``term_until`` the term ends after so many years. Raises Invalid by field."""
    errors: dict[str, list[Any]] = {}
    kind = queries.kind_of(uow, str(values.get("kind") or ""))
    area = None
    try:
        area = find_area(uow, parse_code(str(values.get("area") or "")))
    except NotFound:
        errors["area"] = [_l("Choose an area of yours.")]
    if area is not None:
        errors |= check_kind(uow, kind, area.level)
    given = dict(values)
    if kind is not None and not str(given.get("term_years") or "").strip():
        given["term_years"] = kind.term_years
    found = _clean(uow, given, errors, area=area.area_code if area is not None else 0)
    refuse(errors)
    if kind is None or area is None:  # said above
        raise Invalid({"kind": [_l("Choose one of the options.")]})
    _check_name(uow, found["name"], area.area_code)
    organisation = Organisation(
        kind_key=kind.key,
        level=area.level,
        area_code=area.area_code,
        sort_key=sort_key(found["name"], person=False),
        **found,
    )
    uow.session.add(organisation)
    uow.session.flush()
    for post in queries.post_kinds(uow, kind.key):
        uow.session.add(
            Post(
                organisation_id=organisation.id,
                key=post.key.partition(".")[2],
                name=post.name,
                name_en=post.name_en,
                seats_min=post.seats_min,
                seats_max=post.seats_max,
                lead=post.lead,
                position=post.position,
            )
        )
    audit(uow, action="organisation.add", obj=organisation, label=organisation.name, after={"kind": kind.name, **found})
    uow.session.flush()
    return organisation


@acts(policy.EDIT)
def edit_organisation(uow: Uow, *, id: int, version: int, values: Mapping[str, Any]) -> Organisation:
    """Change what is said of it; its kind and area stay. What is left out stays. Raises NotFound, Invalid."""
    organisation = locked(uow, id, version)
    before = {name: getattr(organisation, name) for name in ORGANISATION_COLUMNS}
    errors: dict[str, list[Any]] = {}
    found = _clean(uow, {**before, **values}, errors, area=organisation.area_code, own=id)
    dissolved = organisation.dissolved_on
    if found["founded_on"] is not None and dissolved is not None and found["founded_on"] > dissolved:
        errors["founded_on"] = [_l("It was dissolved before.")]
    refuse(errors)
    if found["name"] != organisation.name:
        _check_name(uow, found["name"], organisation.area_code, but=id)
    old, new = changed(before, found)
    if new:
        for name, value in new.items():
            setattr(organisation, name, value)
        organisation.sort_key = sort_key(organisation.name, person=False)
        organisation.version += 1
        audit(uow, action="organisation.edit", obj=organisation, label=organisation.name, before=old, after=new)
        uow.session.flush()
    return organisation


def _clean(
    uow: Uow, values: Mapping[str, Any], errors: dict[str, list[Any]], *, area: int, own: int = 0
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": inputs.words(values, "name", policy.NAME_LENGTH, errors, required=True),
        "parent_id": inputs.whole(values, "parent_id", errors, most=2**62),
        "founded_on": inputs.day(values, "founded_on", errors),
        "term_years": inputs.whole(values, "term_years", errors, least=1, most=20),
        "term_from": inputs.day(values, "term_from", errors),
        "term_until": inputs.day(values, "term_until", errors),
        "registration_code": inputs.registration_code(values, errors),
        "card_text": inputs.words(values, "card_text", policy.TEXT_LENGTH, errors),
        "card_phone": inputs.words(values, "card_phone", 40, errors),
        "note": inputs.words(values, "note", policy.NOTE_LENGTH, errors),
    }
    since, until = found["term_from"], found["term_until"]
    if since is not None and until is None and found["term_years"] is not None:
        found["term_until"] = add_years(since, found["term_years"])
    elif since is not None and until is not None and until <= since:
        errors["term_until"] = [_l("The term ends before it begins.")]
    if found["parent_id"] is not None and area and found["parent_id"] != values.get("parent_was"):
        allowed = {int(key) for key, _name in queries.parent_choices(uow, area, but=own)}
        if found["parent_id"] not in allowed or _goes_round(uow, found["parent_id"], own):
            errors["parent_id"] = [
                _l("Choose an organisation of the same area or one above it, and none below this one.")
            ]
    return found


def _goes_round(uow: Uow, parent: int, own: int) -> bool:
    """Whether ``own`` stands somewhere above ``parent``."""
    seen: set[int] = set()
    with uow.tenant_wide("the organisations above may lie above the reader's area"):
        up: int | None = parent
        while up is not None and own and up not in seen:
            if up == own:
                return True
            seen.add(up)
            up = uow.session.scalars(select(Organisation.parent_id).where(Organisation.id == up)).one_or_none()
    return False


def _check_name(uow: Uow, name: str, area: int, *, but: int = 0) -> None:
    same = select(Organisation.id).where(
        Organisation.area_code == area,
        Organisation.name == name,
        Organisation.dissolved_on.is_(None),
        Organisation.id != but,
    )
    if uow.session.scalars(same).first() is not None:
        raise Invalid({"name": [_l("There is an organisation of this name there already.")]})


@acts(policy.EDIT)
def dissolve_organisation(uow: Uow, *, id: int, version: int, on: Any, reason: str) -> Organisation:
    """It is no more from the day ``on``; whoever holds a post of it leaves it then. Raises NotFound, Invalid,
    Conflict while others stand below it or somebody takes up a post later."""
    organisation = locked(uow, id, version)
    refuse_dissolved(organisation)
    errors: dict[str, list[Any]] = {}
    day = inputs.day({"on": on}, "on", errors, required=True)
    refuse(errors)
    assert day is not None
    why = required_text(reason, "reason", least=2)
    if organisation.founded_on is not None and day < organisation.founded_on:
        raise Invalid({"on": [_l("It was founded on %(day)s.", day=organisation.founded_on.isoformat())]})
    if below := queries.children_of(uow, id, day):
        names = "、".join(child.name for child in below[:5])
        raise Conflict(_l("These stand below it: %(names)s. Dissolve them first or put them elsewhere.", names=names))
    rows = _standing(uow, id, day)
    if any(row.valid_from >= day for row in rows):
        raise Conflict(
            _l("Somebody takes up a post on that day or later. Take that entry out first, or choose a later day.")
        )
    for row in rows:
        row.valid_to, row.end_reason = day, policy.DISSOLVED
        row.version += 1
        tell(uow, row, "post_holder.end")
    organisation.dissolved_on, organisation.dissolved_reason = day, why
    organisation.version += 1
    after = {"on": day, "count": len(rows)}
    audit(uow, action="organisation.dissolve", obj=organisation, label=organisation.name, after=after, purpose=why)
    uow.session.flush()
    return organisation


def _standing(uow: Uow, id: int, day: date) -> list[PostHolder]:
    """Holders on the day or later, locked."""
    statement = select(PostHolder).where(
        PostHolder.organisation_id == id, (PostHolder.valid_to.is_(None)) | (PostHolder.valid_to > day)
    )
    return list(uow.session.scalars(statement.with_for_update()))


@acts(policy.EDIT)
def remove_organisation(uow: Uow, *, id: int, version: int, reason: str) -> None:
    """Take out an organisation that was recorded by mistake, with its posts; the audit trail keeps what it said.

    Raises NotFound, Stale, Invalid, Conflict that says what was built on it: entries about posts, terms,
    organisations below.
    """
    organisation = locked(uow, id, version)
    why = required_text(reason, "reason", least=2)
    undone = delete(OrganisationElection).where(
        OrganisationElection.organisation_id == id, OrganisationElection.state == "undone"
    )
    uow.session.execute(undone, execution_options={"synchronize_session": False})
    if built := queries.built_on(uow, id):
        listed = join_words((f"{label} {number}" for label, number in built), "; ")
        text = _l("Something hangs on it already: %(listed)s. Take that out first, or dissolve it.", listed=listed)
        raise Conflict(text)
    before = {"kind": organisation.kind_key, **{name: getattr(organisation, name) for name in ORGANISATION_COLUMNS}}
    told = {name: value for name, value in before.items() if value not in (None, "")}
    audit(uow, action="organisation.remove", obj=organisation, label=organisation.name, before=told, purpose=why)
    posts = delete(Post).where(Post.organisation_id == id)
    uow.session.execute(posts, execution_options={"synchronize_session": False})
    uow.session.delete(organisation)
    uow.session.flush()


@acts(policy.EDIT)
def reopen_organisation(uow: Uow, *, id: int, version: int) -> Organisation:
    """Take a dissolution back, with the posts that it ended. Raises NotFound, Conflict."""
    organisation = locked(uow, id, version)
    if organisation.dissolved_on is None:
        return organisation
    _check_name(uow, organisation.name, organisation.area_code, but=id)
    rows = uow.session.scalars(
        select(PostHolder).where(
            PostHolder.organisation_id == id,
            PostHolder.end_reason == policy.DISSOLVED,
            PostHolder.valid_to == organisation.dissolved_on,
        )
    )
    for row in rows:
        row.valid_to, row.end_reason = None, ""
        row.version += 1
        tell(uow, row, "post_holder.edit")
    before = {"on": organisation.dissolved_on}
    organisation.dissolved_on, organisation.dissolved_reason = None, ""
    organisation.version += 1
    audit(uow, action="organisation.reopen", obj=organisation, label=organisation.name, before=before)
    uow.session.flush()
    return organisation


@acts(policy.EDIT)
def set_card(uow: Uow, *, id: int, version: int, open: bool) -> Organisation:
    """Open or close the public card: names and posts at an address that nobody guesses. Raises NotFound,
    Conflict for a kind of which no rule makes them known."""
    organisation = locked(uow, id, version)
    kind = queries.kind_of(uow, organisation.kind_key)
    if open and (kind is None or not kind.card):
        raise Conflict(_l("No rule makes the members of this kind of organisation known to the public."))
    if open:
        refuse_dissolved(organisation)
    if open == (organisation.card_token is not None):
        return organisation
    organisation.card_token = uuid.uuid4() if open else None
    organisation.version += 1
    action = "organisation.publish" if open else "organisation.withdraw"
    audit(uow, action=action, obj=organisation, label=organisation.name)
    uow.session.flush()
    return organisation
