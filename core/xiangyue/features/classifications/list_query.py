"""The list of classifications, straight from driver rows. Outcomes and visible grounds only; never a sensitive one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from xiangyue.db.scope import Range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.classifications import rules
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.models import OPEN
from xiangyue.features.classifications.policy import OPEN_STATES, STATES
from xiangyue.features.classifications.rules import Grounds, OutcomeView, Reader
from xiangyue.features.households.listing import (
    Conditions,
    Page,
    Sort,
    fetch_page,
    set_area_names,
    within,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Classifier, Step

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: What a household counts as: what is in force, else what is proposed.
STANDING = "CASE WHEN c.outcome = '' THEN c.proposed ELSE c.outcome END"
#: Days before a review is due in which it is said to be soon.
SOON_DAYS = 30

#: The grounds of the decision in force, where they may be others than those of the proposal.
DECIDED = (
    "CASE WHEN c.outcome <> '' AND c.outcome <> c.proposed THEN (SELECT e.inputs FROM classification_event e"
    " WHERE {tenant:e} AND e.classification_id = c.id AND e.event IN ('confirmed', 'otherwise')"
    " AND e.state = 'in_force' ORDER BY e.id DESC LIMIT 1) END"
)
_COLUMNS = (
    "id", "household_id", "area_code", "classifier", "proposed", "clause", "rule_version", "inputs", "computed_at",
    "state", "step", "chosen", "outcome", "valid_from", "valid_to", "review_due", "version",
)  # fmt: skip
SELECT = (
    f"SELECT {', '.join(f'c.{name}' for name in _COLUMNS)}, {DECIDED}, h.head_name, h.code, %(sort)s, c.id"
    " FROM classification c JOIN household h ON {tenant:h} AND h.id = c.household_id WHERE {scope:c}"
)
ALL_COLUMNS = (*_COLUMNS, "decided_inputs", "head_name", "household_code")

SORTS = {
    "place": Sort("c.area_code", int),
    "name": Sort("h.sort_key", str),
    "due": Sort("coalesce(c.review_due, DATE '9999-12-31')", date),
    "computed": Sort("c.computed_at", datetime),
}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """``outcome``: a key, or ``<classifier>:<outcome>``; of what is in force, else of the proposal. ``state``: one of
    STATES, ``open`` (a step is owed) or "" (all but lapsed). ``step``: key of the step that is owed. ``due``: late or
    soon. ``mine``: a step that the actor may do is owed."""

    area: int = 0
    classifier: str = ""
    outcome: str = ""
    state: str = ""
    step: str = ""
    due: str = ""
    mine: bool = False
    household: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. ``standing`` is what the household counts as; ``proposed`` and ``in_force`` what they say;
    ``grounds`` those that a list may show."""

    values: Mapping[str, Any]
    classifier: Classifier
    standing: OutcomeView
    proposed: OutcomeView
    in_force: OutcomeView | None
    waits_for: Step | None
    grounds: Grounds

    @property
    def id(self) -> int:
        return int(self.values["id"])

    @property
    def token(self) -> str:
        """Id and version, by which one confirms exactly what one has seen."""
        return f"{self.id}.{self.values['version']}"


def conditions(uow: Uow, wanted: ListFilter) -> Conditions:
    """Raises Invalid by parameter; NotFound for a classifier the actor may not see."""
    found = Conditions()
    known = rules.classifiers(uow)
    if ":" in wanted.outcome:
        classifier, _colon, outcome = wanted.outcome.partition(":")
        if wanted.classifier and wanted.classifier != classifier:
            raise Invalid({"outcome": [_l("This outcome belongs to another classification.")]})
    else:
        classifier, outcome = wanted.classifier, wanted.outcome
    if classifier:
        known = {classifier: rules.find(uow, classifier)}
    visible(uow, found, known)
    if outcome:
        if not any(o.key == outcome for c in known.values() for o in c.outcomes):
            raise Invalid({"outcome": [_l("There is no outcome “%(outcome)s”.", outcome=outcome)]})
        found.add(f"{STANDING} = :outcome", outcome=outcome)
    _by_state(found, wanted)
    if wanted.step:
        _by_step(found, known, wanted.step)
    if wanted.mine:
        found.add(_mine(uow, found, known))
    if wanted.household is not None:
        found.add("c.household_id = :household", household=wanted.household)
    return found


def visible(uow: Uow, found: Conditions, known: Mapping[str, Classifier]) -> None:
    """Rows of these classifiers only, each where its outcomes may be seen."""
    parts = []
    for i, (key, classifier) in enumerate(known.items()):
        place = within("c", uow.actor.ranges(classifier.permission), f"seen{i}", found.params)
        found.params[f"classifier{i}"] = key
        parts.append(f"(c.classifier = :classifier{i} AND {place})")
    found.add(f"({' OR '.join(parts) or 'false'})")


