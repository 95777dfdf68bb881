"""API for mending the rows of a checked import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.imports import alike, policy, queries, repair, view_repair
from xiangyue.features.imports.alike import Alike
from xiangyue.features.imports.api import one_order
from xiangyue.features.imports.api_undo import bp
from xiangyue.features.imports.models import ImportBatch, ImportRepair
from xiangyue.features.imports.queries_rows import SheetRow, list_rows
from xiangyue.features.imports.repair_work import list_repairs, values_of
from xiangyue.features.imports.roster_check import shown
from xiangyue.features.imports.roster_messages import CellError, problem_of
from xiangyue.features.imports.roster_places import place_of_number, row_text, sheet_names
from xiangyue.features.imports.roster_suggest import Suggester
from xiangyue.features.imports.schemas import ImportErrorArgs
from xiangyue.features.imports.schemas_repair import (
    ImportMistakesSchema,
    ImportRepairArgs,
    ImportRepairNewSchema,
    ImportRepairPageSchema,
    ImportRepairSchema,
    ImportRowArgs,
    ImportRowPageSchema,
    ImportRowSchema,
)
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime

__all__ = ["bp"]

ROW_FIELDS = tuple(ImportRowSchema().fields)
REPAIR_FIELDS = tuple(ImportRepairSchema().fields)


def _keys() -> Any:
    return runtime().tenant_keys(current_uow())


def _cursor(text: str | None) -> int | None:
    return decode_ids(text, 1)[0] if text else None


def _error(error: CellError, labels: dict[str, str], sheets: Sequence[str]) -> dict[str, Any]:
    return {
        "row": place_of_number(error.row).row,
        "place": str(row_text(error.row, sheets)),
        "column": error.column,
        "column_label": labels.get(error.column, error.column),
        "code": error.code,
        "value": error.shown_value,
        "problem": problem_of(error),
        "suggestion": error.suggestion,
    }


def _row(row: SheetRow, labels: dict[str, str], sheets: Sequence[str]) -> dict[str, Any]:
    return {
        "number": row.row_no,
        "row": place_of_number(row.row_no).row,
        "place": str(row_text(row.row_no, sheets)),
        "household": row.household_n,
        "cells": {key: shown(key, value) for key, value in row.cells.items()},
        "errors": [_error(error, labels, sheets) for error in row.errors],
        "left_out": row.out,
        "mended": sorted(row.mended),
    }


def _repair(one: ImportRepair) -> dict[str, Any]:
    before, after = values_of(current_uow(), _keys(), one)
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state,
        "row": one.row_no,
        "column": one.column_key,
        "before": before,
        "after": after,
        "rows": int(one.result.get("rows") or 0),
        "suggested": one.suggested,
        "refused": [str(line) for line in view_repair.refused_texts(one)],
        "account_name": one.account_name,
        "created_at": one.created_at,
        "undone_at": one.undone_at,
        "undone_by_name": one.undone_by_name,
    }


@bp.get("/<int:id>/rows")
@bp.arguments(ImportRowArgs, location="query")
@bp.response(200, ImportRowPageSchema)
@requires(policy.IMPORT_RUN)
def list_sheet_rows(args: dict[str, Any], id: int) -> Response:
    """Rows of the file as they stand now, with what is wrong in them, in the order of the sheet"""
    uow = current_uow()
    wanted = chosen_fields(args["fields_"], ROW_FIELDS)
    one_order(args["sort"])
    batch = queries.get_batch(uow, id)
    rows, following = list_rows(
        uow,
        _keys(),
        batch.id,
        which=args["which"],
        code=args["code"],
        column=args["column"],
        after=_cursor(args["cursor"]) or 0,
        limit=args["limit"],
    )
    labels = {column.key: column.label for column in queries.columns_for(uow, batch)}
    sheets = sheet_names(batch.header)
    items = [{name: value for name, value in _row(row, labels, sheets).items() if name in wanted} for row in rows]
    return list_response(items, encode_cursor(following) if following else None)


@bp.get("/<int:id>/mistakes")
@bp.arguments(ImportErrorArgs, location="query")
@bp.response(200, ImportMistakesSchema)
@requires(policy.IMPORT_RUN)
def list_mistakes(args: dict[str, Any], id: int) -> Response:
    """The same mistake in several rows, the most frequent first, with what may be put in its place"""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    columns = queries.columns_for(uow, batch)
    found = alike.groups(uow, batch.id, code=args["code"], column=args["column"], limit=args["limit"])
    suggester = Suggester(columns, queries.county_areas(uow))
    items = [
        {
            "column": group.alike.column,
            "code": group.alike.code,
            "wrong": group.alike.value,
            "town": group.alike.town,
            "word": group.alike.word,
            "rows": group.rows,
            "suggestions": view_repair.suggestions_of(group, suggester),
        }
        for group in found
    ]
    return set_etag(jsonify({"items": items}), batch.version)


@bp.get("/<int:id>/repairs")
@bp.arguments(ImportRepairArgs, location="query")
@bp.response(200, ImportRepairPageSchema)
@requires(policy.IMPORT_RUN)
def list_import_repairs(args: dict[str, Any], id: int) -> Response:
    """What was mended, the last first"""
    uow = current_uow()
    wanted = chosen_fields(args["fields_"], REPAIR_FIELDS)
    one_order(args["sort"])
    batch = queries.get_batch(uow, id)
    limit: int = args["limit"]
    found = list_repairs(uow, batch.id, limit=limit + 1, before=_cursor(args["cursor"]))
    rows = found[:limit]
    items = [{name: value for name, value in _repair(one).items() if name in wanted} for one in rows]
    return list_response(items, encode_cursor(rows[-1].id) if len(found) > limit else None)


def _answer(one: ImportRepair, id: int) -> Response:
    """200 when it is done, 202 while a job is at it; the ETag is the import's."""
    uow = current_uow()
    uow.session.flush()
    response = set_etag(jsonify(_repair(one)), uow.get(ImportBatch, id).version)
    response.status_code = 202 if one.state in ("waiting", "undoing") else 200
    return response


@bp.post("/<int:id>/repairs")
@bp.arguments(ImportRepairNewSchema)
@bp.response(200, ImportRepairSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def mend(values: dict[str, Any], id: int) -> Response:
    """Mend a cell, all cells alike, or leave a row out. Only what depends on it is checked again. 202 when a job does
    it. Needs If-Match"""
    uow, keys, kind = current_uow(), _keys(), values["kind"]
    given: dict[str, Any] = {"batch_id": id, "version": required_version()}
    try:
        if kind == "cell":
            done = repair.repair_cell(
                uow, keys, row_no=values["row"], column=values["column"], value=values["value"], **given
            )
        elif kind == "alike":
            wrong = Alike(values["column"], values["code"], values["wrong"], values["town"], values["word"])
            done = repair.repair_alike(uow, keys, wrong=wrong, value=values["value"], rows=values["rows"], **given)
        elif kind == "out":
            done = repair.leave_out(uow, keys, rows=[values["row"]], households=values["households"], **given)
        else:
            done = repair.take_back(uow, keys, row_no=values["row"], **given)
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return _answer(done, id)


@bp.delete("/<int:id>/repairs/<int:repair_id>")
@bp.response(200, ImportRepairSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def take_back(id: int, repair_id: int) -> Response:
    """Take a repair back in all rows it changed; later repairs of the same cells stay. Needs If-Match"""
    version = required_version()
    try:
        done = repair.undo_repair(current_uow(), _keys(), batch_id=id, repair_id=repair_id, version=version)
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return _answer(done, id)
