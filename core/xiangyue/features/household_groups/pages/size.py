"""The county's size of a group."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.household_groups import service_heads
from xiangyue.features.household_groups.pages import bp
from xiangyue.features.household_groups.policy import GROUP_SETTINGS
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page


@bp.route("/ten-household-groups/size", methods=["GET", "POST"])
@requires(GROUP_SETTINGS)
def set_size() -> Any:
    """How many households a group should have."""
    uow = current_uow()
    errors: dict[str, Any] = {}
    if request.method == "POST":
        try:
            service_heads.set_size(uow, values=request.form)
        except Invalid as invalid:
            errors = invalid.fields
        else:
            flash(_("Saved"), "success")
            return redirect(url_for("household_groups.set_size"), 303)
    form = FormView(action=url_for("household_groups.set_size"), values=request.form or group_size(uow).plain(),
                    errors=errors)  # fmt: skip
    return page("household_groups/size.html", 422 if errors else 200, form=form)
