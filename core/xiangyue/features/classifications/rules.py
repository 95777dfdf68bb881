"""A classifier in words: outcomes, clauses, and grounds without those that are closed to the reader."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.access.sensitive import sensitive_ranges
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Classifier, Clause, Input, Outcome, RuleVersion, Step
from xiangyue.runtime import offer_of

#: Tone of an outcome -> kind of the chip that shows it (shape and colour).
CHIPS = {"green": "green", "yellow": "yellow", "red": "red", "blue": "blue", "grey": "grey"}


def classifiers(uow: Uow) -> dict[str, Classifier]:
    """Those of the county's plugins whose outcomes the actor may see somewhere, by key, in their order."""
    return {key: c for key, c in offer_of(uow).classifiers.items() if uow.actor.can(c.permission)}


def common(uow: Uow) -> dict[str, Classifier]:
    """Those that are shown in the places for all classifications."""
    return {key: c for key, c in classifiers(uow).items() if not c.own_places}


def find(uow: Uow, key: str) -> Classifier:
    """A classifier the actor may see. Raises NotFound for any other, also for one of a plugin that is off."""
    found = classifiers(uow).get(key)
    if found is None:
        raise NotFound(_l("There is no such classification."))
    return found


def reach(uow: Uow, classifier: Classifier) -> Scope:
    """Where the actor may see its outcomes, within the present scope."""
    return uow.scope.within(uow.actor.scope(classifier.permission))


def version_on(classifier: Classifier, on: date) -> RuleVersion:
    """The rule as it holds on a day. Raises Conflict when none does yet."""
    known = [v for v in classifier.versions if v.valid_from <= on]
    if not known:
        raise Conflict(_l("The rule “%(rule)s” does not hold yet on this day.", rule=str(classifier.label)))
    return max(known, key=lambda v: v.valid_from)


def outcome_of(classifier: Classifier, key: str) -> Outcome:
    """The outcome; one that the rule no longer has keeps its key as its word."""
    return next((o for o in classifier.outcomes if o.key == key), Outcome(key, key))


def clause_of(classifier: Classifier, version: str, key: str) -> Clause | None:
    """The clause in the version of the rule, or in the newest that has it."""
    newest_first = sorted(classifier.versions, key=lambda v: (v.key != version, -v.valid_from.toordinal()))
    return next((c for v in newest_first for c in v.clauses if c.key == key), None)


def next_step(classifier: Classifier, done: int) -> Step | None:
    """The step that is owed after ``done`` confirmations; the last one, where the rule has lost steps since."""
    return classifier.steps[min(done, len(classifier.steps) - 1)] if classifier.steps else None


def decidable(classifier: Classifier) -> list[Outcome]:
    """Outcomes that a person may decide on."""
    return [o for o in classifier.outcomes if not o.undetermined]


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """An outcome as it is shown everywhere: colour, shape and word. ``restricted``: grounds the reader may not see."""

    key: str
    label: str
    chip: str
    restricted: bool = False
    undetermined: bool = False

    def __str__(self) -> str:
        return _("%(outcome)s · grounds restricted", outcome=self.label) if self.restricted else self.label


def outcome_view(classifier: Classifier, key: str, restricted: bool = False) -> OutcomeView:
    outcome = outcome_of(classifier, key)
    chip = "undetermined" if outcome.undetermined else CHIPS.get(outcome.tone, "grey")
    return OutcomeView(key, str(outcome.label), chip, restricted, outcome.undetermined)


@dataclass(frozen=True, slots=True)
class Ground:
    """One input in words. ``value`` is what is stored; ``data``: the text may be Chinese on an English page."""

    key: str
    label: str
    value: Any
    text: str
    data: bool


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a reader sees of the inputs. ``restricted``: some are left out for want of a right; ``closed``: some wait
    for the reader to say what for; ``sensitive``: some that need their own right are shown, which is noted."""

    shown: list[Ground] = field(default_factory=list)
    restricted: bool = False
    closed: bool = False
    sensitive: bool = False

    @property
    def whole(self) -> bool:
        """Nothing is left out, so clause and notes may be shown too."""
        return not (self.restricted or self.closed)


def telling(kind: str, value: Any) -> bool:
    """Whether a value says something: of nothing there is nothing to hide. A classifier stores an input with its own
    permission only where it bears on the outcome."""
    return not (value is None or value is False or value in ("", [], {}) or (kind == "number" and value == 0))


@dataclass(frozen=True, slots=True)
class Reader:
    """What the actor may read of one classifier's inputs. Made once for a list: rights do not change on the way."""

    classifier: Classifier
    #: Input with a permission -> (where the actor has the right, where it is open now).
    guarded: Mapping[str, tuple[Scope, Scope]]

    @classmethod
    def of(cls, uow: Uow, classifier: Classifier) -> Reader:
        guarded = {i.key: _reach(uow, i.permission) for i in classifier.inputs if i.permission is not None}
        return cls(classifier, guarded)

    def grounds(self, inputs: Any, area_code: int, *, sensitive: bool = False) -> Grounds:
        """The inputs of a household in this area. Those with a permission are shown only with ``sensitive``; inputs
        that the classifier did not declare are never shown."""
        values: Mapping[str, Any] = inputs if isinstance(inputs, Mapping) else {}
        shown: list[Ground] = []
        restricted = closed = noted = False
        for declared in self.classifier.inputs:
            if declared.key not in values:
                continue
            value = values[declared.key]
            if declared.permission is not None:
                right, opened = self.guarded[declared.key]
                if not right.contains(area_code):
                    restricted = restricted or telling(declared.kind, value)
                    continue
                if not sensitive or not opened.contains(area_code):
                    closed = closed or telling(declared.kind, value)
                    continue
                noted = noted or telling(declared.kind, value)
            shown.append(_ground(declared, value))
        return Grounds(shown, restricted, closed, noted)


def _reach(uow: Uow, permission: Permission) -> tuple[Scope, Scope]:
    opened = sensitive_ranges(uow, permission) if permission.sensitive else uow.actor.ranges(permission)
    return uow.actor.scope(permission), Scope(uow.tenant_id, opened)


def _ground(declared: Input, value: Any) -> Ground:
    if isinstance(value, str) and value in declared.words:
        return Ground(declared.key, str(declared.label), value, str(declared.words[value]), False)
    text, data = in_words(declared.kind, value)
    return Ground(declared.key, str(declared.label), value, text, data)


def in_words(kind: str, value: Any) -> tuple[str, bool]:
    """A stored value as people read it, and whether it is the county's own text."""
    if value is None:
        return _("no data"), False
    if isinstance(value, bool):
        return (_("yes") if value else _("no")), False
    if isinstance(value, int | float):
        if kind == "money":
            return _("%(amount)s yuan", amount=f"{value:,}"), False
        return (str(value) if kind in ("years", "text") else f"{value:,}"), False
    if isinstance(value, Mapping):
        return _joined([(f"{key}: {text}", data) for key, (text, data) in _each(kind, value.items())])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _joined(in_words(kind, item) for item in value) if value else (_("none"), False)
    return str(value), True


def _each(kind: str, items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, tuple[str, bool]]]:
    return ((key, in_words(kind, value)) for key, value in items)


def _joined(parts: Iterable[tuple[str, bool]]) -> tuple[str, bool]:
    listed = list(parts)
    return join_words(text for text, _data in listed) or _("none"), any(data for _text, data in listed)
