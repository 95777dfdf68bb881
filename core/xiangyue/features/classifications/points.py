"""Where classifications come into other pages: household page, list and cockpit, and the work list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from markupsafe import Markup

from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import code_text, names
from xiangyue.features.classifications import queries, rules
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.list_query import STANDING, Row
from xiangyue.features.classifications.policy import CLASSIFICATION_VIEW, STATES
from xiangyue.features.classifications.rules import OutcomeView
from xiangyue.features.cockpit.queries import BELOW, WIDTHS, level_below
from xiangyue.features.households.listing import within
from xiangyue.features.households.offered import draws_itself
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words, ngettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import (
    DashboardCard,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    PanelView,
    WorkItem,
    WorkProvider,
)

#: Key of the filter, the column and their parameters.
KEY = "classification"


@draws_itself
class OutcomeText(str):
    """An outcome as plain text; in a page it shows itself as colour, shape and word."""

    views: tuple[tuple[str, OutcomeView, bool], ...]

    @classmethod
    def of(cls, rows: Sequence[Row], *, named: bool) -> OutcomeText:
        """``named``: say of which classification each is, where there are several."""
        views = tuple((str(row.classifier.label) if named else "", row.standing, row.in_force is None) for row in rows)
        made = cls(join_words((_line(*view) for view in views), "; "))
        made.views = views
        return made

    def __html__(self) -> str:
        shown = (chip(view, label, proposed) for label, view, proposed in self.views)
        return Markup("<span>{}</span>").format(Markup("<br>").join(shown))


def _line(label: str, view: OutcomeView, proposed: bool) -> str:
    text = _("%(outcome)s (proposed)", outcome=str(view)) if proposed and not view.undetermined else str(view)
    return f"{label}: {text}" if label else text


def chip(view: OutcomeView, label: str = "", proposed: bool = False) -> Markup:
    """As ``ui.chip`` draws it."""
    mark = Markup('<span class="xy-chip xy-chip-{}"><span class="xy-chip-mark" aria-hidden="true"></span>{}</span>')
    before = Markup('<span class="xy-sub">{}</span> ').format(label) if label else Markup("")
    after = (
        Markup(' <span class="xy-sub">{}</span>').format(_("proposed")) if proposed and not view.undetermined else ""
    )
    return before + mark.format(view.chip, str(view)) + after


def build_panel(uow: Uow, household_id: int) -> PanelView | None:
    """What the household counts as, the grounds that anybody here may see, and the way to the reasons."""
    known = rules.common(uow)
    rows = [row for row in queries.rows_of_household(uow, household_id) if row.classifier.key in known]
    if not rows:
        return None
    return PanelView("classifications/panel.html", {"rows": rows, "states": STATES, "today": today()})


def filter_choices(uow: Uow) -> list[tuple[str, Any]]:
    known = rules.common(uow).values()
    return [
        (f"{c.key}:{o.key}", o.label if len(known) == 1 else f"{c.label}: {o.label}") for c in known for o in c.outcomes
    ]


def filter_condition(uow: Uow, value: str) -> tuple[str, Mapping[str, Any]]:
    """Households that count as this, where the actor may see it."""
    key, _colon, outcome = value.partition(":")
    classifier = rules.find(uow, key)
    params: dict[str, Any] = {f"{KEY}_key": key, f"{KEY}_outcome": outcome, f"{KEY}_lapsed": "lapsed"}
    place = within("c", uow.actor.ranges(classifier.permission), KEY, params)
    sql = (
        "h.id IN (SELECT c.household_id FROM classification c WHERE {scope:c}"  # noqa: S608 - constants
        f" AND c.classifier = :{KEY}_key AND c.state <> :{KEY}_lapsed AND {STANDING} = :{KEY}_outcome AND {place})"
    )
    return sql, params


def column_values(uow: Uow, ids: Sequence[int]) -> dict[int, OutcomeText]:
    """By household, for all at once."""
    known = rules.common(uow)
    found = {
        id: [row for row in rows if row.classifier.key in known] for id, rows in queries.standing(uow, ids).items()
    }
    return {id: OutcomeText.of(rows, named=len(known) > 1) for id, rows in found.items() if rows}


@dataclass(frozen=True, slots=True)
class CardLine:
    """One area of the card: (in force, proposed) by outcome."""

    name: str
    url: str
    cells: list[tuple[int, int, str]]


@dataclass(frozen=True, slots=True)
class CardTable:
    """One classification of the card."""

    label: Any
    outcomes: list[OutcomeView]
    lines: list[CardLine]
    total: list[tuple[int, int, str]]


def build_card(uow: Uow, area: int) -> PanelView | None:
    """Households by outcome and town; below a town, by the next level."""
    known = rules.common(uow).values()
    tables = [table for c in known if (table := _table(uow, c, area)) is not None]
    return PanelView("classifications/card.html", {"tables": tables}) if tables else None


def _table(uow: Uow, classifier: Any, area: int) -> CardTable | None:
    scope = rules.reach(uow, classifier)
    level = level_below(scope.narrowed(area) if area else scope)
    found = queries.counts(uow, classifier, WIDTHS[level], area)
    if not found:
        return None
    keys = [o.key for o in classifier.outcomes]
    known = names(uow, [count.area_code for count in found])
    lines = []
    for count in found:
        url = f"/cockpit?area={code_text(count.area_code)}" if level in BELOW else ""
        cells = _cells(classifier.key, keys, [count.outcomes], count.area_code)
        lines.append(CardLine(known.get(count.area_code, str(count.area_code)), url, cells))
    outcomes = [rules.outcome_view(classifier, key) for key in keys]
    return CardTable(classifier.label, outcomes, lines, _cells(classifier.key, keys, [c.outcomes for c in found], area))


def _cells(
    classifier: str, keys: Iterable[str], counts: Sequence[Mapping[str, tuple[int, int]]], area: int
) -> list[tuple[int, int, str]]:
    """(in force, proposed, the list behind them) by outcome."""
    place = code_text(area) if area else "all"
    return [
        (
            sum(c.get(key, (0, 0))[0] for c in counts),
            sum(c.get(key, (0, 0))[1] for c in counts),
            url_for("classifications.list_classifications", area=place, outcome=f"{classifier}:{key}"),
        )
        for key in keys
    ]


def find_owed(uow: Uow) -> list[WorkItem]:
    """Proposals and reviews that wait for a step the actor may do."""
    if not uow.actor.can(CLASSIFICATION_VIEW):
        return []
    items = []
    with uow.scoped(uow.actor.scope(CLASSIFICATION_VIEW)):
        for classifier in rules.classifiers(uow).values():
            items += [_work_item(owed) for owed in queries.owed(uow, classifier, today=today())]
    return items


def _work_item(owed: queries.Owed) -> WorkItem:
    step = str(owed.step.label)
    title = ngettext(
        "%(count)s classification waits for: %(step)s",
        "%(count)s classifications wait for: %(step)s",
        owed.total,
        count=f"{owed.total:,}",
        step=step,
    )
    parts = [str(owed.classifier.label)]
    if owed.open:
        parts.append(_("%(n)s left open by the rule", n=f"{owed.open:,}"))
    if owed.late:
        parts.append(_("%(n)s reviews overdue", n=f"{owed.late:,}"))
    url = url_for(
        "classifications.list_classifications", classifier=owed.classifier.key, step=owed.step.key, mine="1", area="all"
    )
    state = "late" if owed.late else ""
    return WorkItem(title, " · ".join(parts), url, _l("Look through them"), state=state)


PANEL = HouseholdPanel(KEY, _l("Classification"), CLASSIFICATION_VIEW, build_panel, position=10)
FILTER = HouseholdFilter(KEY, _l("Classification"), CLASSIFICATION_VIEW, filter_choices, filter_condition)
COLUMN = HouseholdColumn(
    KEY, _l("Classification"), CLASSIFICATION_VIEW, column_values, present=lambda uow: bool(rules.common(uow))
)
CARD = DashboardCard(KEY, _l("Classifications by area"), CLASSIFICATION_VIEW, build_card)
WORK = WorkProvider("classifications.owed", find_owed)
