"""What the pages of the register share: who may do or report what, the buttons of two taps, words of acts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.households import policy
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.pages.common import may, template_words
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_acts import SHOWN, ActRow, act_rows
from xiangyue.features.households.queries_register import MemberOn, acts_of
from xiangyue.features.households.register.reports import REPORTABLE
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.i18n import lazy_gettext as _l

#: What is done from the page of a household as a whole, and with one of its members.
OF_HOUSEHOLD = ("birth", "move_in", "head_change", "split", "merge", "close", "reopen")
OF_PERSON = ("leave", "return", "death", "move", "move_out")
#: Those with a big button, in this order.
TAPS = ("leave", "return", "birth", "death")
TAP_LABELS: dict[str, Any] = {
    "leave": _l("Left"), "return": _l("Returned"), "birth": _l("Born"), "death": _l("Died"),
}  # fmt: skip
TAP_ICONS = {"leave": "plane-departure", "return": "home", "birth": "user-plus", "death": "user-x"}
#: What is asked in the sheet besides the day.
TAP_HINTS: dict[str, Any] = {
    "leave": _l("Where to, or for what"),
    "return": _l("Anything to add"),
    "birth": _l("Anything to add"),
    "death": _l("Anything to add"),
}
#: One line on what an act does, above its form.
EXPLAINED: dict[str, Any] = {
    "birth": _l("A child is taken into this household. The day is the date of birth."),
    "move_in": _l("Somebody from outside the county joins this household."),
    "move": _l("A person goes to another household of the county, on one base or both."),
    "move_out": _l("A person leaves the county. Marks end when he or she belongs to no household any more."),
    "leave": _l("Works or lives elsewhere from that day and stays on the household register here."),
    "return": _l("Lives in a household of the county again from that day."),
    "death": _l("The person is taken out of the household on both bases; marks end on that day."),
    "head_change": _l("Another member becomes the head; everybody's relation is to the new head from that day."),
    "split": _l("Some members become a household of their own, which gets the village's next number."),
    "merge": _l("All members go into another household, open work goes along, and this one closes."),
    "close": _l("The household has left as a whole: who belongs to no other counts as moved away, and marks end."),
    "reopen": _l("The closing was a mistake, or the family is back. Members come back one by one."),
}
#: What the button of a form says.
BUTTONS: dict[str, Any] = {
    "birth": _l("Register the birth"),
    "move_in": _l("Register the moving in"),
    "move": _l("Move the person"),
    "move_out": _l("Register the moving out"),
    "leave": _l("Register the leaving"),
    "return": _l("Register the return"),
    "death": _l("Register the death"),
    "head_change": _l("Change the head"),
    "split": _l("Split the household"),
    "merge": _l("Merge the households"),
    "close": _l("Close the household"),
    "reopen": _l("Open the household again"),
}
BASES_EXPLAINED = _l("On the household register: where the booklet says. Living here: where one lives and is visited.")
STATE_BADGES = {"reported": "soon", "done": "ok", "refused": "late", "undone": "neutral"}


def can_do(area_code: int) -> bool:
    """Whether acts are done at once here."""
    return may(policy.HOUSEHOLD_EDIT, area_code)


def can_report(kind: str, area_code: int) -> bool:
    """Whether such an act may be reported here, for the village to confirm."""
    return kind in REPORTABLE and may(policy.REGISTER_REPORT, area_code)


@dataclass(slots=True)
class Tap:
    """A big button and its sheet. ``people``: (id, name) of whom it may be; none for a birth."""

    kind: str
    url: str
    people: Sequence[tuple[int, str]] = ()
    #: Of the form, so that the same sheet sent twice is one act.
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def taps_for_household(household: Household, members: Iterable[MemberOn]) -> list[Tap]:
    """The buttons that make sense for this household now, for those who may."""
    if household.state != "active":
        return []
    inside = [m for m in members if m.inside]
    people = {
        "leave": [(m.person_id, m.name) for m in inside if m.living and (m.registered or m.registered_at)],
        "return": [(m.person_id, m.name) for m in inside if m.away],
        "death": [(m.person_id, m.name) for m in inside],
    }
    return [
        Tap(kind, act_url(household.id, kind), people.get(kind, ()))
        for kind in _allowed(household.area_code)
        if kind == "birth" or people[kind]
    ]


def taps_for_person(person: Person) -> list[Tap]:
    """The buttons for one person: what can have happened to him or her."""
    if person.erased_at is not None:
        return []
    here = person.state == "active"
    possible = {"leave": here and not person.away, "return": not here or person.away, "death": here}
    if person.state == "deceased":
        possible["return"] = False
    return [
        Tap(kind, act_url(person.household_id, kind, person.id), [(person.id, person.name)])
        for kind in _allowed(person.area_code)
        if possible.get(kind)
    ]


def _allowed(area_code: int) -> list[str]:
    if can_do(area_code):
        return list(TAPS)
    return [kind for kind in TAPS if can_report(kind, area_code)]


def menu_of(kinds: Iterable[str], household_id: int, area_code: int, person_id: int | None = None) -> list[Any]:
    """(label, address) of the acts that have a form of their own, for those who may do or report them."""
    doing = can_do(area_code)
    return [
        (KIND_LABELS[kind], act_url(household_id, kind, person_id))
        for kind in kinds
        if doing or can_report(kind, area_code)
    ]


def act_url(household_id: int, kind: str, person_id: int | None = None) -> str:
    return url_for("households.act_form", id=household_id, kind=kind, person=person_id)


def acts_for(uow: Uow, of: str, id: int) -> list[ActRow]:
    """The acts of a household or person with names, the latest day first; as many as a page shows."""
    return act_rows(uow, acts_of(uow, of, id)[:SHOWN])


def register_words() -> Mapping[str, Any]:
    """What the register's templates use besides the feature's own words."""
    return {
        **template_words(),
        "kind_labels": KIND_LABELS,
        "act_states": STATE_LABELS,
        "state_badges": STATE_BADGES,
        "tap_labels": TAP_LABELS,
        "tap_icons": TAP_ICONS,
        "tap_hints": TAP_HINTS,
        "bases_explained": BASES_EXPLAINED,
        "today_iso": today().isoformat(),
    }
