"""What one does from the pages: decide, open again, confirm a lot, compute."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.areas import switch
from xiangyue.features.classifications import queries, service, service_compute
from xiangyue.features.classifications.compute import Computed
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.pages.lists import batch_step, listing
from xiangyue.features.classifications.pages.show import classification_page
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, CLASSIFICATION_VIEW, MOST_AT_ONCE
from xiangyue.features.classifications.service import Confirmed
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.text.whole import whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, safe_next


@bp.post("/classifications/<int:id>/decide")
@requires(CLASSIFICATION_VIEW)
def decide(id: int) -> Any:
    """Do the step that is owed."""
    uow, typed = current_uow(), request.form
    row, _classifier = queries.get(uow, id)
    try:
        row = service.decide(
            uow,
            household_id=row.household_id,
            classifier=row.classifier,
            step=typed.get("step", ""),
            outcome=typed.get("outcome", ""),
            version=typed.get("version", type=int) or 0,
            note=typed.get("note", ""),
        )
    except (Invalid, Stale, Conflict, Refused) as error:
        return _again(id, "decide", error)
    flash(_("In force") if row.state == "in_force" else _("Confirmed"), "success")
    return redirect(url_for("classifications.show_classification", id=id), 303)


@bp.post("/classifications/<int:id>/reopen")
@requires(CLASSIFICATION_VIEW)
def reopen(id: int) -> Any:
    """Have it decided again, or send it back."""
    typed = request.form
    try:
        service.reopen(current_uow(), id=id, version=typed.get("version", type=int) or 0, note=typed.get("note", ""))
    except (Invalid, Stale, Conflict, Refused) as error:
        return _again(id, "reopen", error)
    flash(_("Opened again"), "success")
    return redirect(url_for("classifications.show_classification", id=id), 303)


def _again(id: int, name: str, error: Invalid | Stale | Conflict | Refused) -> Any:
    """The page with what was typed and what is wrong; after a lost update with the version that now stands, so that
    sending it again is a decision on what the page now shows."""
    uow = current_uow()
    uow.session.expire_all()
    row, _classifier = queries.get(uow, id)
    errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
    form = FormView(action=request.path, values=request.form, errors=errors, version=row.version, id=name)
    return classification_page(id, status=422 if isinstance(error, Invalid) else 409, forms={name: form})


@bp.post("/classifications/<int:id>/compute")
@requires(CLASSIFICATION_COMPUTE)
def compute_one(id: int) -> Any:
    """Compute this household anew."""
    uow = current_uow()
    row, _classifier = queries.get(uow, id)
    found: Computed = service_compute.compute_household(uow, household_id=row.household_id, classifier=row.classifier)
    changed = found.changed or found.added or found.lapsed
    flash(_("Computed: the proposal has changed.") if changed else _("Computed: nothing has changed."), "success")
    return redirect(url_for("classifications.show_classification", id=id), 303)


@bp.post("/classifications/compute")
@requires(CLASSIFICATION_COMPUTE)
def compute() -> Any:
    """Start computing for the area of the list."""
    uow = current_uow()
    try:
        job = service_compute.request_compute(
            uow, classifier=request.form.get("classifier", ""), area=switch.asked_area(uow)
        )
    except Conflict as error:
        flash(error.message, "warning")
        return redirect(url_for("classifications.list_classifications"), 303)
    return redirect(url_for("jobs.show_job", id=job.id), 303)


@bp.post("/classifications/confirm")
@requires(CLASSIFICATION_VIEW)
def confirm_seen() -> Any:
    """Confirm the rows that were ticked, as they were when the page was made."""
    versions = {}
    for token in request.form.getlist("seen")[:MOST_AT_ONCE]:
        id, _dot, version = token.partition(".")
        numbers = whole_numbers([id, version])
        if len(numbers) == 2:
            versions[numbers[0]] = numbers[1]
    back = safe_next(request.args.get("back"), url_for("classifications.list_classifications"))
    if not versions:
        flash(_("Tick the households to confirm."), "warning")
        return redirect(back, 303)
    done = service.confirm_many(
        current_uow(),
        classifier=request.args.get("classifier", ""),
        step=request.args.get("step", ""),
        versions=versions,
    )
    _say(done)
    return redirect(back, 303)


@bp.post("/classifications/confirm-all")
@requires(CLASSIFICATION_VIEW)
def confirm_all() -> Any:
    """Confirm all of the filtered list that follows the rule and has not changed since the page was made."""
    uow = current_uow()
    asked = listing(uow)
    back = asked.view.url(url_for("classifications.list_classifications"))
    chosen = batch_step(uow, asked.filter)
    if asked.problems or chosen is None:
        flash(_("Narrow the list to one classification and one step first."), "warning")
        return redirect(back, 303)
    try:
        as_of = datetime.fromisoformat(request.form.get("as_of", ""))
    except ValueError:
        as_of = None
    if as_of is None or as_of.tzinfo is None:
        flash(service.AS_OF_NEEDED, "warning")
        return redirect(back, 303)
    wanted = replace(asked.filter, area=switch.asked_area(uow))
    done = service.confirm_many(uow, classifier=chosen[0], step=chosen[1].key, wanted=wanted, as_of=as_of)
    _say(done)
    return redirect(back, 303)


def _say(done: Confirmed) -> None:
    n = len(done.ids)
    parts = [ngettext("%(count)s confirmed.", "%(count)s confirmed.", n, count=f"{n:,}")]
    if done.left:
        parts.append(_("%(n)s wait for a decision of their own.", n=f"{done.left:,}"))
    if done.changed:
        parts.append(_("%(n)s have changed in the meantime: look at them again.", n=f"{done.changed:,}"))
    if done.more:
        parts.append(_("%(n)s more are in the list: confirm again.", n=f"{done.more:,}"))
    flash(" ".join(parts), "success" if n else "warning")
