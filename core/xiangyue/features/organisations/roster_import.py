"""The roster of posts taken in: a register of its own, one row for each holder, by the machinery of the imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.queries import names as area_names
from xiangyue.features.organisations import checks, choosing, inputs, policy, queries, service, service_holders
from xiangyue.features.organisations.checks import Term
from xiangyue.features.organisations.holders import people, post_name
from xiangyue.features.organisations.models import Organisation, Post, PostHolder, PostKind
from xiangyue.features.organisations.roster import HEADINGS
from xiangyue.features.organisations.taking import check as may_take
from xiangyue.features.organisations.taking import read_holder
from xiangyue.features.organisations.usual_names import P, kind_synonyms, meant_post
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import (
    CellFault,
    ImportRegister,
    RegisterChange,
    RegisterChoice,
    RegisterColumn,
    RegisterRow,
    RowOutlook,
)

#: Column of the sheet -> column of PostHolder.
_PLAIN = {
    "since": "valid_from", "term_end": "term_until", "way": "way", "decided": "decided_on", "votes": "votes",
    "cast": "votes_cast", "document": "document",
}  # fmt: skip
#: Where a fault of the services stands in the sheet.
_AT = {
    "valid_from": "since", "term_until": "term_end", "decided_on": "decided", "votes_cast": "cast", "votes": "votes",
    "person_id": "holder", "outsider_name": "holder", "outsider_unit": "unit", "doubt_reason": "allowed", "way": "way",
    "document": "document", "note": "document",
}  # fmt: skip


def _kinds(uow: Uow) -> Sequence[RegisterChoice]:
    kinds = queries.kinds(uow)
    # What a kind of the county is called is no other word for one of the core's.
    names = {name for kind in kinds for name in (kind.name, kind.name_en)}
    return [
        RegisterChoice(
            kind.key, kind.name, kind.name_en, tuple(word for word in kind_synonyms(kind.key) if word not in names)
        )
        for kind in kinds
    ]


def _ways(_uow: Uow) -> Sequence[RegisterChoice]:
    with in_locale("zh"):
        chinese = {key: str(label) for key, label in policy.WAYS.items()}
    with in_locale("en"):
        return [RegisterChoice(key, chinese[key], str(label)) for key, label in policy.WAYS.items()]


_KIND_HELP = _l("Needed where the organisation is not on record yet: it is recorded with the posts of its kind.")
COLUMNS = (
    RegisterColumn("place", HEADINGS["place"], "place", required=True),
    RegisterColumn("organisation", HEADINGS["organisation"], required=True, width=24),
    RegisterColumn("org_kind", HEADINGS["org_kind"], "choice", choices=_kinds, width=18,
                   help=_KIND_HELP),
    RegisterColumn("post_name", HEADINGS["post_name"], required=True,
                   help=_l("As on the organisation's page, or as it is usually called.")),
    RegisterColumn("holder", HEADINGS["holder"], required=True, help=_l("As on the household register."), width=14),
    RegisterColumn("person_no", HEADINGS["person_no"], "integer", help=_l("Where two people have one name.")),
    RegisterColumn("outside", HEADINGS["outside"], "boolean", help=_l("Yes: not looked for on the register.")),
    RegisterColumn("unit", HEADINGS["unit"], width=18),
    RegisterColumn("since", HEADINGS["since"], "date", required=True, example="2024-03-01"),
    RegisterColumn("term_end", HEADINGS["term_end"], "date", example="2029-03-01"),
    RegisterColumn("way", HEADINGS["way"], "choice", required=True, choices=_ways),
    RegisterColumn("decided", HEADINGS["decided"], "date", example="2024-02-20"),
    RegisterColumn("votes", HEADINGS["votes"], "integer"),
    RegisterColumn("cast", HEADINGS["cast"], "integer"),
    RegisterColumn("document", HEADINGS["document"], width=18),
    RegisterColumn("allowed", HEADINGS["allowed"], width=24,
                   help=_l("Where somebody may be a near relative whom the law excludes: what was found out.")),
)  # fmt: skip


def _organisation(uow: Uow, values: Mapping[str, Any]) -> Organisation | None:
    found = select(Organisation).where(
        Organisation.area_code == values["place"],
        Organisation.name == values["organisation"],
        Organisation.dissolved_on.is_(None),
    )
    return uow.session.scalars(found).first()


def _post(uow: Uow, organisation: Organisation, values: Mapping[str, Any]) -> Post | None:
    return _meant(uow, _posts(uow, organisation), organisation.kind_key, values)


def _meant(uow: Uow, posts: Sequence[P], kind_key: str, values: Mapping[str, Any]) -> P | None:
    """The one of these posts that a row names, in its own words or the field's."""
    found = meant_post(posts, kind_key, values["post_name"])
    if found is None:
        place = area_names(uow, [values["place"]]).values()
        found = meant_post(posts, kind_key, values["post_name"], (values["organisation"], *place))
    return found


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    number = values.get("person_no")
    outside = values.get("outside") or (values.get("unit") and number is None)
    who = f"{values['holder']} #{number}" if number is not None else values["holder"]
    return {"who": who, "outside": "1" if outside else "", "unit": values.get("unit", "")}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_PLAIN[key]: value for key, value in values.items() if key in _PLAIN}


