"""API of areas."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from sqlalchemy.orm.attributes import set_committed_value

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.areas import policy, queries, service, service_groups
from xiangyue.features.areas.changes.queries import areas_on, former_codes
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.schemas import (
    AreaChangeSchema,
    AreaDetailSchema,
    AreaListArgs,
    AreaPageSchema,
    AreaSchema,
    GroupCreateSchema,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("areas", __name__, url_prefix="/areas", description="County, towns, villages, villager groups")

FIELDS = tuple(AreaSchema().fields)


def shown(area: Area) -> dict[str, Any]:
    """An area as AreaSchema has it."""
    return {
        "code": queries.code_text(area.area_code),
        "level": area.level,
        "kind": area.kind,
        "name": area.name,
        "official_name": area.official_name,
        "former_names": area.former_names,
        "parent": queries.code_text(area.parent_code) if area.parent_code else None,
        "active": area.active,
        "valid_from": area.valid_from.isoformat() if area.valid_from else None,
        "valid_to": area.valid_to.isoformat() if area.valid_to else None,
        "succeeded_by": queries.code_text(area.succeeded_by) if area.succeeded_by else None,
        "version": area.version,
    }


@bp.get("")
@bp.arguments(AreaListArgs, location="query")
@bp.response(200, AreaPageSchema)
@requires(policy.AREA_VIEW)
def list_areas(args: dict[str, Any]) -> Any:
    """Areas that you may see, in the order of their codes."""
    wanted = chosen_fields(args["fields_"], FIELDS)
    if args["sort"] not in (None, "code"):
        raise Invalid({"sort": [_l("Areas are listed by code only.")]})
    parent = queries.parse_code(args["parent"]) if args["parent"] else 0
    retired = args["retired"] or args["on"] is not None
    found = queries.list_areas(current_uow(), level=args["level"], parent=parent, q=args["q"], retired=retired)
    if args["on"] is not None:
        found = _then(found, args)
    if args["cursor"]:
        (after,) = decode_ids(args["cursor"])
        found = [a for a in found if a.area_code > after]
    page, rest = found[: args["limit"]], found[args["limit"] :]
    items = [{k: v for k, v in shown(a).items() if k in wanted} for a in page]
    return list_response(items, encode_cursor(page[-1].area_code) if rest else None)


def _then(found: list[Area], args: dict[str, Any]) -> list[Area]:
    """Those of them that there were on a day, as they were called then."""
    then = {area.area_code: area for area in areas_on(current_uow(), args["on"])}
    kept = [area for area in found if area.area_code in then]
    for area in kept:
        was = then[area.area_code]
        set_committed_value(area, "name", was.name)
        set_committed_value(area, "official_name", was.official_name)
        set_committed_value(area, "kind", was.kind)
    return kept


@bp.get("/<string:code>")
@bp.response(200, AreaDetailSchema)
@requires(policy.AREA_VIEW)
def show_area(code: str) -> Any:
    """One area with its path and counts."""
    return _detail(queries.find_area(current_uow(), queries.parse_code(code)))


@bp.post("/<string:code>/groups")
@bp.arguments(GroupCreateSchema)
@bp.response(201, AreaDetailSchema)
@requires(policy.AREA_EDIT)
def add_group(values: dict[str, Any], code: str) -> Any:
    """Add a villager group to a village. The same number and name again is the same group."""
    village = queries.parse_code(code)
    group = service_groups.add_group(current_uow(), village=village, number=values["number"], name=values["name"])
    response = _detail(group)
    response.status_code = 201
    return response


@bp.patch("/<string:code>")
@bp.arguments(AreaChangeSchema)
@bp.response(200, AreaDetailSchema)
@requires(policy.AREA_EDIT)
@takes_version
def change_area(values: dict[str, Any], code: str) -> Any:
    """Say what a town or village was called before; rename a villager group, retire it (`active: false` with a reason)
    or take it into use again. Needs If-Match."""
    uow, number, version = current_uow(), queries.parse_code(code), required_version()
    group = queries.find_area(uow, number)
    try:
        if "former_names" in values:
            group = service.set_former_names(uow, code=number, names=values["former_names"], version=version)
            version = group.version
        if "name" in values:
            group = service_groups.rename_group(uow, code=number, name=values["name"], version=version)
            version = group.version
        if values.get("active") is False:
            group = service_groups.retire_group(uow, code=number, reason=values["reason"], version=version)
        elif values.get("active") is True:
            group = service_groups.restore_group(uow, code=number, version=version)
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return _detail(group)


def _detail(area: Area) -> Any:
    uow = current_uow()
    total = queries.summed(queries.counts_by_code(uow, area.area_code), [area.area_code])[area.area_code]
    path = [{"code": queries.code_text(c), "name": n} for c, n in queries.breadcrumb(uow, area.area_code)]
    former = former_codes(uow, [area.area_code]).get(area.area_code, [])
    body = {
        **shown(area),
        "former_codes": [queries.code_text(code) for code in former],
        "path": path,
        "households": total.households,
        "persons": total.persons,
        "registered": total.registered,
        "living": total.living,
    }
    return set_etag(jsonify(body), area.version)
