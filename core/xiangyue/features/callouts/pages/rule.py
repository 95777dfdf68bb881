"""When calls go on, and how long they are kept."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.callouts import queries, service
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.policy import CALLOUT_SETTINGS
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page


@bp.route("/calls/rules", methods=["GET", "POST"])
@requires(CALLOUT_SETTINGS)
def set_rule() -> Any:
    """The county's rule for calls."""
    uow = current_uow()
    errors: dict[str, Any] = {}
    if request.method == "POST":
        try:
            service.set_rule(uow, values=request.form)
        except Invalid as invalid:
            errors = invalid.fields
        else:
            flash(_("Saved"), "success")
            return redirect(url_for("callouts.set_rule"), 303)
    form = FormView(action=url_for("callouts.set_rule"), values=request.form or queries.call_rule(uow).plain(),
                    errors=errors)  # fmt: skip
    return page("callouts/rule.html", 422 if errors else 200, form=form)