def _allowed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"doubt_reason": values["allowed"] or ""} if "allowed" in values else {}


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """What each row would do: a new holder, one whose entry is put right, or nothing."""
    coming: list[checks.Sitting] = []
    return [_outlook(uow, row, coming) for row in rows]


def _outlook(uow: Uow, row: RegisterRow, coming: list[checks.Sitting]) -> RowOutlook:
    """``coming``: new holders of the rows before, who are not recorded yet; this one is added."""
    values = dict(row.values)
    faults: list[CellFault] = []
    organisation = _organisation(uow, values)
    post = None
    named: Post | PostKind | None
    if organisation is None:
        named = _check_new(uow, values, faults)
    else:
        named = post = _post(uow, organisation, values)
        if values.get("org_kind", organisation.kind_key) != organisation.kind_key:
            faults.append(CellFault("org_kind", _l("The organisation is on record as of another kind.")))
        if post is None:
            names = "、".join(one.name for one in _posts(uow, organisation))
            faults.append(CellFault("post_name", _l("It has no such post. Its posts: %(names)s.", names=names)))
    if named is not None:
        values["post_name"] = named.name
    errors: dict[str, list[Any]] = {}
    doubts: list[str] = []
    meant = choosing.meant(uow, _typed(values), values["place"])
    who = read_holder(uow, meant.values, errors) if meant.problem is None else None
    if meant.problem is not None:
        faults.append(CellFault("holder", _told(meant)))
    if who is not None and who.person is not None and who.person.name != str(values["holder"]).strip():
        faults.append(CellFault("person_no", _l("That number is %(name)s's.", name=who.person.name)))
    inputs.came_to_it({"way": "", **_plain(values)}, errors, since=values["since"])
    standing = _standing(uow, post, who.key) if post is not None and who is not None else None
    home = organisation or Organisation(
        kind_key=values.get("org_kind", ""), area_code=values["place"], name=values["organisation"]
    )
    seat = post or _post_to_come(named, values)
    if who is not None and (organisation is None or post is not None):
        term = Term(values["since"], standing.valid_to if standing is not None else None)
        reason = values.get("allowed") or (standing.doubt_reason if standing is not None else "")
        if standing is not None and standing.valid_from == term.since:
            doubts = standing.doubt  # as they were found when it was recorded: `edit_holder` asks of other days only
        else:
            but = standing.id if standing is not None else 0
            doubts, wrong = may_take(uow, home, seat, who, term, reason, but=but, beside=coming)
            errors |= wrong
        if standing is None and "valid_from" not in errors:
            there = [one for one in checks.holders_of_post(uow, seat.id) if checks.term_of(one).meets(term)]
            beside = [one for one in coming if _same_post(one, home, seat)]
            if beside and seat.seats_max is not None and len(there) + len(beside) >= seat.seats_max:
                errors["valid_from"] = [_l("The sheet has more people for this post than it has seats.")]
            if not faults and not errors:
                person = who.person.id if who.person is not None else None
                coming.append((PostHolder(person_id=person, valid_from=term.since), seat, home))
    for field, texts in errors.items():
        faults.append(CellFault(_AT.get(field, "holder"), " ".join(str(text) for text in texts)))
    name = f"{values['organisation']} {values['post_name']} {values['holder']}"
    before = _before(uow, standing, post, organisation) if standing is not None else {}
    kept_apart = ("outside", "person_no") if doubts else ("outside", "person_no", "allowed")
    after = {key: value for key, value in values.items() if key not in kept_apart}
    return RowOutlook(row.number, standing.id if standing is not None else None, name, before, after, faults)


def _post_to_come(named: Post | PostKind | None, values: Mapping[str, Any]) -> Post:
    """A post of an organisation that the file records, as it will be."""
    if named is None:
        return Post(name=values["post_name"], name_en="", lead=False)
    return Post(name=named.name, name_en=named.name_en, lead=named.lead, seats_max=named.seats_max)


def _same_post(one: checks.Sitting, home: Organisation, seat: Post) -> bool:
    _row, post, organisation = one
    there = (organisation.area_code, organisation.name, post.name)
    return there == (home.area_code, home.name, seat.name)


def _told(meant: choosing.Meant) -> str:
    listed = "；".join(f"#{number} {words}" for number, words in meant.choices[:5])
    return f"{meant.problem} {listed}".strip()


def _posts(uow: Uow, organisation: Organisation) -> list[Post]:
    of = select(Post).where(Post.organisation_id == organisation.id, Post.active.is_(True)).order_by(Post.position)
    return list(uow.session.scalars(of))


