"""To say of a record that it is another one too: find the other, then both stand side by side."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.duplicates import policy, queries, service
from xiangyue.features.duplicates.deciding import label_of
from xiangyue.features.duplicates.pages import bp
from xiangyue.features.duplicates.pages.compare import record_url
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE
from xiangyue.features.households.queries_search import search
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import page

FOUND = 20


@bp.route("/duplicates/name/<kind>/<int:id>", methods=["GET", "POST"])
@requires(DUPLICATE_MERGE)
def name_other(kind: str, id: int) -> Any:
    """Looked for by POST: a citizen number does not stand in an address. ``other_id``: the one that was meant."""
    if kind not in policy.KINDS:
        raise NotFound()
    uow, problem = current_uow(), None
    record = uow.get(queries.MODELS[kind], id)
    other = request.form.get("other_id", type=int)
    if other is not None:
        try:
            return redirect(
                url_for("duplicates.compare", id=service.name_pair(uow, kind=kind, one=id, other=other).id), 303
            )
        except (Conflict, Invalid) as error:
            problem = error.message or str(error)
    q = request.form.get("q", "").strip()[:60]
    return page(
        "duplicates/name.html",
        200 if problem is None else 409,
        kind=kind,
        id=id,
        name=label_of(record),
        back=record_url(kind, id),
        q=q,
        rows=[row for row in _found(kind, q) if row["id"] != id] if q else [],
        problem=problem,
    )


def _found(kind: str, q: str) -> list[dict[str, Any]]:
    uow = current_uow()
    near = uow.actor.current_area or 0
    found = search(uow, q, FOUND, keys=runtime().tenant_keys(uow), kinds=(f"{kind}s",), near=near)
    if kind == policy.PERSON:
        return [
            _row(kind, one["id"], one["name"], one["area_name"], one["birth_date"], one["household_code"])
            for one in found.persons
        ]
    return [
        _row(kind, one["id"], one["head_name"] or one["code"], one["area_name"], one["address"], one["code"])
        for one in found.households
    ]


def _row(kind: str, id: int, name: str, *told: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "url": record_url(kind, id), "told": [str(one) for one in told if one]}
