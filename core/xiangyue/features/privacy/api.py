"""API about personal information."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.api.lists import chosen_fields, list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid
from xiangyue.features.privacy import policy, queries_log
from xiangyue.features.privacy.queries_fields import field_lines
from xiangyue.features.privacy.schemas import (
    FieldOwnerArgs,
    FieldOwnerPageSchema,
    FieldOwnerSchema,
    PersonLookArgs,
    PersonLookPageSchema,
    PersonLookSchema,
)
from xiangyue.features.privacy.service_log import open_log
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("privacy", __name__, url_prefix="/privacy", description="Protection of personal information")

FIELD_OWNER_FIELDS = tuple(FieldOwnerSchema().fields)
LOOK_FIELDS = tuple(PersonLookSchema().fields)


@bp.get("/fields")
@bp.arguments(FieldOwnerArgs, location="query")
@bp.response(200, FieldOwnerPageSchema)
@requires(policy.FIELDS_VIEW)
def list_fields(args: dict[str, Any]) -> Response:
    """Which department answers for which field of the register, and on what ground it is kept"""
    wanted = chosen_fields(args["fields_"], FIELD_OWNER_FIELDS)
    _one_order(args["sort"])
    items = []
    for line in field_lines(current_uow()):
        shown = {name: getattr(line, name) for name in FIELD_OWNER_FIELDS}
        shown |= {name: str(shown[name]) for name in ("label", "department_label", "law")}
        items.append({name: value for name, value in shown.items() if name in wanted})
    return list_response(items, None)


@bp.get("/persons/<int:id>/log")
@bp.arguments(PersonLookArgs, location="query")
@bp.response(200, PersonLookPageSchema)
@requires(policy.LOG_VIEW)
def person_log(args: dict[str, Any], id: int) -> Response:
    """Who saw a person's identifiers, sensitive marks or whole record, when and what for; newest first"""
    fields = chosen_fields(args["fields_"], LOOK_FIELDS)
    _one_order(args["sort"])
    uow = current_uow()
    person = open_log(uow, person_id=id)
    wanted = queries_log.LogFilter(**{name: args[name] for name in ("who", "way", "seen", "since", "until")})
    found = queries_log.read_log(uow, person, wanted, limit=args["limit"], after=args["cursor"])
    return list_response([{name: getattr(look, name) for name in fields} for look in found.looks], found.next)


def _one_order(sort: str | None) -> None:
    if sort:
        raise Invalid({"sort": [_l("This list has one order only.")]})
