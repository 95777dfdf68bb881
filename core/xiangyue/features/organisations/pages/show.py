"""The page of one organisation: today, or as it was on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request, url_for

from xiangyue.features.areas.queries import breadcrumb
from xiangyue.features.audit.queries import history_of
from xiangyue.features.audit.view import rows as rows_in_words
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import holders, policy, queries, view
from xiangyue.features.organisations.pages import bp
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import Filter, FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, say_unusable


@bp.get("/organisations/<int:id>")
@requires(policy.VIEW)
def show_organisation(id: int) -> Any:
    return organisation_page(id)


def _asked_day() -> date | None:
    text = request.args.get("on", "").strip()
    if not text:
        return None
    if problem := Filter("on", _("As on the day"), kind="date").problem(text):
        say_unusable(_("As on the day"), problem)
        return None
    return date.fromisoformat(text)


def organisation_page(id: int, status: int = 200, *, forms: dict[str, FormView] | None = None) -> Any:
    """``forms``: those that came back with errors, by name."""
    uow = current_uow()
    row = queries.get_organisation(uow, id)
    on = _asked_day()
    line = view.lines(uow, [row], on)[0]
    kind = queries.kind_of(uow, row.kind_key)
    actor = current_actor()
    past = [h for h in holders.all_of(uow, id) if not h.standing] if on is None else []
    return page(
        "organisations/show.html",
        status,
        row=row,
        line=line,
        kind=kind,
        on=on,
        today=today(),
        crumbs=breadcrumb(uow, row.area_code)[1:],
        parent=queries.name_of(uow, row.parent_id),
        children=queries.children_of(uow, id, on or today()),
        warnings=view.warnings(line, kind) if on is None else [],
        past=past,
        elections=queries.elections_of(uow, id),
        both=holders.double_heads(uow, row.area_code, on or today()),
        history=rows_in_words(uow, history_of(uow, "organisation", id)),
        may_edit=actor.can(policy.EDIT) and actor.scope(policy.EDIT).contains(row.area_code) and on is None,
        card_url=url_for("organisations.card", token=row.card_token, _external=True) if row.card_token else None,
        show=view,
        policy=policy,
        forms={
            "dissolve": FormView(action=url_for("organisations.dissolve", id=id), version=row.version, id="dissolve"),
            "remove": FormView(action=url_for("organisations.remove", id=id), version=row.version, id="remove"),
            "post": FormView(action=url_for("organisations.add_post", id=id), id="post"),
            **(forms or {}),
        },
    )
