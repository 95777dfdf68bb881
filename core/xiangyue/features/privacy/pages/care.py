"""Who cares for a child or acts for an old person: the form, referrals, the guardian's phone in full."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import IDENTIFIER_REVEAL
from xiangyue.features.privacy import policy_care as policy
from xiangyue.features.privacy import queries_care as queries
from xiangyue.features.privacy import service_care as service
from xiangyue.features.privacy.pages import bp
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page

_PLAIN = tuple(name for name in service.COLUMNS if name != "guardian_phone")


@bp.get("/privacy/persons/<int:id>/care")
@requires(policy.CARE_VIEW)
def show_care(id: int) -> Any:
    return _page(id)


def _page(id: int, status: int = 200, *, forms: dict[str, FormView] | None = None, shown: str = "") -> Any:
    uow = current_uow()
    keys = runtime().tenant_keys(uow)
    view = queries.care_of(uow, id)
    actor = current_actor()
    area = view.person.area_code
    form = FormView(
        action=url_for("privacy.save_care", id=id),
        values={name: getattr(view.care, name) for name in _PLAIN} if view.care is not None else {},
        version=view.care.version if view.care is not None else 0,
        cancel_url=url_for("households.show_person", id=id),
        draft=f"care-{id}",
    )
    refer = FormView(action=url_for("privacy.refer", id=id), values={"referred_on": today().isoformat()}, id="refer")
    return page(
        "privacy/care.html",
        status,
        view=view,
        person=view.person,
        care=view.care,
        masked=queries.masked_phone(keys, view.care),
        policy=policy,
        may_edit=actor.can(policy.CARE_EDIT) and actor.scope(policy.CARE_EDIT).contains(area),
        may_reveal=actor.can(IDENTIFIER_REVEAL) and actor.scope(IDENTIFIER_REVEAL).contains(area),
        shown=shown,
        forms={"care": form, "refer": refer, **(forms or {})},
    )


@bp.post("/privacy/persons/<int:id>/care")
@requires(policy.CARE_EDIT)
def save_care(id: int) -> Any:
    """Keep what was typed; an empty phone keeps the one there is, unless it is taken away."""
    uow, typed = current_uow(), request.form
    values: dict[str, Any] = {name: typed[name] for name in _PLAIN if name in typed}
    if typed.get("guardian_phone", "").strip():
        values["guardian_phone"] = typed["guardian_phone"]
    elif typed.get("remove_phone"):
        values["guardian_phone"] = ""
    version = typed.get("version", 0, type=int)
    try:
        service.set_care(uow, keys=runtime().tenant_keys(uow), person_id=id, version=version, values=values)
    except (Invalid, Stale, Conflict) as error:
        uow.rollback()
        now = queries.care_of(uow, id).care
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = FormView(
            action=url_for("privacy.save_care", id=id),
            values=typed,
            errors=fields,
            version=version if isinstance(error, Invalid) else (now.version if now is not None else 0),
            cancel_url=url_for("households.show_person", id=id),
            draft=f"care-{id}",
        )
        return _page(id, 422 if isinstance(error, Invalid) else 409, forms={"care": form})
    flash(_("Saved"), "success")
    return redirect(url_for("households.show_person", id=id), 303)


@bp.post("/privacy/persons/<int:id>/care/reveal")
@requires(IDENTIFIER_REVEAL)
def reveal_guardian(id: int) -> Any:
    """The guardian's phone in full, once, with the purpose on record."""
    uow = current_uow()
    try:
        phone = service.reveal_guardian_phone(
            uow, keys=runtime().tenant_keys(uow), person_id=id, purpose=request.form.get("purpose", "")
        )
    except Invalid:
        flash(_("Say what you need it for."), "warning")
        return redirect(url_for("privacy.show_care", id=id), 303)
    return _page(id, shown=phone)


@bp.post("/privacy/persons/<int:id>/referrals")
@requires(policy.CARE_EDIT)
def refer(id: int) -> Any:
    typed = request.form
    try:
        service.refer_child(
            current_uow(),
            person_id=id,
            director=typed.get("director", ""),
            reason=typed.get("reason", ""),
            on=typed.get("referred_on", ""),
        )
    except (Invalid, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = FormView(action=request.path, values=typed, errors=fields, id="refer")
        return _page(id, 422 if isinstance(error, Invalid) else 409, forms={"refer": form})
    flash(_("Referred. The children's director says what came of it."), "success")
    return redirect(url_for("privacy.show_care", id=id), 303)


@bp.post("/privacy/referrals/<int:id>/close")
@requires(policy.CARE_EDIT)
def close_referral(id: int) -> Any:
    uow, typed = current_uow(), request.form
    _referral, person = queries.get_referral(uow, id)
    try:
        service.close_referral(uow, id=id, version=typed.get("version", 0, type=int), outcome=typed.get("outcome", ""))
    except (Invalid, Stale, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = FormView(
            action=request.path, values=typed, errors=fields, version=typed.get("version"), id=f"close-{id}"
        )
        return _page(person.id, 422 if isinstance(error, Invalid) else 409, forms={f"close-{id}": form})
    flash(_("Closed"), "success")
    return redirect(url_for("privacy.show_care", id=person.id), 303)
