"""Saying what one needs sensitive facts for: asked before they are shown, kept for half an hour."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, request, url_for

from xiangyue.access.sensitive import LONGEST, SHORTEST
from xiangyue.features.accounts.pages import bp
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web import purpose
from xiangyue.web.access import signed_in
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import cookie_name, current_uow, runtime
from xiangyue.web.shell import page, safe_next


@bp.get("/purpose")
@signed_in
def ask_purpose() -> Any:
    return _form({"purpose": current_uow().info.purpose, "next": safe_next(request.args.get("next"))})


@bp.post("/purpose")
@signed_in
def state_purpose() -> Any:
    """An empty one with ``end`` ends it."""
    text = request.form.get("purpose", "").strip()
    target = safe_next(request.form.get("next"))
    if "end" in request.form:
        text = ""
    elif not SHORTEST <= len(text) <= LONGEST:
        wrong = _l("Say it in %(least)d to %(most)d characters.", least=SHORTEST, most=LONGEST)
        return _form({"purpose": text, "next": target}, {"purpose": [wrong]}, status=422)
    response = make_response(redirect(target, 303))
    purpose.keep(response, request, cookie_name(), text, secure=runtime().settings.secure)
    return response


def _form(values: dict[str, str], errors: dict[str, list[Any]] | None = None, *, status: int = 200) -> Any:
    form = FormView(action=url_for("accounts.state_purpose"), values=values, errors=errors or {}, id="purpose")
    return page("accounts/purpose.html", status, form=form, minutes=purpose.LASTS_SECONDS // 60)
