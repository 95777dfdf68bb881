"""Organisations as pages, panels and exports show them: words, columns, filters, what is to be pointed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import holders, policy, queries
from xiangyue.features.organisations.dates import term_state
from xiangyue.features.organisations.models import Organisation, OrganisationKind
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext, pick
from xiangyue.web.components import Column, Filter

COLUMNS = (
    Column("name", _l("Organisation"), sort=True, primary=True),
    Column("kind", _l("Kind of organisation")),
    Column("area", _l("Where"), sort=True),
    Column("lead", _l("Headed by")),
    Column("people", _l("People in it"), numeric=True),
    Column("open", _l("To look at")),
    Column("term", _l("Term until"), sort=True),
    Column("level", _l("Level"), default=False),
    Column("since", _l("Term from"), default=False),
    Column("founded", _l("Founded on"), default=False),
    Column("code", _l("Unified social credit code"), default=False),
)
GONE: dict[str, Any] = {
    "deceased": _l("died"),
    "moved": _l("moved away"),
    "merged": _l("the record became part of another"),
}
OPEN: dict[str, Any] = {"vacant": _l("A post is vacant"), "gone": _l("A holder died or moved away")}
TERMS: dict[str, Any] = {
    "late": _l("Term is over"),
    "soon": _l("Term ends within six months"),
    "none": _l("No term on record"),
}


def filters(uow: Uow) -> tuple[Filter, ...]:
    """Conditions of the list."""
    kinds = [(kind.key, pick(kind.name, kind.name_en)) for kind in queries.kinds(uow)]
    return (
        Filter("q", _l("Name, pinyin or code"), kind="text"),
        Filter("kind", _l("Kind of organisation"), choices=kinds),
        Filter("open", _l("To look at"), choices=list(OPEN.items())),
        Filter("term", _l("Term"), choices=list(TERMS.items())),
        Filter("family", _l("Sort of organisation"), choices=list(policy.FAMILIES.items()), more=True),
        Filter("level", _l("Level"), choices=list(policy.LEVELS.items()), more=True),
        Filter("until", _l("Term ends by"), kind="date", more=True),
        Filter("on", _l("As on the day"), kind="date", more=True),
        Filter("dissolved", _l("Dissolved ones"), choices=[("1", _l("Show them too"))], more=True),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wanted(args: Mapping[str, str], area: int = 0) -> queries.OrganisationFilter:
    """The conditions of an address; what cannot be read is left out (the list names it)."""
    return queries.OrganisationFilter(
        q=args.get("q", "").strip(),
        kind=args.get("kind", ""),
        family=args["family"] if args.get("family") in policy.FAMILIES else "",
        level=args["level"] if args.get("level") in policy.LEVELS else "",
        open=args["open"] if args.get("open") in OPEN else "",
        term=args["term"] if args.get("term") in TERMS else "",
        until=_day(args.get("until", "")),
        on=_day(args.get("on", "")),
        dissolved=args.get("dissolved") == "1",
        area=area,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """An organisation in a list."""

    row: Organisation
    kind: str
    area: str
    seats: list[holders.Seats]
    on: date
    #: Names from the town down.
    places: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def leads(self) -> list[holders.Holding]:
        return [h for seats in self.seats if seats.post.lead for h in seats.holdings]

    @property
    def people(self) -> int:
        """How many different people hold a post."""
        return len({h.row.person_id or h.name for seats in self.seats for h in seats.holdings})

    @property
    def vacant(self) -> list[holders.Seats]:
        return [seats for seats in self.seats if seats.missing] if self.row.dissolved_on is None else []

    @property
    def gone(self) -> list[holders.Holding]:
        return [h for seats in self.seats for h in seats.holdings if h.gone]

    @property
    def term(self) -> tuple[Any, str]:
        """(words, kind of due) of the end of the term."""
        if self.row.dissolved_on is not None:
            return _("dissolved %(day)s", day=self.row.dissolved_on.isoformat()), "ok"
        return term_words(self.row.term_until, self.on)


def term_words(until: date | None, on: date | None = None) -> tuple[Any, str]:
    """How far the end of a term is, in words, and how urgent: late, soon, ok."""
    day = on or today()
    state = term_state(until, day)
    if until is None:
        return "—", "ok"
    if state == "late":
        return _("over since %(day)s", day=until.isoformat()), "late"
    return until.isoformat(), "soon" if state == "soon" else "ok"


def lines(uow: Uow, rows: Sequence[Organisation], on: date | None = None) -> list[Line]:
    """Rows of a list with kind, place and holders in words."""
    day = on or today()
    kinds = queries.kind_names(uow)
    places = areas.paths(uow, {row.area_code for row in rows})
    seats = holders.seats_on(uow, [row.id for row in rows], day)
    return [
        Line(
            row,
            kinds.get(row.kind_key, row.kind_key),
            " ".join(name for _code, name in places.get(row.area_code, [])),
            seats[row.id],
            day,
            tuple(name for _code, name in places.get(row.area_code, [])),
        )
        for row in rows
    ]


def warnings(line: Line, kind: OrganisationKind | None) -> list[tuple[str, Any]]:
    """What is to be looked at about an organisation: (key, sentence)."""
    if line.row.dissolved_on is not None:
        return []
    found: list[tuple[str, Any]] = []
    for seats in line.vacant:
        text = ngettext("%(post)s: %(n)d seat is vacant", "%(post)s: %(n)d seats are vacant", seats.missing,
                        post=holders.post_name(seats.post), n=seats.missing)  # fmt: skip
        found.append(("vacant", text))
    least, most = (kind.least, kind.most) if kind is not None else (None, None)
    # While seats that must be taken are empty, it is plain that there are too few.
    if least is not None and line.people < least and not line.vacant:
        found.append(("few", _("%(n)s people; at least %(least)s must be in it", n=line.people, least=least)))
    if most is not None and line.people > most:
        found.append(("many", _("%(n)s people; at most %(most)s may be in it", n=line.people, most=most)))
    state = term_state(line.row.term_until, line.on)
    if state == "late":
        text = _(
            "The term ended on %(day)s; those in office stay until there is a new one", day=str(line.row.term_until)
        )
        found.append(("late", text))
    elif state == "soon":
        found.append(("soon", _("The term ends on %(day)s", day=str(line.row.term_until))))
    return found


def lines_of_area(uow: Uow, code: int) -> list[Line]:
    """Organisations that stand in exactly this area (15 digits), as far as the reader may see them."""
    with uow.scoped(uow.scope.within(uow.actor.scope(policy.VIEW))):
        return lines(uow, queries.of_area(uow, code))


def area_name(uow: Uow, code: int) -> str:
    """An area's name with those above it, from the town down."""
    return " ".join(name for _code, name in areas.paths(uow, {code}).get(code, []))
