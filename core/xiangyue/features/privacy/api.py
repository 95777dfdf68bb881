"""API about personal information."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.api.lists import chosen_fields, list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid
from xiangyue.features.privacy import policy
from xiangyue.features.privacy.queries_fields import field_lines
from xiangyue.features.privacy.schemas import FieldOwnerArgs, FieldOwnerPageSchema, FieldOwnerSchema
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("privacy", __name__, url_prefix="/privacy", description="Protection of personal information")

FIELD_OWNER_FIELDS = tuple(FieldOwnerSchema().fields)


@bp.get("/fields")
@bp.arguments(FieldOwnerArgs, location="query")
@bp.response(200, FieldOwnerPageSchema)
@requires(policy.FIELDS_VIEW)
def list_fields(args: dict[str, Any]) -> Response:
    """Which department answers for which field of the register, and on what ground it is kept"""
    wanted = chosen_fields(args["fields_"], FIELD_OWNER_FIELDS)
    if args["sort"]:
        raise Invalid({"sort": [_l("This list has one order only.")]})
    items = []
    for line in field_lines(current_uow()):
        shown = {name: getattr(line, name) for name in FIELD_OWNER_FIELDS}
        shown |= {name: str(shown[name]) for name in ("label", "department_label", "law")}
        items.append({name: value for name, value in shown.items() if name in wanted})
    return list_response(items, None)
