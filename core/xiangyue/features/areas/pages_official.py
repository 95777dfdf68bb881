"""The official list of division codes: upload, compare, take over line by line or all."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import policy, queries
from xiangyue.features.areas.changes import official, taking
from xiangyue.features.areas.changes.sheet import table_of
from xiangyue.features.areas.pages import bp
from xiangyue.features.imports.roster_file import MAX_BYTES
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import today
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

__all__ = ["bp"]

KINDS: dict[str, Any] = {
    "recoded": _l("has another code"),
    "renamed": _l("has another name"),
    "new": _l("is new"),
    "gone": _l("is not on the list"),
}


@bp.get("/areas/official")
@requires(policy.AREA_RESTRUCTURE)
def show_official() -> Any:
    """Where the list is uploaded."""
    return _page(FormView(action=url_for("areas.compare_official"), multipart=True))


def _page(form: FormView, *, status: int = 200, lines: Any = None, take: FormView | None = None) -> Any:
    return page(
        "areas/official.html",
        status=status,
        form=form,
        lines=lines,
        take=take,
        kinds=KINDS,
        code_text=queries.code_text,
    )


@bp.post("/areas/official")
@requires(policy.AREA_RESTRUCTURE)
def compare_official() -> Any:
    """What the list says otherwise; nothing changes yet."""
    file = request.files.get("file")
    form = FormView(action=request.path, multipart=True)
    try:
        data = file.stream.read(MAX_BYTES + 1) if file is not None else b""
        lines = taking.compare(current_uow(), table=table_of(data))
    except Invalid as invalid:
        return _page(FormView(action=request.path, errors=invalid.fields, multipart=True), status=422)
    take = FormView(action=url_for("areas.take_official"), values={"on": today().isoformat()}, id="take")
    return _page(form, lines=lines, take=take)


@bp.post("/areas/official/take")
@requires(policy.AREA_RESTRUCTURE)
def take_official() -> Any:
    """A draft for each chosen line; with ``act=force`` they are put in force as far as nothing is in the way."""
    made = taking.take_over(
        current_uow(),
        lines=_lines(request.form.getlist("line")),
        on=request.form.get("on", ""),
        reason=request.form.get("reason", ""),
        force=request.form.get("act") == "force",
    )
    if made.changes:
        flash(_("%(n)d lines of the list were taken over as changes of areas", n=len(made.changes)), "success")
    for line, why in made.failed[:5]:
        flash(f"{line.name}: {why}", "warning")
    if not made.changes and not made.failed:
        flash(_("Choose the lines to take over."), "warning")
        return redirect(url_for("areas.show_official"), 303)
    return redirect(url_for("areas.list_changes"), 303)


def _lines(texts: list[str]) -> list[official.Line]:
    found = []
    for text in texts:
        with suppress(ValueError, TypeError):  # no line of ours
            found.append(official.Line(**json.loads(text)))
    return found
