"""Two records side by side: what each says, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.areas.queries import paths
from xiangyue.features.duplicates import queries, service, service_merge
from xiangyue.features.duplicates.deciding import label_of
from xiangyue.features.duplicates.facts import Fact, facts_of
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


def compare_page(
    id: int,
    *,
    status: int = 200,
    forms: dict[str, FormView] | None = None,
    since: Sequence[AuditEntry] | None = None,
) -> Any:
    """The page; ``forms`` are those that came back with errors: merge, different. ``keep`` in the address says which
    record is to stay; the rest of the form follows from it."""
    uow = current_uow()
    keys = runtime().tenant_keys(uow)
    pair, first, second = queries.get_pair(uow, id)
    records = {"first": first, "second": second}
    facts = facts_of(uow, keys, pair.kind, first, second)
    keep = _keep(request.form.get("keep") or request.args.get("keep"), facts)
    merge = FormView(
        action=url_for("duplicates.merge", id=id),
        values={"keep": keep, **{f"take.{fact.key}": fact.better(keep) for fact in facts}},
        version=pair.version,
        id="merge",
    )
    done = queries.merge_of(uow, pair) if pair.state == "merged" else None
    different = FormView(action=url_for("duplicates.different", id=id), version=pair.version, id="different")
    return page(
        "duplicates/compare.html",
        status=status,
        pair=pair,
        records=records,
        names={side: label_of(record) for side, record in records.items()},
        places={side: paths(uow, [record.area_code]).get(record.area_code, []) for side, record in records.items()},
        urls={side: record_url(pair.kind, record.id) for side, record in records.items()},
        facts=facts,
        keep=keep,
        preview=service_merge.preview(uow, id=id, keep=keep) if pair.state == "open" else None,
        merged=done,
        since=since or [],
        actions=runtime().registry.actions,
        kinds=KINDS,
        reasons=REASONS,
        states=STATES,
        pair_reasons=unpacked(pair.reasons),
        forms={"merge": merge, "different": different, **(forms or {})},
    )


def _keep(asked: str | None, facts: Sequence[Fact]) -> str:
    """Which record stays when nobody has said: the one that says more, else the elder."""
    if asked in SIDES:
        return str(asked)
    said = {side: sum(bool(getattr(fact, side).text) for fact in facts) for side in SIDES}
    return "second" if said["second"] > said["first"] else "first"


def record_url(kind: str, id: int) -> str:
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


@bp.post("/duplicates/<int:id>/merge")
@requires(DUPLICATE_MERGE)
def merge(id: int) -> Any:
    """Make one of the two."""
    uow, typed = current_uow(), request.form
    take = {name.removeprefix("take."): side for name, side in typed.items() if name.startswith("take.")}
    try:
        service_merge.merge_pair(
            uow,
            keys=runtime().tenant_keys(uow),
            id=id,
            version=typed.get("version", type=int) or 0,
            keep=typed.get("keep", ""),
            take=take,
        )
    except (Invalid, Stale, Conflict, Refused) as error:
        uow.rollback()
        return _again(id, "merge", error)
    flash(_("Merged. It can be undone here as long as nothing was built on it."), "success")
    return redirect(url_for("duplicates.compare", id=id), 303)


@bp.post("/duplicates/<int:id>/undo")
@requires(DUPLICATE_MERGE)
def undo(id: int) -> Any:
    """Two again."""
    uow = current_uow()
    try:
        service_merge.undo_merge(uow, id=id, version=request.form.get("version", type=int) or 0)
    except service_merge.BuiltOn as error:
        flash(error.message, "warning")
        return compare_page(id, status=409, since=error.entries)
    except (Stale, Conflict, Refused) as error:
        uow.rollback()
        flash(error.message, "warning")
        return redirect(url_for("duplicates.compare", id=id), 303)
    flash(_("Undone: both records are as they were."), "success")
    return redirect(url_for("duplicates.compare", id=id), 303)


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


def _again(id: int, name: str, error: Invalid | Stale | Conflict | Refused) -> Any:
    errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
    form = FormView(
        action=request.path,
        values=request.form,
        errors=errors,
        version=queries.get_pair(current_uow(), id)[0].version,
        id=name,
    )
    return compare_page(id, status=422 if isinstance(error, Invalid) else 409, forms={name: form})
