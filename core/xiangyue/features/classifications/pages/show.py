"""One classification: outcome and why, the decision that is owed, what happened."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from markupsafe import Markup

from xiangyue.features.areas.queries import paths
from xiangyue.features.classifications import queries, rules, service
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.points import chip
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, CLASSIFICATION_VIEW, EVENTS, STATES
from xiangyue.features.classifications.queries import EventView, Why
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.i18n import gettext as _
from xiangyue.web import templating
from xiangyue.web.access import requires
from xiangyue.web.components import FormView, TimelineItem
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page


@bp.get("/classifications/<int:id>", endpoint="show_classification")
@requires(CLASSIFICATION_VIEW)
def show(id: int) -> Any:
    return classification_page(id)


def classification_page(id: int, *, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    """The page; ``forms`` are those that came back with errors: decide, reopen."""
    uow = current_uow()
    row, classifier = queries.get(uow, id)
    found = queries.explain(uow, row)
    service.note_read(uow, found=found)
    may_decide = found.waits_for is not None and _may(found.waits_for.permission, row.area_code)
    return page(
        "classifications/show.html",
        status=status,
        found=found,
        row=row,
        classifier=classifier,
        household=found.household,
        path=paths(uow, [row.area_code]).get(row.area_code, []),
        states=STATES,
        items=[_item(event) for event in found.history],
        may_decide=may_decide,
        may_reopen=_may_reopen(found),
        may_compute=_may(CLASSIFICATION_COMPUTE, row.area_code),
        may_see_household=_may(HOUSEHOLD_VIEW, row.area_code),
        choices=[(o.key, str(o.label)) for o in rules.decidable(classifier)],
        forms={**_forms(found), **(forms or {})},
        purpose=uow.info.purpose if found.sensitive else "",
        purpose_url=url_for("accounts.ask_purpose", next=request.path),
        end_purpose_url=url_for("accounts.state_purpose"),
        today=today(),
    )


def _may(permission: Any, area_code: int) -> bool:
    return current_actor().scope(permission).contains(area_code)


def _may_reopen(found: Why) -> bool:
    row = found.row
    if row.state not in ("in_force", "due") and not row.step:
        return False
    owed = rules.next_step(found.classifier, row.step if row.step else len(found.classifier.steps))
    return owed is not None and _may(owed.permission, row.area_code)


def _forms(found: Why) -> dict[str, FormView]:
    row = found.row
    standing = row.chosen or row.proposed
    known = {o.key for o in rules.decidable(found.classifier)}
    return {
        "decide": FormView(
            action=url_for("classifications.decide", id=row.id),
            values={"outcome": standing if standing in known else "", "step": _step(found)},
            version=row.version,
            id="decide",
        ),
        "reopen": FormView(action=url_for("classifications.reopen", id=row.id), version=row.version, id="reopen"),
    }


def _step(found: Why) -> str:
    return found.waits_for.key if found.waits_for else ""


def _item(view: EventView) -> TimelineItem:
    """A line of the history, with the grounds of that moment that the reader may see."""
    event = view.event
    head = EVENTS.get(event.event, event.event)
    title = f"{view.step.label}: {head}" if view.step is not None else str(head)
    shown = view.outcome if event.event in ("confirmed", "otherwise") else view.proposed
    lines = [chip(shown)] if shown is not None else []
    if view.note:
        lines.append(_zh(view.note))
    elif event.note:
        lines.append(_quiet(_("A note was made that may speak of restricted grounds.")))
    if grounds := view.reason.grounds.shown:
        words = (Markup("{}: {}").format(g.label, _zh(g.text) if g.data else g.text) for g in grounds)
        lines.append(_quiet(Markup("; ").join(words)))
    if view.reason.clause is not None:
        lines.append(Markup('<span class="xy-clause" lang="zh-CN">{}</span>').format(view.reason.clause.source))
    who = templating.who(event.actor_name, event.account_id)
    return TimelineItem(head=title, text=Markup("<br>").join(lines), meta=who, when=event.at)


def _zh(text: str) -> Markup:
    return Markup('<span lang="zh-CN">{}</span>').format(text)


def _quiet(text: str) -> Markup:
    return Markup('<span class="xy-sub">{}</span>').format(text)
