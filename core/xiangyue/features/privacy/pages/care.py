"""Who cares for a child or acts for an old person: the form, referrals, the guardian's phone in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.pages.household_forms import say_saved
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import IDENTIFIER_REVEAL
from xiangyue.features.privacy import policy_care as policy
from xiangyue.features.privacy import queries_care as queries
from xiangyue.features.privacy import service_care as service
from xiangyue.features.privacy.pages import bp
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.merge import field_text, merge, opened_of
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
    standing = service.values_of(view.care)
    form = _form(id, view.care.version if view.care is not None else 0, {name: standing[name] for name in _PLAIN})
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
    """Keep what was typed; an empty phone keeps the one there is, unless it is taken away. When somebody saved in
    between, what each changed stands, and only what both changed is shown side by side."""
    uow, typed = current_uow(), request.form
    version, opened = typed.get("version", 0, type=int), opened_of(typed)
    values: Any = typed
    taken: list[Any] = []
    try:
        try:
            _save(id, version, typed)
        except Stale as stale:
            version, opened = stale.theirs["version"], None
            both = merge(typed, {name: stale.theirs[name] for name in _PLAIN})
            values = both.values
            if both.conflicts:
                rows = [_conflict(name, typed[name], stale.theirs[name]) for name in both.conflicts]
                return _page(id, 409, forms={"care": _form(id, version, values, conflict=rows)})
            _save(id, version, values, only=both.mine)
            taken = [policy.LABELS[name] for name in both.taken]
    except (Invalid, Conflict) as error:
        uow.rollback()
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = _form(id, version, values, errors=fields, opened=opened)
        return _page(id, 422 if isinstance(error, Invalid) else 409, forms={"care": form})
    say_saved(taken)
    return redirect(url_for("households.show_person", id=id), 303)


def _save(id: int, version: int, typed: Mapping[str, str], *, only: Sequence[str] | None = None) -> None:
    uow = current_uow()
    values: dict[str, Any] = {name: typed[name] for name in _PLAIN if name in typed and (only is None or name in only)}
    if typed.get("guardian_phone", "").strip():
        values["guardian_phone"] = typed["guardian_phone"]
    elif typed.get("remove_phone"):
        values["guardian_phone"] = ""
    service.set_care(uow, keys=runtime().tenant_keys(uow), person_id=id, version=version, values=values)


def _form(id: int, version: int, values: Any, *, opened: Mapping[str, Any] | None = None, **more: Any) -> FormView:
    standing = service.values_of(queries.care_of(current_uow(), id).care)
    return FormView(
        action=url_for("privacy.save_care", id=id),
        values=values,
        version=version,
        opened=opened if opened is not None else {name: standing[name] for name in _PLAIN},
        cancel_url=url_for("households.show_person", id=id),
        reload_url=url_for("privacy.show_care", id=id),
        draft=f"care-{id}",
        **more,
    )


def _conflict(name: str, mine: str, theirs: Any) -> ConflictRow:
    known = {"left_behind": policy.LEFT_BEHIND, "consent_how": policy.CONSENTS}.get(name)
    stands = field_text(theirs)
    if known is None:
        return ConflictRow(name, policy.LABELS[name], mine, stands)
    return ConflictRow(name, policy.LABELS[name], known.get(mine, ""), known.get(stands, ""), take=stands)


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
