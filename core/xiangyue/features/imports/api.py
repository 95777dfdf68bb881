"""API of imports."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.imports import policy, queries, service, view, view_columns
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_book import columns_of_sheet, sheet_of
from xiangyue.features.imports.roster_header import describe_header
from xiangyue.features.imports.roster_messages import problem_of
from xiangyue.features.imports.roster_places import place_of_number, row_text, sheet_names
from xiangyue.features.imports.schemas import (
    ImportColumnsChangeSchema,
    ImportColumnsSchema,
    ImportCommitSchema,
    ImportErrorArgs,
    ImportErrorPageSchema,
    ImportErrorSchema,
    ImportKindsSchema,
    ImportListArgs,
    ImportPageSchema,
    ImportSchema,
    ImportUploadSchema,
)
from xiangyue.features.imports.staging import open_columns
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.limits import limit_uploads
from xiangyue.web.pipeline import current_uow, runtime

bp = ApiBlueprint("imports", __name__, url_prefix="/imports", description="Spreadsheets on their way into the register")

FIELDS = tuple(ImportSchema().fields)
_HOUSEHOLDS = ("households", "persons", "valid_households", "groups", "groups_new", "conflicts")
ERROR_FIELDS = tuple(ImportErrorSchema().fields)


def shown(batch: ImportBatch) -> dict[str, Any]:
    """An import as ImportSchema has it."""
    made: dict[str, Any] = {
        "problem": view.file_problem(batch) or None,
        "header_problems": [describe_header(problem) for problem in view.header_problems(batch)],
    }
    if view.is_register(batch):
        made["counts"] = _of_rows(batch.counts)
    return {name: made[name] if name in made else getattr(batch, name) for name in FIELDS}


def _of_rows(counts: dict[str, Any]) -> dict[str, Any]:
    """Counts of a register: what stands there of households is of rows."""
    kept = {key: value for key, value in counts.items() if key not in _HOUSEHOLDS}
    if "valid_households" in counts:
        kept["valid_rows"] = counts["valid_households"]
    return kept


def shown_import(batch: ImportBatch, status: int = 200) -> Response:
    """The answer that shows an import, with its version as the ETag."""
    response = set_etag(jsonify(shown(batch)), batch.version)
    response.status_code = status
    return response


@bp.get("")
@bp.arguments(ImportListArgs, location="query")
@bp.response(200, ImportPageSchema)
@requires(policy.IMPORT_RUN)
def list_imports(args: dict[str, Any]) -> Response:
    """Your imports, or everyone's with the right to see all work; newest first"""
    wanted = chosen_fields(args["fields_"], FIELDS)
    one_order(args["sort"])
    (before,) = _cursor(args["cursor"], 1)
    limit: int = args["limit"]
    found = queries.list_batches(
        current_uow(), state=args["state"] or None, kind=args["kind"], q=args["q"], limit=limit + 1, before=before
    )
    rows = found[:limit]
    items = [{name: value for name, value in shown(batch).items() if name in wanted} for batch in rows]
    return list_response(items, encode_cursor(rows[-1].id) if len(found) > limit else None)


@bp.get("/kinds")
@bp.response(200, ImportKindsSchema)
@requires(policy.IMPORT_RUN)
def list_kinds() -> Response:
    """What you may import: the roster, changes of its columns, other registers; each with its columns"""
    uow = current_uow()
    items = [
        {
            "key": kind,
            "label": str(label),
            "columns": [
                {
                    "key": column.key,
                    "label": column.label,
                    "kind": column.kind,
                    "required": column.required,
                    "headings": [column.zh, column.en, *column.aliases],
                    "choices": [entry.label for entry in column.choices or ()],
                }
                for column in queries.columns_of_file(uow, kind)
            ],
        }
        for kind, label in view.file_kinds(uow)
    ]
    return jsonify({"items": items})


@bp.post("")
@bp.arguments(ImportUploadSchema, location="multipart")
@bp.response(202, ImportSchema)
@requires(policy.IMPORT_RUN)
def upload(values: dict[str, Any]) -> Response:
    """Upload a roster; it is checked in the background. Ask for the import until its state is `checked` or `failed`"""
    uow = current_uow()
    limit_uploads(runtime(), uow.actor)
    batch = service.upload_roster(
        uow,
        runtime().storage,
        stream=values["file"].stream,
        name=values["file"].filename or "",
        source=values["source"].strip(),
        purpose=values["purpose"].strip(),
        lawful_basis=values["lawful_basis"],
        department=values["department"],
        notice_version_id=values["notice_version_id"],
        columns=values["columns"],
        kind=values["kind"],
    )
    return shown_import(batch, 202)


