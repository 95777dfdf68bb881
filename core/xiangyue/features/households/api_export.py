"""API of exports: a list as a file, written by a job, fetched until it expires."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, send_file
from marshmallow import Schema, fields, validate

from xiangyue.api.lists import list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Forbidden, Invalid, NotFound
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import ledger_make, schemas
from xiangyue.features.households.api_common import tenant_keys
from xiangyue.features.households.ledger_make import LedgerWanted
from xiangyue.features.households.named import unnamed
from xiangyue.features.households.offered import NO_CONDITION
from xiangyue.features.households.pages.addresses import sealed_query
from xiangyue.features.households.pages.exporting import Wanted
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT, IDENTIFIER_REVEAL
from xiangyue.features.households.service_export import EXPORT_KIND, LEDGER_KIND, start_export
from xiangyue.features.households.writing import required_text
from xiangyue.features.jobs.api import plain_job
from xiangyue.features.jobs.queries import get_job
from xiangyue.features.jobs.schemas import JobSchema
from xiangyue.files.names import content_disposition
from xiangyue.files.service import open_file
from xiangyue.files.workbook import FORMATS
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_offer, current_uow, runtime
from xiangyue.web.watermark import new_number

bp = ApiBlueprint("exports", __name__, url_prefix="/exports", description="Lists as files")
_ENTITIES = {"households": "household", "persons": "person"}


class NewExport(Schema):
    """A list as its page shows it: conditions, order and columns."""

    list = fields.String(required=True, validate=validate.OneOf(tuple(_ENTITIES)))
    query = fields.String(
        load_default="",
        validate=validate.Length(max=2000),
        metadata={
            "description": "As in the page's address, like that of a saved view: `mark=…&cols=name,size&sort=-size`"
        },
    )
    area = schemas.AreaCode(
        load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"}
    )
    format = fields.String(load_default="xlsx", validate=validate.OneOf(tuple(FORMATS)))
    purpose = fields.String(
        required=True, metadata={"description": "What the file is for; it stands in the file and in the audit trail"}
    )


@bp.route("", methods=["POST"])
@bp.arguments(NewExport)
@bp.response(202, JobSchema)
@requires(HOUSEHOLD_EXPORT)
def add(values: dict[str, Any]) -> Any:
    """Have a list written as a file; `result.file` of the job that ended, and `/exports/{id}/file`, lead to it"""
    uow = current_uow()
    area = values["area"]
    if area and not switch.reaches(uow, area):
        raise NotFound(areas.NO_AREA)
    wanted = Wanted(
        entity=_ENTITIES[values["list"]],
        query=sealed_query(tenant_keys(), values["query"].removeprefix("?")),
        area=area,
        format=values["format"],
        purpose=required_text(values["purpose"], "purpose", least=2),
        number=new_number(),
        reading=uow.info.purpose,
    )
    listing = wanted.listing(uow)
    problems = {
        **{name: [NO_CONDITION] for name in unnamed(uow, wanted.entity, (name for name, _ in parse_qsl(wanted.query)))},
        **listing.problems,
        **{f.name: [why] for f, why in listing.view.problems},
    }
    if problems:
        raise Invalid(problems)
    return plain_job(start_export(uow, params=wanted.params()))


class LedgerSchema(Schema):
    key = fields.String()
    label = fields.String()
    about = fields.String()
    columns = fields.List(fields.String())


class LedgerListSchema(Schema):
    items = fields.List(fields.Nested(LedgerSchema))
    next = fields.String(allow_none=True)


class NewLedger(Schema):
    ledger = fields.String(required=True, metadata={"description": "Key of a ledger of `/exports/ledgers`"})
    area = schemas.AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: it and all below it"})
    on = fields.Date(load_default=None, metadata={"description": "The day it is as of; today when missing"})
    purpose = fields.String(
        required=True, metadata={"description": "What the file is for; it stands in the file and in the audit trail"}
    )
    full = fields.Boolean(
        load_default=False,
        metadata={"description": "Citizen numbers and phones not masked; needs the right `identifier.reveal`"},
    )


@bp.route("/ledgers", methods=["GET"])
@bp.response(200, LedgerListSchema)
@requires(HOUSEHOLD_EXPORT)
def list_ledgers() -> Response:
    """The ledgers the county has"""
    return list_response(
        [
            {
                "key": key,
                "label": str(ledger.label),
                "about": str(ledger.about),
                "columns": [str(column.label) for group in ledger.groups for column in group.columns],
            }
            for key, ledger in ledger_make.offered(current_uow()).items()
        ],
        None,
    )


@bp.route("/ledgers", methods=["POST"])
@bp.arguments(NewLedger)
@bp.response(202, JobSchema)
@requires(HOUSEHOLD_EXPORT)
def add_ledger(values: dict[str, Any]) -> Any:
    """Have a ledger written as a designed spreadsheet; fetched like an export"""
    uow = current_uow()
    if values["area"] and not switch.reaches(uow, values["area"]):
        raise NotFound(areas.NO_AREA)
    if values["full"] and not uow.actor.can(IDENTIFIER_REVEAL):
        raise Forbidden(_l("You may not see full identity and phone numbers."), permission=IDENTIFIER_REVEAL.name)
    wanted = LedgerWanted(
        ledger=values["ledger"],
        area=values["area"],
        on=(values["on"] or today()).isoformat(),
        purpose=required_text(values["purpose"], "purpose", least=2),
        number=new_number(),
        full=values["full"],
        reading=uow.info.purpose,
    )
    ledger_make.checked(uow, wanted)
    return plain_job(start_export(uow, params=wanted.params(), kind=LEDGER_KIND))


@bp.route("/<int:id>/file", methods=["GET"])
@bp.response(200, content_type="application/octet-stream")
@requires(HOUSEHOLD_EXPORT)
def fetch(id: int) -> Response:
    """The file of an export that is done, by the number of its job; not found before and after its time"""
    uow = current_uow()
    job = get_job(uow, id)
    if job.kind not in (EXPORT_KIND, LEDGER_KIND) or not job.result:
        raise NotFound(_l("This file no longer exists."))
    token = UUID(job.result["file"])
    file, stream = open_file(uow, runtime().storage, current_offer().permissions, token=token)
    response = send_file(stream, mimetype=file.media_type, etag=file.sha256, max_age=0)
    response.headers["Content-Disposition"] = content_disposition(file.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
