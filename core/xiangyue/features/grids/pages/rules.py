"""The county's rules for grids."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.audit.policy import AUDIT_VIEW
from xiangyue.features.grids import rules, service_rules
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.policy import BASES, GRID_SETTINGS, LEVELS
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page

_FIELDS = ("basis", "min_households", "max_households", "min_persons", "max_persons", "source")
_DUTIES = ("title", "items", "source")


@bp.route("/grids/rules", methods=["GET", "POST"])
@requires(GRID_SETTINGS)
def set_rules() -> Any:
    """Sizes by level, and the template of codes."""
    uow = current_uow()
    errors: dict[str, Any] = {}
    if request.method == "POST":
        sizes = {level: {n: request.form.get(f"{level}.{n}", "") for n in _FIELDS} for level in LEVELS}
        duties = {level: {n: request.form.get(f"duties{level}.{n}", "") for n in _DUTIES} for level in LEVELS}
        code = {"template": request.form.get("template", ""), "width": request.form.get("width", "")}
        try:
            service_rules.set_rules(uow, sizes=sizes, code=code, duties=duties)
        except Invalid as invalid:
            errors = invalid.fields
        else:
            flash(_("Saved"), "success")
            return redirect(url_for("grids.set_rules"), 303)
    template = rules.code_template(uow)
    values: dict[str, Any] = {"template": template.template, "width": template.width}
    for level, rule in rules.size_rules(uow).items():
        values |= {f"{level}.{name}": value if value is not None else "" for name, value in rule.plain().items()}
    for level, duties_of in rules.duty_lists(uow).items():
        values |= {f"duties{level}.title": duties_of.title, f"duties{level}.source": duties_of.source}
        values[f"duties{level}.items"] = "\n".join(duties_of.items)
    trail = url_for("audit.list_entries", action="grid.settings") if current_actor().can(AUDIT_VIEW) else None
    form = FormView(action=url_for("grids.set_rules"), values=request.form or values, errors=errors)
    return page(
        "grids/rules.html", 422 if errors else 200, form=form, levels=LEVELS, bases=list(BASES.items()), trail=trail
    )
