"""The list of pairs that may be one, and what is done to several of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.duplicates import service
from xiangyue.features.duplicates.pages import bp
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE, KINDS, PERSON, REASONS, STATES
from xiangyue.features.duplicates.queries import PairFilter, count_pairs, list_pairs
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.text.whole import whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.components import BulkAction, Column, Filter, ListView, ViewTab
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, safe_next

PAGE_SIZE = 50
MOST_AT_ONCE = 200

COLUMNS = (
    Column("name", _l("First"), sort=True, primary=True),
    Column("second", _l("Second")),
    Column("reasons", _l("Why")),
    Column("score", _l("Likeness"), sort=True, numeric=True),
    Column("state", _l("State")),
    Column("found", _l("Found"), sort=True, default=False),
    Column("place", _l("Village · group"), sort=True, default=False),
    Column("decided", _l("Decided by"), default=False),
    Column("note", _l("Note"), default=False),
)
LEVELS = (("80", _l("80 and more")), ("50", _l("50 and more")))


@dataclass(frozen=True)
class Listing:
    """The list as its address asks for it."""

    view: ListView
    filter: PairFilter
    problems: dict[str, list[Any]]


def listing(uow: Uow) -> Listing:
    """At the present address; conditions that cannot be used are named and left out."""
    args = switch.args_without_all()
    filters = (
        Filter("reason", _l("Why"), choices=list(REASONS.items())),
        Filter("least", _l("Likeness"), choices=list(LEVELS)),
        Filter("state", _l("State"), choices=[*STATES.items(), ("all", _l("All states"))], more=True),
    )
    view = ListView(COLUMNS, args, request.path, filters, default_sort="-score")
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "kind": (view.value("kind") or PERSON, KINDS),
        "state": (view.value("state") or "open", {**STATES, "all": ""}),
        "reason": (view.value("reason"), {**REASONS, "": ""}),
        "least": (view.value("least"), {**dict(LEVELS), "": ""}),
    }
    problems = {
        name: [_l("Choose one of the options.")] for name, (value, known) in given.items() if value not in known
    }
    good: dict[str, Any] = {name: value for name, (value, _known) in given.items() if name not in problems}
    good["least"] = int(good["least"]) if good.get("least") else None
    return Listing(view, PairFilter(**good), problems)


@bp.get("/duplicates", endpoint="list_pairs")
@requires(DUPLICATE_MERGE)
def list_page() -> Any:
    """Pairs of the area."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = listing(uow)
    wanted = replace(asked.filter, area=code)
    try:
        found = list_pairs(
            uow,
            wanted,
            sort=asked.view.order,
            limit=PAGE_SIZE,
            after=asked.view.after,
            before=asked.view.before,
        )
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        flash(" ".join(str(m) for m in invalid.fields["cursor"]), "warning")
        return redirect(asked.view.url(after=None, before=None))
    count = count_pairs(uow, wanted)
    some_open = any(row["state"] == "open" for row in found.items)
    return page(
        "duplicates/list.html",
        view=replace(
            asked.view,
            count=count,
            count_text=ngettext("%(count)s pair", "%(count)s pairs", count, count=f"{count:,}"),
            next_cursor=found.next,
            back_cursor=found.back,
            export_url=url_for("duplicates.export") if current_actor().can(HOUSEHOLD_EXPORT) else None,
            select_name="pair" if some_open else None,
            views=[
                ViewTab(
                    label, asked.view.url(kind=key, reason=None, after=None, before=None), key == wanted.kind, False
                )
                for key, label in KINDS.items()
            ],
        ),
        listing=asked,
        rows=found.items,
        bulk=[BulkAction(_("They are different"), url_for("duplicates.many_different", back=asked.view.url()))]
        if some_open
        else [],
        kinds=KINDS,
        reasons=REASONS,
        states=STATES,
        area_name=names(uow, [code]).get(code, "") if code else "",
    )


@bp.post("/duplicates/find")
@requires(DUPLICATE_MERGE)
def find() -> Any:
    """Look through the register now."""
    return redirect(url_for("jobs.show_job", id=service.request_find(current_uow()).id), 303)


@bp.post("/duplicates/different")
@requires(DUPLICATE_MERGE)
def many_different() -> Any:
    """The pairs that were ticked are different."""
    back = safe_next(request.args.get("back"), url_for("duplicates.list_pairs"))
    ids = whole_numbers(request.form.getlist("pair")[:MOST_AT_ONCE])
    if not ids:
        flash(_("Tick the pairs that are different."), "warning")
        return redirect(back, 303)
    done = service.say_many_different(current_uow(), ids=ids)
    flash(ngettext("%(n)d pair is different.", "%(n)d pairs are different.", done), "success")
    return redirect(back, 303)
