"""Sending a call: for what, what to do, to whom."""

from __future__ import annotations

import uuid
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import find_area, parse_code, village_choices
from xiangyue.features.callouts import queries, service
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.policy import CALLOUT_SEND, DRILL_DAYS, KINDS, TEXT_LENGTH
from xiangyue.features.grids.queries import GridFilter, list_grids
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

WHOM = {"area": _l("All groups of the area"), "grids": _l("Groups of these grids"), "groups": _l("These groups")}


def _ids(name: str) -> list[int]:
    return whole_numbers(request.form.getlist(name))


@bp.route("/calls/new", methods=["GET", "POST"])
@requires(CALLOUT_SEND)
def send() -> Any:
    """The area is the one being looked at; a village or town is chosen first where that is wider."""
    uow = current_uow()
    code = parse_code(request.values["for"]) if request.values.get("for") else switch.asked_area(uow)
    villages = village_choices(uow)
    own = [value for _town, members in villages for value, _name in members]
    if not code and len(own) == 1:
        code = parse_code(own[0])
    if not code or not code % 1_000_000_000:
        return page("callouts/choose.html", villages=villages)
    area = find_area(uow, code)

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        first = {"client_id": str(uuid.uuid4()), "whom": "area"}
        groups = queries.groups_in(uow, area_code=area.area_code)
        members = queries.members_of(uow, [group["group_id"] for group in groups])
        rest = queries.in_no_group(uow, area_code=area.area_code)
        grids = list_grids(uow, GridFilter(on=today(), area=area.area_code), limit=200).items
        url = f"{url_for('callouts.send')}?for={area.area_code // 1000}"
        view = FormView(
            action=url, values=request.form or first, errors=errors, cancel_url=url_for("callouts.list_calls")
        )
        return page(
            "callouts/send.html", status, form=view, area=area, kinds=list(KINDS.items()), whom=list(WHOM.items()),
            grids=[(str(grid["id"]), grid["name"]) for grid in grids],
            groups=[(str(g["group_id"]), f"{g['name']} · {g['head_name'] or _('no head')}") for g in groups],
            headless=[g for g in groups if not g["head_name"]], rest=len(rest), text_length=TEXT_LENGTH,
            number=sum(len(ids) for ids in members.values()), drill_days=DRILL_DAYS,
        )  # fmt: skip

    if request.method == "GET":
        return form({})
    whom = request.form.get("whom", "")
    try:
        call = service.send_callout(
            uow, client_id=_uuid(request.form.get("client_id", "")), kind=request.form.get("kind", ""),
            message=request.form.get("message", ""), place=request.form.get("place", ""), area_code=area.area_code,
            drill=request.form.get("drill") == "1", grid_ids=_chosen("grids", whom), group_ids=_chosen("groups", whom),
        )  # fmt: skip
    except Invalid as invalid:
        return form(invalid.fields, 422)
    flash(_("The call is on its way."), "success")
    return redirect(url_for("callouts.show_call", id=call.id), 303)


def _chosen(name: str, whom: str) -> list[int]:
    ids = _ids(f"{name[:-1]}_ids")
    if whom == name and not ids:
        raise Invalid({f"{name[:-1]}_ids": [_l("Choose one of the options.")]})
    return ids if whom == name else []


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid({"": [_l("This form is broken: open it again.")]}) from None
