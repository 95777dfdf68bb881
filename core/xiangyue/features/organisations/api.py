"""API of organisations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.areas.queries import parse_code
from xiangyue.features.households.models import Person
from xiangyue.features.organisations import as_json, holders, queries, queries_person, schemas, service
from xiangyue.features.organisations import service_elections as elections
from xiangyue.features.organisations.models import Organisation
from xiangyue.features.organisations.policy import EDIT, VIEW
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_actor, current_uow

bp = ApiBlueprint(
    "organisations",
    __name__,
    url_prefix="/organisations",
    description="Organisations of county, towns, villages and groups, their posts and who holds them",
)


def detail(id: int, on: date | None = None, status: int = 200) -> Response:
    """An organisation with its posts and their holders on the day (today)."""
    uow = current_uow()
    row = queries.get_organisation(uow, id)
    seats = holders.seats_on(uow, [id], on)[id]
    full = may_edit(row)
    response = jsonify({**as_json.organisation(row), "posts": [as_json.post(one, full=full) for one in seats]})
    response.status_code = status
    return set_etag(response, row.version)


def may_edit(row: Organisation) -> bool:
    """Whether the caller may record what concerns this one."""
    actor = current_actor()
    return actor.can(EDIT) and actor.scope(EDIT).contains(row.area_code)


def acted(act: Callable[[int], Any]) -> Any:
    """Do it with the version that If-Match names."""
    try:
        return act(required_version())
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None


@bp.get("")
@bp.arguments(schemas.OrganisationListArgs, location="query")
@bp.response(200, schemas.OrganisationPageSchema)
@requires(VIEW)
def list_organisations(args: dict[str, Any]) -> Response:
    """Organisations of the caller's area"""
    wanted = chosen_fields(args["fields_"], as_json.ORGANISATION)
    sort = args["sort"] or "area"
    if sort.removeprefix("-") not in queries.SORTS:
        known = ", ".join(queries.SORTS)
        raise Invalid({"sort": [_l("Unknown: %(unknown)s. Known: %(known)s.", unknown=sort, known=known)]})
    names = ("kind", "family", "level", "open", "term", "until", "on", "dissolved", "parent_id")
    conditions = queries.OrganisationFilter(
        q=args["q"].strip(),
        area=parse_code(args["area"]) if args["area"] else 0,
        **{name: args[name] for name in names},
    )
    page = queries.list_organisations(current_uow(), conditions, sort=sort, limit=args["limit"], after=args["cursor"])
    items = [{k: v for k, v in as_json.organisation(row).items() if k in wanted} for row in page.rows]
    return list_response(items, page.next)


@bp.post("")
@bp.arguments(schemas.OrganisationInputSchema)
@bp.response(201, schemas.OrganisationDetailSchema)
@requires(EDIT)
def create_organisation(values: dict[str, Any]) -> Response:
    """Record an organisation with the posts of its kind"""
    return detail(service.create_organisation(current_uow(), values=values).id, status=201)


@bp.get("/kinds")
@bp.response(200, schemas.KindListSchema)
@requires(VIEW)
def list_kinds() -> Response:
    """Kinds of organisations that the county uses"""
    return jsonify({"items": [as_json.kind(row) for row in queries.kinds(current_uow())]})


@bp.get("/persons/<int:id>")
@bp.response(200, schemas.PersonPostListSchema)
@requires(VIEW)
def posts_of_person(id: int) -> Response:
    """Posts that a person holds, held or will hold"""
    uow = current_uow()
    person = uow.get(Person, id)
    return jsonify({"items": [as_json.held(one, person.name) for one in queries_person.posts_of_person(uow, id)]})


@bp.get("/<int:id>")
@bp.arguments(schemas.OnArgs, location="query")
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(VIEW)
def show_organisation(args: dict[str, Any], id: int) -> Response:
    """One organisation with who holds its posts, today or on another day"""
    return detail(id, args["on"])


@bp.patch("/<int:id>")
@bp.arguments(schemas.OrganisationChangeSchema)
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def edit_organisation(values: dict[str, Any], id: int) -> Response:
    """Change what is said of it. Needs If-Match"""
    acted(lambda version: service.edit_organisation(current_uow(), id=id, version=version, values=values))
    return detail(id)


@bp.post("/<int:id>/dissolve")
@bp.arguments(schemas.DissolveSchema)
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def dissolve(values: dict[str, Any], id: int) -> Response:
    """It is no more from a day on; all terms in it end. Needs If-Match"""
    acted(lambda version: service.dissolve_organisation(current_uow(), id=id, version=version, **values))
    return detail(id)


@bp.post("/<int:id>/reopen")
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def reopen(id: int) -> Response:
    """Take a dissolution back. Needs If-Match"""
    acted(lambda version: service.reopen_organisation(current_uow(), id=id, version=version))
    return detail(id)


@bp.post("/<int:id>/remove")
@bp.arguments(schemas.RemoveSchema)
@bp.response(204)
@requires(EDIT)
@takes_version
def remove_organisation(values: dict[str, Any], id: int) -> Response:
    """Take out what was recorded by mistake, while nothing was built on it. Needs If-Match"""
    acted(lambda version: service.remove_organisation(current_uow(), id=id, version=version, **values))
    return Response(status=204)


@bp.post("/<int:id>/card")
@bp.arguments(schemas.CardSchema)
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def set_card(values: dict[str, Any], id: int) -> Response:
    """Open the public card with names and posts, or close it. Needs If-Match"""
    acted(lambda version: service.set_card(current_uow(), id=id, version=version, **values))
    return detail(id)


@bp.get("/<int:id>/elections")
@bp.response(200, schemas.ElectionListSchema)
@requires(VIEW)
def list_elections(id: int) -> Response:
    """Terms of an organisation, newest first"""
    return jsonify({"items": [as_json.election(row) for row in queries.elections_of(current_uow(), id)]})


@bp.post("/<int:id>/elections")
@bp.arguments(schemas.ElectionInputSchema)
@bp.response(201, schemas.ElectionSchema)
@requires(EDIT)
@takes_version
def hold_election(values: dict[str, Any], id: int) -> Response:
    """A new term: everybody leaves, those of the lines take up their posts. Needs If-Match of the organisation"""
    lines = values.pop("lines")
    row = acted(
        lambda version: elections.hold_election(
            current_uow(), organisation_id=id, version=version, values=values, lines=lines
        )
    )
    response = jsonify(as_json.election(row))
    response.status_code = 201
    return set_etag(response, row.version)


@bp.post("/elections/<int:id>/undo")
@bp.response(200, schemas.ElectionSchema)
@requires(EDIT)
@takes_version
def undo_election(id: int) -> Response:
    """Take a new term back as long as nothing was built on it. Needs If-Match"""
    row = acted(lambda version: elections.undo_election(current_uow(), id=id, version=version))
    return set_etag(jsonify(as_json.election(row)), row.version)
