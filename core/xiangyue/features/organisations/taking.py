"""Steps of taking a post up and leaving it: who it is, whether they may, the row, and the word about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.organisations import checks, inputs, queries
from xiangyue.features.organisations.checks import Term
from xiangyue.features.organisations.events import tell
from xiangyue.features.organisations.models import Organisation, Post, PostHolder
from xiangyue.features.organisations.steps import lock_post
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.names import parse_name

PLAIN = ("valid_from", "term_until", "way", "decided_on", "votes", "votes_cast", "document", "note")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes a post up: a person of the register, or a name from outside it."""

    person: Person | None
    name: str
    unit: str = ""

    @property
    def key(self) -> int | str:
        return self.person.id if self.person is not None else self.name


def read_holder(uow: Uow, values: Mapping[str, Any], errors: dict[str, list[Any]]) -> Holder | None:
    """``person_id``, or ``outsider_name`` with ``outsider_unit``; one of both."""
    id = inputs.whole(values, "person_id", errors, least=1, most=2**62)
    outside = str(values.get("outsider_name") or "").strip()
    if id is not None and outside:
        errors["outsider_name"] = [_l("Either somebody on the register or a name from outside, not both.")]
    elif id is not None:
        try:
            return Holder(uow.get(Person, id), "")
        except NotFound:
            errors["person_id"] = [_l("There is no such person, or the person lies outside your area.")]
    elif outside:
        unit = inputs.words(values, "outsider_unit", 100, errors)
        try:
            return Holder(None, parse_name(outside), unit)
        except ValueError as error:
            errors["outsider_name"] = [str(error)]
    elif "person_id" not in errors:
        errors["person_id"] = [_l("Say who.")]
    return None


def check(
    uow: Uow,
    organisation: Organisation,
    post: Post,
    holder: Holder,
    term: Term,
    reason: str,
    *,
    but: int = 0,
    ending: Sequence[int] = (),
    beside: Sequence[checks.Sitting] = (),
) -> tuple[list[str], dict[str, list[Any]]]:
    """(doubts to keep, what is wrong by field) of somebody who takes a post up. ``but``: the entry that is changed;
    ``ending``: entries that end by the same act; ``beside``: those that will be recorded before this one."""
    wrong: dict[str, list[Any]] = {}
    if organisation.founded_on is not None and term.since < organisation.founded_on:
        text = _l("The organisation was founded on %(day)s.", day=organisation.founded_on.isoformat())
        wrong["valid_from"] = [text]
    wrong |= checks.check_seats(uow, post, term, holder.key, but=but)
    if holder.person is None:
        return [], wrong
    wrong |= checks.check_person(holder.person, term)
    found = checks.exclusions(uow, organisation, post, holder.person.id, term, but=(but, *ending), beside=beside)
    doubts, excluded = checks.settle(found, reason)
    for field, texts in excluded.items():
        wrong[field] = [*wrong.get(field, []), *texts]
    return doubts, wrong


def new_holder(
    uow: Uow,
    post: Post,
    holder: Holder,
    found: Mapping[str, Any],
    until: date | None,
    doubts: list[str],
    reason: str,
) -> PostHolder:
    """Added and flushed, on a seat that is nobody's until seats are assigned."""
    seats = [row.seat for row in checks.holders_of_post(uow, post.id)]
    row = PostHolder(
        organisation_id=post.organisation_id,
        post_id=post.id,
        seat=max(seats, default=0) + 1,
        person_id=holder.person.id if holder.person is not None else None,
        outsider_name=holder.name,
        outsider_unit=holder.unit,
        valid_to=until,
        doubt=doubts,
        doubt_reason=reason if doubts else "",
        **found,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def label(uow: Uow, row: PostHolder, post: Post, organisation: Organisation) -> str:
    """Organisation and post; the name of a person is not kept in the trail, but the number."""
    who = row.outsider_name or f"#{row.person_id}"
    return f"{organisation.name} {post.name} {who}"


def told(row: PostHolder) -> dict[str, Any]:
    told = {"person_id": row.person_id, "outsider_name": row.outsider_name or None}
    told |= {name: getattr(row, name) for name in (*PLAIN, "valid_to", "doubt_reason")}
    return {name: value for name, value in told.items() if value not in (None, "")}


def note(uow: Uow, verb: str, row: PostHolder, post: Post, organisation: Organisation, **values: Any) -> None:
    """An entry in the audit trail, and plugins are told."""
    audit(
        uow,
        action=f"post_holder.{verb}",
        obj=row,
        label=label(uow, row, post, organisation),
        area_code=organisation.area_code,
        **values,
    )
    tell(uow, row, f"post_holder.{verb}")


def lock_holder(uow: Uow, id: int, version: int) -> tuple[PostHolder, Post, Organisation]:
    """An entry with its post locked: whoever changes a term waits for others who do. Raises NotFound, Stale."""
    row, post, _organisation = queries.get_holder(uow, id)
    post, organisation = lock_post(uow, post.id)
    uow.session.refresh(row)
    if row.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={**told(row), "version": row.version})
    return row, post, organisation
