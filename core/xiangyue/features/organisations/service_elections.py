"""A new term of a whole organisation (换届), and taking it back. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.organisations import checks, inputs, policy
from xiangyue.features.organisations.checks import Term, refuse
from xiangyue.features.organisations.dates import add_years
from xiangyue.features.organisations.models import Organisation, OrganisationElection, Post, PostHolder
from xiangyue.features.organisations.steps import lock_post, locked, refuse_dissolved
from xiangyue.features.organisations.taking import Holder, check, new_holder, note, read_holder
from xiangyue.i18n import lazy_gettext as _l

MOST_LINES = 500


@acts(policy.EDIT)
def hold_election(
    uow: Uow, *, organisation_id: int, version: int, values: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> OrganisationElection:
    """A new term from ``values["term_from"]``: whoever holds a post of the organisation leaves it on that day, and
    those of ``lines`` take theirs up; who is in both was elected again.

    ``values``: also ``term_until`` (else after the organisation's years), ``decided_on``, ``way``, ``voters``,
    ``votes_cast``, ``result`` in words. A line: ``post_id``, who (as in ``appoint``), ``votes``, ``doubt_reason``.
    Raises NotFound, Stale, Conflict (dissolved; a later term or entry stands), Invalid by field, those of a line as
    ``lines.<n>.<field>``.
    """
    organisation = locked(uow, organisation_id, version)
    refuse_dissolved(organisation)
    errors: dict[str, list[Any]] = {}
    found = _clean(organisation, values, errors)
    if not lines:
        errors[""] = [_l("Say who was elected: at least one.")]
    elif len(lines) > MOST_LINES:
        errors[""] = [_l("At most %(n)s people at once.", n=MOST_LINES)]
    refuse(errors)
    since: date = found["term_from"]
    posts = {id: lock_post(uow, id)[0] for id in _post_ids(uow, organisation, lines)}
    chosen = _read_lines(uow, posts, lines)
    leaving = _leaving(uow, organisation, since)
    election = OrganisationElection(
        organisation_id=organisation.id,
        state="done",
        created_by=uow.actor.account_id,
        created_by_name=uow.actor.name or uow.actor.login,
        **found,
    )
    uow.session.add(election)
    again = {(post.id, holder.key) for post, holder, _line in chosen}
    for row in leaving:
        stays = (row.post_id, row.person_id or row.outsider_name) in again
        row.valid_to, row.end_reason = since, policy.RE_ELECTED if stays else policy.NEW_TERM
        row.version += 1
    uow.session.flush()
    made = _take_up(uow, organisation, election, chosen, [row.id for row in leaving])
    # Of two in one household, one in each organisation, the second is looked at once the first has taken up the post.
    for post in {post.id for post, _holder, _line in chosen} | {row.post_id for row in leaving}:
        checks.assign_seats(uow, post)
    election.changes = {
        "term": [_iso(organisation.term_from), _iso(organisation.term_until)],
        "ended": [[row.id, row.version] for row in leaving],
        "made": [[row.id, row.version] for row in made],
    }
    organisation.term_from, organisation.term_until = since, election.term_until
    organisation.version += 1
    after = {"term_from": since, "term_until": election.term_until, "count": len(made), "ended": len(leaving)}
    audit(
        uow,
        action="organisation_election.hold",
        obj=election,
        label=organisation.name,
        area_code=organisation.area_code,
        after=after,
    )
    kept = {(row.post_id, row.person_id or row.outsider_name) for row in made}
    for row in leaving:
        if (row.post_id, row.person_id or row.outsider_name) not in kept:
            note(
                uow, "end", row, posts.get(row.post_id) or uow.get(Post, row.post_id), organisation, after={"on": since}
            )
    for row in made:
        note(uow, "add", row, posts[row.post_id], organisation, after={"valid_from": since})
    uow.session.flush()
    return election


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _clean(organisation: Organisation, values: Mapping[str, Any], errors: dict[str, list[Any]]) -> dict[str, Any]:
    since = inputs.day(values, "term_from", errors, required=True)
    until = inputs.day(values, "term_until", errors)
    if since is not None and until is None and organisation.term_years:
        until = add_years(since, organisation.term_years)
    if since is not None and until is not None and until <= since:
        errors["term_until"] = [_l("The term ends before it begins.")]
    came = inputs.came_to_it(values, errors, since=since)
    found = {
        "term_from": since,
        "term_until": until,
        "decided_on": came["decided_on"],
        "way": came["way"],
        "voters": inputs.whole(values, "voters", errors, most=inputs.MOST_VOTES),
        "votes_cast": came["votes_cast"],
        "result": inputs.words(values, "result", policy.TEXT_LENGTH, errors),
    }
    if None not in (found["voters"], found["votes_cast"]) and found["votes_cast"] > found["voters"]:
        errors["votes_cast"] = [_l("More votes than voters.")]
    return found


def _post_ids(uow: Uow, organisation: Organisation, lines: Sequence[Mapping[str, Any]]) -> list[int]:
    """Posts of the lines, in one order for all who lock them."""
    known = set(
        uow.session.scalars(select(Post.id).where(Post.organisation_id == organisation.id, Post.active.is_(True)))
    )
    wanted: set[int] = set()
    for number, line in enumerate(lines):
        id = inputs.whole(line, "post_id", {}, most=2**62)
        if id not in known:
            raise Invalid({f"lines.{number}.post_id": [_l("Choose a post of this organisation.")]})
        wanted.add(id)
    return sorted(wanted)


def _read_lines(
    uow: Uow, posts: Mapping[int, Post], lines: Sequence[Mapping[str, Any]]
) -> list[tuple[Post, Holder, Mapping[str, Any]]]:
    chosen: list[tuple[Post, Holder, Mapping[str, Any]]] = []
    wrong: dict[str, list[Any]] = {}
    for number, line in enumerate(lines):
        errors: dict[str, list[Any]] = {}
        holder = read_holder(uow, line, errors)
        if holder is not None:
            chosen.append((posts[int(line["post_id"])], holder, line))
        wrong |= {f"lines.{number}.{field}": texts for field, texts in errors.items()}
    refuse(wrong)
    return chosen


def _leaving(uow: Uow, organisation: Organisation, since: date) -> list[PostHolder]:
    """Who stands in a post on the day, locked. Raises Conflict when something later stands already."""
    later = select(OrganisationElection.term_from).where(
        OrganisationElection.organisation_id == organisation.id,
        OrganisationElection.state == "done",
        OrganisationElection.term_from >= since,
    )
    if (day := uow.session.scalars(later).first()) is not None:
        raise Conflict(
            _l(
                "A term from %(day)s stands already. Choose a later day, or take that term back first.",
                day=day.isoformat(),
            )
        )
    statement = select(PostHolder).where(
        PostHolder.organisation_id == organisation.id,
        (PostHolder.valid_to.is_(None)) | (PostHolder.valid_to > since),
    )
    rows = list(uow.session.scalars(statement.with_for_update().execution_options(populate_existing=True)))
    if any(row.valid_from >= since for row in rows):
        raise Conflict(
            _l("Somebody took up a post on that day or later. Choose a later day, or take that entry out first.")
        )
    return [row for row in rows if row.valid_to is None]


def _take_up(
    uow: Uow,
    organisation: Organisation,
    election: OrganisationElection,
    chosen: Sequence[tuple[Post, Holder, Mapping[str, Any]]],
    ending: list[int],
) -> list[PostHolder]:
    made: list[PostHolder] = []
    wrong: dict[str, list[Any]] = {}
    term = Term(election.term_from, None)
    for number, (post, holder, line) in enumerate(chosen):
        errors: dict[str, list[Any]] = {}
        votes = inputs.votes({"votes": line.get("votes"), "votes_cast": election.votes_cast}, errors)
        reason = inputs.words(line, "doubt_reason", policy.TEXT_LENGTH, errors)
        doubts, refused = check(uow, organisation, post, holder, term, reason, ending=ending)
        if "valid_from" in refused:
            refused["post_id"] = refused.pop("valid_from")
        wrong |= {f"lines.{number}.{field}": texts for field, texts in (errors | refused).items()}
        if wrong:
            continue
        found = {
            "valid_from": election.term_from,
            "term_until": election.term_until,
            "way": election.way,
            "decided_on": election.decided_on,
            "election_id": election.id,
            **votes,
        }
        made.append(new_holder(uow, post, holder, found, None, doubts, reason))
    refuse(wrong)
    return made


@acts(policy.EDIT)
def undo_election(uow: Uow, *, id: int, version: int) -> OrganisationElection:
    """Take a new term back: who took up a post by it never did, who left stands again. Raises NotFound, Stale, Conflict
    when something was built on it, saying what."""
    election = uow.session.scalars(select(OrganisationElection).where(OrganisationElection.id == id)).one_or_none()
    if election is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    organisation = uow.get_for_update(Organisation, election.organisation_id)
    uow.session.refresh(election)
    checks.same_version(election, version)
    if election.state != "done":
        raise Conflict(_l("This term was taken back already."))
    newest = select(OrganisationElection.id).where(
        OrganisationElection.organisation_id == organisation.id,
        OrganisationElection.state == "done",
        OrganisationElection.term_from > election.term_from,
    )
    if uow.session.scalars(newest).first() is not None:
        raise Conflict(_l("A later term stands. Take that back first."))
    known = dict(election.changes["ended"]) | dict(election.changes["made"])
    rows = {
        row.id: row for row in uow.session.scalars(select(PostHolder).where(PostHolder.id.in_(known)).with_for_update())
    }
    if any(id not in rows or rows[id].version != version for id, version in known.items()):
        raise Conflict(
            _l("Entries of this term were changed since: somebody left, or days were put right. Mend them one by one.")
        )
    for id, _version in election.changes["made"]:
        note(uow, "remove", rows[id], uow.get(Post, rows[id].post_id), organisation)
        uow.session.delete(rows[id])
    uow.session.flush()
    for id, _version in election.changes["ended"]:
        rows[id].valid_to, rows[id].end_reason = None, ""
        rows[id].version += 1
    uow.session.flush()
    for post in {row.post_id for row in rows.values()}:
        checks.assign_seats(uow, post)
    organisation = uow.get_for_update(Organisation, organisation.id)
    first, last = (date.fromisoformat(day) if day else None for day in election.changes["term"])
    organisation.term_from, organisation.term_until = first, last
    organisation.version += 1
    election.state = "undone"
    election.version += 1
    audit(
        uow,
        action="organisation_election.undo",
        obj=election,
        label=organisation.name,
        area_code=organisation.area_code,
        before={"term_from": election.term_from, "term_until": election.term_until},
    )
    uow.session.flush()
    return election