def _check_new(uow: Uow, values: Mapping[str, Any], faults: list[CellFault]) -> PostKind | None:
    """Of an organisation that is not on record: its kind, whether that stands there, and its post, which it returns."""
    kind = queries.kind_of(uow, values.get("org_kind", ""))
    if kind is None:
        text = _l("There is no such organisation there. Say its kind, then it is recorded, or mend the name.")
        faults.append(CellFault("org_kind", text))
        return None
    level = uow.session.scalars(select(Area.level).where(Area.area_code == values["place"])).one_or_none()
    if checks.check_kind(uow, kind, level or ""):
        faults.append(CellFault("org_kind", _l("An organisation of this kind does not stand there.")))
    posts: list[PostKind] = queries.post_kinds(uow, kind.key)
    post = _meant(uow, posts, kind.key, values)
    if post is None:
        names = "、".join(post_name(post) for post in posts)
        faults.append(CellFault("post_name", _l("It has no such post. Its posts: %(names)s.", names=names)))
    return post


def _standing(uow: Uow, post: Post, key: int | str) -> PostHolder | None:
    """The entry that a row is about: who holds the post now."""
    rows = checks.holders_of_post(uow, post.id)
    return next((row for row in rows if row.valid_to is None and (row.person_id or row.outsider_name) == key), None)


def _before(uow: Uow, row: PostHolder, post: Post | None, organisation: Organisation | None) -> dict[str, Any]:
    """What stands, by the columns' keys."""
    known = people(uow, [row.person_id]) if row.person_id is not None else {}
    plain = {key: getattr(row, column) for key, column in _PLAIN.items()}
    found = {
        **plain,
        "document": row.document or None,
        "allowed": row.doubt_reason or None,
        "holder": known[row.person_id].name if row.person_id in known else row.outsider_name,
        "unit": row.outsider_unit or None,
    }
    if post is not None and organisation is not None:
        found |= {"post_name": post.name, "organisation": organisation.name, "org_kind": organisation.kind_key}
        found["place"] = organisation.area_code
    return found


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    """Record what is new, put right what stands."""
    for row in rows:
        values = row.values
        if row.record is not None:
            holder = queries.get_holder(uow, row.record)[0]
            service_holders.edit_holder(
                uow, id=holder.id, version=holder.version, values={**_plain(values), **_allowed(values)}
            )
            continue
        organisation = _organisation(uow, values)
        if organisation is None:
            new = {"kind": values["org_kind"], "area": str(values["place"]), "name": values["organisation"]}
            organisation = service.create_organisation(uow, values=new)
        post = _post(uow, organisation, values)
        if post is None:
            raise LookupError("the post went between the check and the writing")
        meant = choosing.meant(uow, _typed(values), values["place"])
        service_holders.appoint(uow, post_id=post.id, values={**_plain(values), **_allowed(values), **meant.values})


def _rows(uow: Uow, changes: Sequence[RegisterChange]) -> dict[int, PostHolder]:
    found = select(PostHolder).where(PostHolder.id.in_([change.record for change in changes]))
    return {row.id: row for row in uow.session.scalars(found)}


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Entries that are no longer as the import left them."""
    now = _rows(uow, changes)
    reasons: dict[int, Any] = {}
    for change in changes:
        row = now.get(change.record)
        if row is None:
            reasons[change.record] = _l("The entry was taken out.")
        elif row.valid_to is not None:
            reasons[change.record] = _l("The term has ended since.")
        else:
            stands = _before(uow, row, None, None)
            if any(stands[key] != _as(key, value) for key, value in change.after.items() if key in stands):
                reasons[change.record] = _l("The entry was changed afterwards.")
    return reasons


def _as(key: str, value: Any) -> Any:
    """A value as kept with the import: days may have become text."""
    day = key in ("since", "term_end", "decided")
    return date.fromisoformat(value) if day and isinstance(value, str) and value else value


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    """Entries that the import made go, others get back what stood. Organisations that it recorded stay."""
    now = _rows(uow, changes)
    for change in changes:
        row = now[change.record]
        if change.before is None:
            service_holders.remove_holder(uow, id=row.id, version=row.version, reason=_("The import was undone"))
        else:
            back = {key: _as(key, change.before.get(key)) for key in change.after if key in _PLAIN}
            if "allowed" in change.after:
                back["allowed"] = change.before.get("allowed")
            service_holders.edit_holder(uow, id=row.id, version=row.version, values={**_plain(back), **_allowed(back)})


REGISTER = ImportRegister(
    "organisation_posts",
    _l("Roster of posts"),
    policy.EDIT,
    COLUMNS,
    ("place", "organisation", "post_name", "holder", "person_no"),
    check,
    write,
    undo,
    built,
    help=_l(
        "One row for each holder of a post, as the roster of posts is exported. Without a village the organisation is"
        " the town's; it is the county's where the county's name stands for the town. Who holds the post already is put"
        " right; nobody leaves a post by this. Undone, entries go; organisations that it recorded stay."
    ),
)