@bp.get("/<int:id>")
@bp.response(200, ImportSchema)
@requires(policy.IMPORT_RUN)
def show_import(id: int) -> Response:
    """One import"""
    return shown_import(queries.get_batch(current_uow(), id))


@bp.get("/<int:id>/columns")
@bp.response(200, ImportColumnsSchema)
@requires(policy.IMPORT_RUN)
def show_columns(id: int) -> Response:
    """The file's columns and where they go, suggested or chosen; in state `mapping` they wait for a decision"""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    found = open_columns(runtime().tenant_keys(uow), batch)
    columns = queries.columns_for(uow, batch)
    sheets = view_columns.sheets(batch.header, found, columns)
    targets = {c.key: c for sheet in batch.header.get("sheets") or () for c in columns_of_sheet(sheet, columns)}
    body = {
        "items": [{**column.as_dict(), "sheet": sheets[sheet_of(column.position)].name} for column in found],
        "targets": [{"key": c.key, "label": c.label, "required": c.required} for c in targets.values()],
        "missing": [column.key for column in view_columns.missing(sheets, found, columns)],
        "sheets": [{"name": sheet.name, "read": sheet.read, "members": sheet.members} for sheet in sheets],
    }
    return set_etag(jsonify(body), batch.version)


@bp.route("/<int:id>/columns", methods=["PUT", "POST"])
@bp.arguments(ImportColumnsChangeSchema)
@bp.response(202, ImportSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def match_columns(values: dict[str, Any], id: int) -> Response:
    """Say where the columns go and check the file anew; remembered for files with the same headings. Needs If-Match"""
    uow = current_uow()
    keys = runtime().tenant_keys(uow)
    version = required_version()
    try:
        batch = service.match_columns(
            uow, keys, batch_id=id, version=version, targets=values["targets"], sheets=values["sheets"]
        )
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return shown_import(batch, 202)


@bp.get("/<int:id>/errors")
@bp.arguments(ImportErrorArgs, location="query")
@bp.response(200, ImportErrorPageSchema)
@requires(policy.IMPORT_RUN)
def list_errors(args: dict[str, Any], id: int) -> Response:
    """Wrong cells in the order of the sheet"""
    uow = current_uow()
    wanted = chosen_fields(args["fields_"], ERROR_FIELDS)
    one_order(args["sort"])
    batch = queries.get_batch(uow, id)
    row, place = _cursor(args["cursor"], 2)
    found, following = queries.list_errors(
        uow,
        batch.id,
        code=args["code"] or None,
        column=args["column"] or None,
        after=(row, place) if row is not None and place is not None else None,
        limit=args["limit"],
    )
    sheets = sheet_names(batch.header)
    labels = {column.key: column.label for column in queries.columns_for(uow, batch)}
    items = []
    for error in found:
        line = {
            "row": place_of_number(error.row).row,
            "place": str(row_text(error.row, sheets)),
            "column": error.column,
            "column_label": labels.get(error.column, error.column),
            "code": error.code,
            "value": error.shown_value,
            "problem": problem_of(error),
            "suggestion": error.suggestion,
        }
        items.append({name: value for name, value in line.items() if name in wanted})
    return list_response(items, encode_cursor(*following) if following else None)


@bp.post("/<int:id>/commit")
@bp.arguments(ImportCommitSchema)
@bp.response(202, ImportSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def commit(values: dict[str, Any], id: int) -> Response:
    """Write a checked import into the register, in the background. Needs If-Match"""
    version = required_version()
    try:
        batch = service.request_commit(current_uow(), batch_id=id, version=version, valid_only=values["valid_only"])
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return shown_import(batch, 202)


@bp.post("/<int:id>/cancel")
@bp.response(200, ImportSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def cancel(id: int) -> Response:
    """Stop the work on an import, or drop one that is not written. Needs If-Match"""
    version = required_version()
    try:
        batch = service.cancel_batch(current_uow(), batch_id=id, version=version)
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return shown_import(batch)


def _cursor(text: str | None, size: int) -> tuple[int | None, ...]:
    """Where the page begins, or as many None on the first one. Raises Invalid."""
    if not text:
        return (None,) * size
    return tuple(decode_ids(text, size))


def one_order(sort: str | None) -> None:
    """Raises Invalid when another order is asked for than the list's own."""
    if sort:
        raise Invalid({"sort": [_l("This list has one order only.")]})
