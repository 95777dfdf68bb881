"""Calls as a file: the list as it stands, and one call's households with what is known of them. Neither says who
answered when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request, url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.callouts import queries, service_export
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.pages.lists import list_view, wanted_of
from xiangyue.features.callouts.pages.show import visible_call
from xiangyue.features.callouts.policy import CALL_STATES, CALLOUT_EXPORT, STATES
from xiangyue.features.callouts.work import title_of
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.actors import actor_words
from xiangyue.web.components import Column, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow

HOUSEHOLDS = (
    Column("place", _l("Village or group"), primary=True),
    Column("group", _l("Ten-household group")),
    Column("group_head", _l("Head of the group")),
    Column("code", _l("Number")),
    Column("head", _l("Head of household")),
    Column("address", _l("Address")),
    Column("old", _l("Who lives there")),
    Column("state", _l("State")),
    Column("behalf", _l("Said by")),
)


@bp.route("/calls/export", methods=["GET", "POST"])
@requires(CALLOUT_EXPORT)
def export_calls() -> Any:
    """The question what for; sent, the list as it stands."""
    uow, asked = current_uow(), list_view()
    area = switch.asked_area(uow)
    wanted = wanted_of(asked, area)

    def cells() -> Iterator[list[Any]]:
        for row in queries.each_call(uow, wanted, limit=service_export.EXPORT_LIMIT + 1):
            shown = {
                "kind": title_of(row), "at": row["at"], "area": row["area_name"],
                "state": str(CALL_STATES[row["state"]]), "households": row["households"], "reached": row["reached"],
                "by": actor_words(row["by_name"]), "message": row["message"],
            }  # fmt: skip
            yield [shown[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, area=area,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export calls"), of=_("Calls in an emergency"), back=asked.url(url_for("callouts.list_calls")),
        rows=queries.count_calls(uow, wanted), cells=cells, note=note, place=names(uow, [area]).get(area, ""),
        most=service_export.EXPORT_LIMIT,
    )  # fmt: skip


@bp.route("/calls/<int:id>/export", methods=["GET", "POST"])
@requires(CALLOUT_EXPORT)
def export_call(id: int) -> Any:
    """The households of a call in the reader's area, group by group."""
    uow = current_uow()
    call = visible_call(uow, id)
    groups = {group["id"]: group for group in queries.groups_of_call(uow, id)}
    rows = queries.households_of(uow, groups)
    asked = ListView(HOUSEHOLDS, request.args, url_for("callouts.export_call", id=id), (), default_sort="")

    def cells() -> Iterator[list[Any]]:
        inside: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            inside.setdefault(row["callout_group_id"], []).append(row)
        for group in groups.values():
            for row in inside.get(group["id"], ()):
                old = _("old, lives alone") if row["alone"] else _("only old people") if row["only_old"] else ""
                behalf = _("said in the head's place") if row["on_behalf"] else ""
                shown = {
                    "place": group["area_name"], "group": group["name"] or _("In no group"),
                    "group_head": group["head_name"], "code": row["code"], "head": row["head_name"],
                    "address": row["address"], "old": old, "state": str(STATES[row["state"]]), "behalf": behalf,
                }  # fmt: skip
                yield [shown[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, area=call.area_code, households=[row["household_id"] for row in rows],
        )  # fmt: skip

    return export_list(
        asked, title=_("Export the households of a call"), of=_("Households of a call"),
        back=url_for("callouts.show_call", id=id), rows=len(rows), cells=cells, note=note,
        place=names(uow, [call.area_code]).get(call.area_code, ""),
    )  # fmt: skip
