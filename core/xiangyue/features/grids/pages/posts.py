"""Who is in charge of a grid: appointing, ending, and the public board."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import segno
from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound, Refused, Stale
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import queries, queries_posts, rules, service_posts
from xiangyue.features.grids.models import GridPost
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.show import found_grid
from xiangyue.features.grids.policy import GRID_EDIT, ROLES
from xiangyue.features.grids.words import kind_words
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import public, requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_tenant, current_uow
from xiangyue.web.shell import flash, page


def _day(name: str, *, needed: bool = False) -> date | None:
    text = request.form.get(name, "")
    if not text and not needed:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({name: [_l("Give a day like 2026-05-01.")]}) from None


@bp.route("/grids/<int:id>/appoint", methods=["GET", "POST"])
@requires(GRID_EDIT)
def appoint(id: int) -> Any:
    """Somebody of the grid's households, or from outside, gets a post."""
    uow = current_uow()
    grid = found_grid(id)
    errors: dict[str, Any] = {}
    warnings: list[dict[str, str]] = []
    status = 200
    if request.method == "POST":
        person = request.form.get("person_id", "")
        try:
            start = _day("valid_from", needed=True)
            assert start is not None
            service_posts.appoint(
                uow, grid_id=id, role=request.form.get("role", ""), valid_from=start,
                principal=request.form.get("principal") == "1", term_until=_day("term_until"),
                person_id=whole_number(person),
                name=request.form.get("name", ""), unit=request.form.get("unit", ""),
                office_phone=request.form.get("office_phone", ""), reason=request.form.get("reason", ""),
                login=request.form.get("login", ""),
            )  # fmt: skip
        except Invalid as invalid:
            errors, status = invalid.fields, 422
            warnings = invalid.details.get("warnings", [])
        except (Conflict, Refused) as error:
            errors, status = {"": [error.message]}, 409
        else:
            flash(_("Saved"), "success")
            return redirect(url_for("grids.show_grid", id=id), 303)
    first = {"role": "leader", "valid_from": today().isoformat(), "principal": "1"}
    form = FormView(
        action=request.path, values=request.form or first, errors=errors, cancel_url=url_for("grids.show_grid", id=id)
    )
    return page(
        "grids/appoint.html", status, form=form, grid=grid, roles=list(ROLES.items()), warnings=warnings,
        persons=queries.persons_near(uow, id, grid["area_code"], today()),
    )  # fmt: skip


@bp.post("/grids/<int:id>/appoint/rules")
@requires(GRID_EDIT)
def rules_on(id: int) -> Any:
    """What rules have against whom one is about to put in charge, while the form is filled in."""
    typed = request.form
    try:
        on = _day("valid_from", needed=True) or today()
    except Invalid:
        on = today()
    person = whole_number(typed.get("person_id", ""))
    found = service_posts.look_ahead(current_uow(), grid_id=id, role=typed.get("role", ""), person_id=person, on=on)
    form = FormView(action=url_for("grids.appoint", id=id), values=typed)
    return page("grids/against.html", form=form, refused=found.refused, warnings=found.warnings)


@bp.route("/grids/posts/<int:id>/end", methods=["POST"])
@requires(GRID_EDIT)
def end_post(id: int) -> Any:
    uow = current_uow()
    grid = uow.get(GridPost, id).grid_id
    version = request.form.get("version", type=int) or 0
    try:
        on = _day("on", needed=True)
        assert on is not None
        service_posts.end_post(uow, post_id=id, version=version, on=on, reason=request.form.get("reason", ""))
    except Invalid as invalid:
        flash(str(next(iter(invalid.fields.values()))[0]), "warning")
    except (Stale, Conflict) as error:
        flash(str(error.message), "warning")
    else:
        flash(_("Saved"), "success")
    return redirect(url_for("grids.show_grid", id=grid), 303)


@bp.post("/grids/posts/<int:id>/withdraw")
@requires(GRID_EDIT)
def withdraw_post(id: int) -> Any:
    """One that has not begun."""
    uow = current_uow()
    grid = uow.get(GridPost, id).grid_id
    try:
        service_posts.withdraw_post(uow, post_id=id, version=request.form.get("version", type=int) or 0)
    except (Stale, Conflict) as error:
        flash(str(error.message), "warning")
    else:
        flash(_("Withdrawn"), "success")
    return redirect(url_for("grids.show_grid", id=grid), 303)


@bp.get("/g/<uuid:token>")
@public
def board(token: uuid.UUID) -> Any:
    """The public board: names, posts, office phones; nothing of households."""
    uow = current_uow()
    with uow.tenant_wide("a public board is for everybody"):
        id = queries_posts.grid_by_token(uow, token)
        grid = queries.find_grid(uow, id, today()) if id is not None else None
        if grid is None or not grid["standing"]:
            raise NotFound(_l("There is no such page."))
        posts = queries_posts.posts_on(uow, [grid["id"]], today())[grid["id"]]
        village = names(uow, [grid["area_code"] - grid["area_code"] % 1000])
        duties = rules.duty_lists(uow).get(grid["level"])
    here = url_for("grids.board", token=token, _external=True)
    return page(
        "grids/board.html", grid=grid, posts=[post for post in posts if not post["problem"]], roles=ROLES,
        village=next(iter(village.values()), ""), county=current_tenant().name, kind_words=kind_words,
        duties=duties, qr=segno.make(here, error="m").svg_data_uri(scale=5), here=here,
    )  # fmt: skip
