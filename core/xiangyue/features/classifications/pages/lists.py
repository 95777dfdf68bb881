"""The list of proposals and decisions."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.classifications import queries, rules
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.list_query import (
    ListFilter,
    Row,
    conditions,
    count_classifications,
    list_classifications,
)
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
    OPEN_STATES,
    STATES,
)
from xiangyue.features.plugins.policy import PLUGIN_MANAGE, PLUGIN_VIEW
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words, ngettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Classifier, Step
from xiangyue.runtime import offer_of
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import BulkAction, Column, Filter, ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page

PAGE_SIZE = 50

COLUMNS = (
    Column("name", _l("Household head"), sort=True, primary=True),
    Column("place", _l("Village · group"), sort=True),
    Column("classifier", _l("Classification"), default=False),
    Column("standing", _l("Outcome")),
    Column("state", _l("State")),
    Column("waits", _l("Waits for")),
    Column("proposed", _l("Proposal"), default=False),
    Column("grounds", _l("Grounds"), default=False),
    Column("valid_from", _l("In force since"), default=False),
    Column("due", _l("Review by"), sort=True, default=False),
    Column("computed", _l("Computed"), sort=True, default=False),
    Column("version", _l("Rule version"), default=False),
)
#: Parameters of the list that are conditions.
_TEXTS = ("classifier", "outcome", "state", "step", "due")


@dataclass(frozen=True)
class Listing:
    """The list as its address asks for it."""

    view: ListView
    filter: ListFilter
    problems: dict[str, list[Any]]


def listing(uow: Uow, kept: Any | None = None) -> Listing:
    """At the present address (or at one that was ``kept``, by its parameters); conditions that cannot be used are named
    and left out."""
    known = rules.classifiers(uow)
    args, path = (switch.args_without_all(), request.path) if kept is None else (kept, "")
    view = ListView(COLUMNS, args, path, _filters(known), default_sort="place", select_name=None)
    texts: dict[str, Any] = {name: view.value(name) for name in _TEXTS}
    wanted = ListFilter(
        **texts,
        mine=view.value("mine") == "1",
        household=whole_number(view.value("household")),
    )
    problems: dict[str, list[Any]] = {}
    while True:
        try:
            conditions(uow, wanted)
            return Listing(view, wanted, problems)
        except (Invalid, NotFound) as error:
            found = error.fields if isinstance(error, Invalid) else {"classifier": [error.message]}
            problems |= found
            wanted = replace(wanted, **{name: _blank(name) for name in found})


def _blank(name: str) -> Any:
    return next(field.default for field in fields(ListFilter) if field.name == name)


def _filters(known: dict[str, Classifier]) -> tuple[Filter, ...]:
    several = len(known) > 1
    outcomes = [
        (f"{c.key}:{o.key}", f"{c.label}: {o.label}" if several else o.label)
        for c in known.values()
        for o in c.outcomes
    ]
    steps = {s.key: s.label for c in known.values() for s in c.steps}
    return (
        *((Filter("classifier", _l("Classification"), choices=[(c.key, c.label) for c in known.values()]),) * several),
        Filter("outcome", _l("Outcome"), choices=outcomes),
        Filter("state", _l("State"), choices=[("open", _l("A step is owed")), *STATES.items()]),
        Filter("step", _l("Waits for"), choices=list(steps.items())),
        Filter("mine", _l("Whose turn"), choices=[("1", _l("Mine"))]),
        Filter("due", _l("Review"), choices=[("late", _l("overdue")), ("soon", _l("due within 30 days"))], more=True),
    )


@bp.get("/classifications", endpoint="list_classifications")
@requires(CLASSIFICATION_VIEW)
def list_page() -> Any:
    """Proposals and decisions of the area."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = listing(uow)
    wanted = replace(asked.filter, area=code)
    try:
        rows, found = list_classifications(
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
    count = count_classifications(uow, wanted)
    step = batch_step(uow, wanted)
    may_export = current_actor().can(CLASSIFICATION_EXPORT)
    known = rules.classifiers(uow)
    return page(
        "classifications/list.html",
        view=replace(
            asked.view,
            count=count,
            count_text=ngettext("%(count)s classification", "%(count)s classifications", count, count=f"{count:,}"),
            next_cursor=found.next,
            back_cursor=found.back,
            export_url=url_for("classifications.export") if may_export else None,
            select_name="seen" if step is not None else None,
        ),
        listing=asked,
        rows=[{"row": row, "token": row.token} for row in rows],
        bulk=_bulk(asked, step) if step is not None else [],
        step=step[1] if step is not None else None,
        # Only what stood here when the page was made is confirmed with "all".
        as_of=datetime.now(UTC).isoformat(),
        confirm_all_url=asked.view.url(url_for("classifications.confirm_all"), after=None, before=None),
        states=STATES,
        classifiers=list(known.values()),
        any_rule=bool(offer_of(uow).classifiers),
        may_manage_plugins=all(current_actor().can(right) for right in (PLUGIN_VIEW, PLUGIN_MANAGE)),
        computable=list(known.values()) if current_actor().can(CLASSIFICATION_COMPUTE) else [],
        computed=_computed(uow, known),
        area_name=names(uow, [code]).get(code, "") if code else "",
        area_value=request.args.get("area", ""),
        today=today(),
    )


def _computed(uow: Uow, known: dict[str, Classifier]) -> datetime | None:
    """When the only classification was last computed; several are told apart on their own lists."""
    return queries.last_computed(uow, next(iter(known))) if len(known) == 1 else None


def batch_step(uow: Uow, wanted: ListFilter) -> tuple[str, Step] | None:
    """(classifier, step) that the list is narrowed to and the actor may do: what can be confirmed together."""
    known = rules.classifiers(uow)
    key = wanted.classifier or wanted.outcome.partition(":")[0] or (next(iter(known)) if len(known) == 1 else "")
    classifier = known.get(key)
    if classifier is None or wanted.state not in ("", *OPEN_STATES, "open"):
        return None
    mine = [s for s in classifier.steps if uow.actor.can(s.permission)]
    chosen = [s for s in mine if s.key == wanted.step] if wanted.step else mine
    return (key, chosen[0]) if len(chosen) == 1 else None


def _bulk(asked: Listing, step: tuple[str, Step]) -> list[BulkAction]:
    url = url_for("classifications.confirm_seen", classifier=step[0], step=step[1].key, back=asked.view.url())
    return [BulkAction(_("Confirm as proposed"), url, kind="primary")]


def grounds_text(row: Row) -> str:
    """The grounds that a list may show, in words."""
    parts = [f"{g.label}: {g.text}" for g in row.grounds.shown]
    if row.grounds.restricted:
        parts.append(_("grounds restricted"))
    return join_words(parts, "; ")
