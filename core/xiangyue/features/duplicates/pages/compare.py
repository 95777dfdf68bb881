"""Two records side by side: what each says, and what becomes of them."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas.queries import paths
from xiangyue.features.duplicates import queries, service
from xiangyue.features.duplicates.deciding import label_of
from xiangyue.features.duplicates.facts import facts_of
from xiangyue.features.duplicates.pages import bp
from xiangyue.features.duplicates.pairs import unpacked
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE, KINDS, REASONS, STATES
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash, page

SIDES = ("first", "second")


@bp.get("/duplicates/<int:id>")
@requires(DUPLICATE_MERGE)
def compare(id: int) -> Any:
    return compare_page(id)


def compare_page(id: int, *, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    """The page; ``forms`` are those that came back with errors: different."""
    uow = current_uow()
    keys = runtime().tenant_keys(uow)
    pair, first, second = queries.get_pair(uow, id)
    records = {"first": first, "second": second}
    different = FormView(action=url_for("duplicates.different", id=id), version=pair.version, id="different")
    return page(
        "duplicates/compare.html",
        status=status,
        pair=pair,
        records=records,
        names={side: label_of(record) for side, record in records.items()},
        places={side: paths(uow, [record.area_code]).get(record.area_code, []) for side, record in records.items()},
        urls={side: _url(pair.kind, record.id) for side, record in records.items()},
        facts=facts_of(uow, keys, pair.kind, first, second),
        actions=runtime().registry.actions,
        kinds=KINDS,
        reasons=REASONS,
        states=STATES,
        pair_reasons=unpacked(pair.reasons),
        forms={"different": different, **(forms or {})},
    )


def _url(kind: str, id: int) -> str:
    return url_for("households.show_person" if kind == "person" else "households.show_household", id=id)


@bp.post("/duplicates/<int:id>/different")
@requires(DUPLICATE_MERGE)
def different(id: int) -> Any:
    """The two are not one."""
    typed = request.form
    try:
        service.say_different(
            current_uow(), id=id, version=typed.get("version", type=int) or 0, note=typed.get("note", "")
        )
    except (Invalid, Stale, Conflict) as error:
        return _again(id, "different", error)
    flash(_("They are different. They do not come back here unless something in them changes."), "success")
    return redirect(url_for("duplicates.list_pairs", kind=_kind(id)), 303)


@bp.post("/duplicates/<int:id>/open")
@requires(DUPLICATE_MERGE)
def open_again(id: int) -> Any:
    """Take back that the two are different."""
    try:
        service.open_again(current_uow(), id=id, version=request.form.get("version", type=int) or 0)
    except (Stale, Conflict) as error:
        flash(error.message, "warning")
    return redirect(url_for("duplicates.compare", id=id), 303)


def _kind(id: int) -> str:
    return queries.get_pair(current_uow(), id)[0].kind


def _again(id: int, name: str, error: Invalid | Stale | Conflict) -> Any:
    errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
    form = FormView(
        action=request.path,
        values=request.form,
        errors=errors,
        version=queries.get_pair(current_uow(), id)[0].version,
        id=name,
    )
    return compare_page(id, status=422 if isinstance(error, Invalid) else 409, forms={name: form})
