"""API of the settings: the county, and its lists of marks, awards and own fields."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.db.uow import Uow
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.households.custom_usage import lacking
from xiangyue.features.settings import queries, schemas, service
from xiangyue.features.settings.policy import SETTINGS_EDIT, SETTINGS_VIEW
from xiangyue.features.settings.queries import AWARDS, FIELDS, MARKS, KindSpec
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_offer, current_uow, runtime

bp = ApiBlueprint("settings", __name__, description="The county's settings and lists")

_SCHEMAS = {
    MARKS.key: schemas.MarkKindSchema(),
    AWARDS.key: schemas.AwardKindSchema(),
    FIELDS.key: schemas.CustomFieldSchema(),
}


def shown(row: Any, spec: KindSpec, used: int) -> dict[str, Any]:
    """A row as its schema has it."""
    found = {name: getattr(row, name, None) for name in _SCHEMAS[spec.key].fields}
    if spec is FIELDS:
        found["lacking"] = lacking(current_uow(), row) if row.required and row.active else None
    return {**found, "used": used, "version": queries.version_of(row, spec)}


def _listed(spec: KindSpec) -> Response:
    uow = current_uow()
    numbers = queries.usage(uow, spec)
    rows = queries.list_kinds(uow, spec)
    return list_response([shown(row, spec, queries.used(row, spec, numbers)) for row in rows], None)


def _answer(uow: Uow, row: Any, spec: KindSpec, status: int = 200) -> Response:
    used = queries.used(row, spec, queries.usage(uow, spec))
    response = jsonify(shown(row, spec, used))
    response.status_code = status
    return set_etag(response, queries.version_of(row, spec))


def _added(spec: KindSpec, values: dict[str, Any]) -> Response:
    uow = current_uow()
    return _answer(uow, service.add_kind(uow, spec=spec, values=values), spec, 201)


def _changed(spec: KindSpec, id: int, values: dict[str, Any]) -> Response:
    uow = current_uow()
    try:
        row = service.edit_kind(uow, spec=spec, id=id, version=required_version(), values=values)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _answer(uow, row, spec)


@bp.route("/settings", methods=["GET"])
@bp.response(200, schemas.SettingsSchema)
@requires(SETTINGS_VIEW)
def show_settings() -> Any:
    """The county as its profile was applied"""
    uow = current_uow()
    tenant = queries.tenant_row(uow)
    settings = runtime().settings
    hosts = [f"{tenant.slug}.{settings.base_domain}", *queries.own_hosts(uow)]
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "name_en": tenant.name_en,
        "area_code": tenant.area_code,
        "locale": tenant.locale,
        "addresses": [settings.address(host) for host in hosts],
        "allow_synthetic_people": bool(tenant.settings.get("allow_synthetic_people")),
        "session_hours": tenant.settings.get("session_hours") or settings.session_hours,
        "require_totp_roles": tenant.settings.get("require_totp_roles", []),
        "features": [{"key": c.key, "core": c.core} for c in current_offer().contributors],
    }


@bp.route("/marks", methods=["GET"])
@bp.response(200, schemas.MarkKindListSchema)
@requires(SETTINGS_VIEW)
def list_marks() -> Response:
    """Kinds of marks, retired ones last"""
    return _listed(MARKS)


@bp.route("/marks", methods=["POST"])
@bp.arguments(schemas.MarkKindSchema)
@bp.response(201, schemas.MarkKindSchema)
@requires(SETTINGS_EDIT)
def add_mark(values: dict[str, Any]) -> Response:
    """Add a kind of mark"""
    return _added(MARKS, values)


@bp.route("/marks/<int:id>", methods=["PATCH"])
@bp.arguments(schemas.MarkKindChangeSchema)
@bp.response(200, schemas.MarkKindSchema)
@requires(SETTINGS_EDIT)
@takes_version
def edit_mark(values: dict[str, Any], id: int) -> Response:
    """Rename, retire or bring back a kind of mark; needs If-Match"""
    return _changed(MARKS, id, values)


@bp.route("/awards", methods=["GET"])
@bp.response(200, schemas.AwardKindListSchema)
@requires(SETTINGS_VIEW)
def list_awards() -> Response:
    """Kinds of awards, retired ones last"""
    return _listed(AWARDS)


@bp.route("/awards", methods=["POST"])
@bp.arguments(schemas.AwardKindSchema)
@bp.response(201, schemas.AwardKindSchema)
@requires(SETTINGS_EDIT)
def add_award(values: dict[str, Any]) -> Response:
    """Add a kind of award"""
    return _added(AWARDS, values)


@bp.route("/awards/<int:id>", methods=["PATCH"])
@bp.arguments(schemas.AwardKindChangeSchema)
@bp.response(200, schemas.AwardKindSchema)
@requires(SETTINGS_EDIT)
@takes_version
def edit_award(values: dict[str, Any], id: int) -> Response:
    """Rename, retire or bring back a kind of award; needs If-Match"""
    return _changed(AWARDS, id, values)


@bp.route("/custom-fields", methods=["GET"])
@bp.response(200, schemas.CustomFieldListSchema)
@requires(SETTINGS_VIEW)
def list_custom_fields() -> Response:
    """Own fields of the county, retired ones last"""
    return _listed(FIELDS)


@bp.route("/custom-fields", methods=["POST"])
@bp.arguments(schemas.CustomFieldSchema)
@bp.response(201, schemas.CustomFieldSchema)
@requires(SETTINGS_EDIT)
def add_custom_field(values: dict[str, Any]) -> Response:
    """Add an own field"""
    return _added(FIELDS, values)


@bp.route("/custom-fields/<int:id>", methods=["PATCH"])
@bp.arguments(schemas.CustomFieldChangeSchema)
@bp.response(200, schemas.CustomFieldSchema)
@requires(SETTINGS_EDIT)
@takes_version
def edit_custom_field(values: dict[str, Any], id: int) -> Response:
    """Change, retire or bring back an own field; needs If-Match"""
    return _changed(FIELDS, id, values)


@bp.route("/custom-fields/order", methods=["PUT"])
@bp.arguments(schemas.CustomFieldOrderSchema)
@bp.response(200, schemas.CustomFieldListSchema)
@requires(SETTINGS_EDIT)
def order_custom_fields(values: dict[str, Any]) -> Response:
    """Put the own fields of households or persons in another order"""
    service.order_fields(current_uow(), **values)
    return _listed(FIELDS)
