"""API of the search over everything."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import schemas
from xiangyue.features.households.api_common import tenant_keys
from xiangyue.features.households.everywhere import search_everywhere
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("search", __name__, description="Search over households, persons, areas and what plugins bring")


@bp.route("/search", methods=["GET"])
@bp.arguments(schemas.SearchArgs, location="query")
@bp.response(200, schemas.SearchSchema)
@signed_in
def search(args: dict[str, Any]) -> Response:
    """Everything by name, pinyin, number or address, best first; each kind as far as the caller may see it"""
    uow = current_uow()
    only = [kind for kind in (part.strip() for part in args["kinds"].split(",")) if kind] or None
    found = search_everywhere(uow, tenant_keys(), args["q"].strip(), args["limit"], only=only)
    paths = areas.paths(uow, [place.area_code for place in found.places])
    return jsonify(
        {
            "households": found.own.households,
            "persons": found.own.persons,
            "areas": [
                {
                    "code": areas.code_text(place.area_code),
                    "name": place.name,
                    "path": [name for _code, name in paths.get(place.area_code, [])],
                }
                for place in found.places
            ],
            "others": [
                {
                    "kind": kind.key,
                    "label": str(kind.label),
                    "hits": [{"title": hit.title, "detail": str(hit.detail), "url": hit.url} for hit in kind.hits],
                }
                for kind in found.others
            ],
        }
    )