def _by_state(found: Conditions, wanted: ListFilter) -> None:
    if wanted.state == "open":
        found.add(f"c.{OPEN}")
    elif wanted.state:
        if wanted.state not in STATES:
            raise Invalid({"state": [_l("There is no state “%(state)s”.", state=wanted.state)]})
        found.add("c.state = :state", state=wanted.state)
    else:
        found.add("c.state <> 'lapsed'")
    if wanted.due:
        limit = {"late": today() - timedelta(days=1), "soon": today() + timedelta(days=SOON_DAYS)}.get(wanted.due)
        if limit is None:
            raise Invalid({"due": [_l("Choose one of the options.")]})
        found.add("c.state <> 'lapsed' AND c.review_due <= :due", due=limit)


def _by_step(found: Conditions, known: Mapping[str, Classifier], step: str) -> None:
    parts = []
    for i, (key, classifier) in enumerate(known.items()):
        for n, one in enumerate(classifier.steps):
            if one.key == step:
                found.params |= {f"of{i}": key, f"done{i}": n}
                parts.append(f"(c.classifier = :of{i} AND c.step = :done{i})")
    if not parts:
        raise Invalid({"step": [_l("There is no step “%(step)s”.", step=step)]})
    found.add(f"c.{OPEN} AND ({' OR '.join(parts)})")


def _mine(uow: Uow, found: Conditions, known: Mapping[str, Classifier]) -> str:
    parts = []
    for i, (key, classifier) in enumerate(known.items()):
        for n, step in enumerate(classifier.steps):
            ranges: tuple[Range, ...] | None = uow.actor.ranges(step.permission)
            if ranges == ():
                continue
            place = within("c", ranges, f"mine{i}x{n}", found.params)
            found.params |= {f"for{i}x{n}": key, f"at{i}x{n}": n}
            parts.append(f"(c.classifier = :for{i}x{n} AND c.step = :at{i}x{n} AND {place})")
    return f"c.{OPEN} AND ({' OR '.join(parts) or 'false'})"


def list_classifications(
    uow: Uow,
    wanted: ListFilter,
    *,
    sort: str = "place",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> tuple[list[Row], Page]:
    """A page of what the actor may see, and the cursors of its neighbours. Raises Invalid by parameter."""
    found = conditions(uow, wanted)
    chosen = SORTS.get(sort.removeprefix("-"), SORTS["place"])
    rows, following, back = fetch_page(
        uow,
        SELECT.replace("%(sort)s", chosen.column),
        found,
        alias="c",
        area=wanted.area,
        sort=sort,
        sorts=SORTS,
        limit=limit,
        after=after,
        before=before,
    )
    items = [dict(zip(ALL_COLUMNS, row, strict=False)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return as_rows(uow, items), Page([], following, back)


def as_rows(uow: Uow, items: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows in words for this reader; the stored inputs stay behind."""
    known = rules.classifiers(uow)
    readers = {key: Reader.of(uow, c) for key, c in known.items()}
    return [_row(readers[item["classifier"]], item) for item in items if item["classifier"] in readers]


def _row(reader: Reader, item: dict[str, Any]) -> Row:
    classifier, area = reader.classifier, item["area_code"]
    proposal = reader.grounds(item.pop("inputs"), area)
    decided_inputs = item.pop("decided_inputs", None)
    decided = proposal if decided_inputs is None else reader.grounds(decided_inputs, area)
    proposed = rules.outcome_view(classifier, item["proposed"], proposal.restricted)
    in_force = rules.outcome_view(classifier, item["outcome"], decided.restricted) if item["outcome"] else None
    grounds = decided if in_force else proposal
    if not grounds.whole:
        item["clause"] = None
    return Row(
        values=item,
        classifier=classifier,
        standing=in_force or proposed,
        proposed=proposed,
        in_force=in_force,
        waits_for=rules.next_step(classifier, item["step"]) if item["state"] in OPEN_STATES else None,
        grounds=grounds,
    )


def count_classifications(uow: Uow, wanted: ListFilter, *, cap: int | None = None) -> int:
    """How many there are; with ``cap`` counting stops one above it."""
    found = conditions(uow, wanted)
    limit = f" LIMIT {int(cap) + 1}" if cap is not None else ""
    inner = f"SELECT 1 FROM classification c WHERE {{scope:c}}{found.sql()}{limit}"
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    rows = scoped_rows(uow.session, f"SELECT count(*) FROM ({inner}) found", found.params, scope=scope)
    return int(rows[0][0])


def each_classification(uow: Uow, wanted: ListFilter, *, sort: str = "place", chunk: int = 1000) -> Iterator[Row]:
    """All rows in order for an export, read page by page."""
    after: str | None = None
    while True:
        rows, neighbours = list_classifications(uow, wanted, sort=sort, limit=chunk, after=after)
        yield from rows
        after = neighbours.next
        if after is None:
            return
