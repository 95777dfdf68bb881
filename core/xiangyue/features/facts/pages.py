"""The list of values that wait, and deciding on some or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Blueprint, redirect, request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text, names
from xiangyue.features.facts import queries, service
from xiangyue.features.facts.policy import FACT_DECIDE, FIELDS, MOST_AT_ONCE, STATES
from xiangyue.features.households.custom import active_fields
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext, pick
from xiangyue.tenancy.field_owners import DEPARTMENTS
from xiangyue.text.whole import whole_number, whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.components import BulkAction, Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_tenant, current_uow, runtime
from xiangyue.web.shell import flash, page, safe_next

bp = Blueprint("facts", __name__, template_folder="templates")

PAGE_SIZE = 50
COLUMNS = (
    Column("name", _l("Person or household"), sort=True, primary=True),
    Column("field", _l("Fact")),
    Column("owner", _l("Department that answers for it")),
    Column("ours", _l("Stands")),
    Column("value", _l("Offered")),
    Column("state", _l("State")),
    Column("at", _l("Since"), sort=True, default=False),
    Column("decided", _l("Decided by"), default=False),
)


@dataclass(frozen=True)
class Listing:
    """The list as its address asks for it."""

    view: ListView
    filter: queries.FactFilter


def listing(uow: Uow) -> Listing:
    """At the present address; values that cannot be used are left out."""
    own = [
        (f"custom.{entity}.{field.key}", pick(field.name, field.name_en))
        for entity in queries.ENTITIES
        for field in active_fields(uow, entity)
    ]
    args = switch.args_without_all()
    filters = (
        Filter("field", _l("Fact"), choices=[*FIELDS.items(), *own]),
        Filter("batch", _l("Import number"), kind="number"),
        Filter("state", _l("State"), choices=[*STATES.items(), ("all", _l("All states"))], more=True),
    )
    view = ListView(COLUMNS, args, request.path, filters, default_sort="-at")
    state, field, batch = view.value("state"), view.value("field"), view.value("batch")
    return Listing(
        view,
        queries.FactFilter(
            state=state if state in STATES or state == "all" else "open",
            field=field if field in FIELDS or field in dict(own) else "",
            batch=whole_number(batch),
        ),
    )


@bp.get("/facts", endpoint="list_facts")
@requires(FACT_DECIDE)
def list_page() -> Any:
    """Values that wait in the area."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = listing(uow)
    wanted = replace(asked.filter, area=code)
    try:
        found = queries.list_facts(
            uow,
            runtime().tenant_keys(uow),
            wanted,
            sort=asked.view.order,
            limit=PAGE_SIZE,
            after=asked.view.after,
            before=asked.view.before,
        )
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        return redirect(asked.view.url(after=None, before=None))
    count = queries.count_facts(uow, wanted)
    some_open = any(row["state"] == "open" for row in found.items)
    back = asked.view.url()
    return page(
        "facts/list.html",
        view=replace(
            asked.view,
            count=count,
            count_text=ngettext("%(count)s value", "%(count)s values", count, count=f"{count:,}"),
            next_cursor=found.next,
            back_cursor=found.back,
            select_name="fact" if some_open else None,
            export_url=url_for("facts.export") if uow.actor.can(HOUSEHOLD_EXPORT) else None,
        ),
        rows=found.items,
        bulk=[
            BulkAction(_("Keep what stands"), url_for("facts.decide", way="keep", back=back)),
            BulkAction(_("Take what was offered"), url_for("facts.decide", way="take", back=back)),
        ]
        if some_open
        else [],
        alike=some_open and wanted.state == "open",
        keep_all_url=asked.view.url(url_for("facts.decide_all"), way="keep", after=None, before=None),
        take_all_url=asked.view.url(url_for("facts.decide_all"), way="take", after=None, before=None),
        departments=DEPARTMENTS,
        states=STATES,
        area_name=names(uow, [code]).get(code, "") if code else "",
    )


@bp.route("/facts/export", methods=["GET", "POST"])
@requires(FACT_DECIDE)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    if not uow.actor.can(HOUSEHOLD_EXPORT):  # personal data go out only with the right to that too
        raise lacking(HOUSEHOLD_EXPORT)
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow))
    seen = Ids()

    def cells() -> Iterator[list[Any]]:
        for row in queries.each_fact(uow, runtime().tenant_keys(uow), wanted, sort=asked.view.order):
            if row["person_id"]:
                seen.add(row["person_id"])
            yield [_cell(column.key, row) for column in asked.view.visible]

    def note(taken: Taken) -> None:
        service.note_export(uow, **asdict(taken), area=wanted.area, seen=seen)

    return export_list(
        asked.view,
        title=_("Export conflicting values"),
        of=_("Conflicting values"),
        back=asked.view.url(url_for("facts.list_facts")),
        cells=cells,
        note=note,
        place=code_text(wanted.area) if wanted.area else "",
    )


def _cell(column: str, row: Mapping[str, Any]) -> Any:
    made: dict[str, Any] = {
        "name": f"{row['name']} {row['code']}",
        "field": str(row["label"]),
        "owner": str(DEPARTMENTS.get(row["owner"], row["owner"])),
        "ours": row["ours"],
        "value": row["value"] or _("to be emptied"),
        "state": str(STATES[row["state"]]),
        "at": row["created_at"],
        "decided": row["decided_name"],
    }
    return made[column]


@bp.post("/facts/decide")
@requires(FACT_DECIDE)
def decide() -> Any:
    """Those that were ticked."""
    back = safe_next(request.args.get("back"), url_for("facts.list_facts"))
    given = request.form.getlist("fact")[:MOST_AT_ONCE]
    ids = whole_numbers(given)
    if not ids:
        flash(_("Tick the values to decide on."), "warning")
        return redirect(back, 303)
    return _decide(current_uow(), ids, back)


@bp.post("/facts/decide-all")
@requires(FACT_DECIDE)
def decide_all() -> Any:
    """All alike: every value of the list as it is narrowed."""
    uow = current_uow()
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow), state="open")
    ids = queries.ids_of(uow, wanted, MOST_AT_ONCE)
    return _decide(uow, ids, asked.view.url(url_for("facts.list_facts"), way=None))


def _decide(uow: Uow, ids: list[int], back: str) -> Any:
    done, failed = service.decide_facts(
        uow,
        keys=runtime().tenant_keys(uow),
        ids=ids,
        way=request.args.get("way", ""),
        allow_synthetic=bool(current_tenant().settings.get("allow_synthetic_people")),
    )
    flash(ngettext("%(n)d value is decided.", "%(n)d values are decided.", done), "success" if done else "warning")
    for name, why in failed[:5]:
        flash(_("%(name)s: %(why)s", name=name, why=str(why)), "warning")
    return redirect(back, 303)
