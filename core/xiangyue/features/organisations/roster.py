"""The roster of posts: one row for each holder, in columns that the import of a roster reads again."""

from __future__ import annotations

from typing import Any

from xiangyue.features.organisations import policy
from xiangyue.features.organisations.holders import Holding, Seats
from xiangyue.features.organisations.view import GONE, Line
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import SEX

#: key -> heading.
COLUMNS: dict[str, Any] = {
    "area": _l("Where"),
    "organisation": _l("Organisation"),
    "kind": _l("Kind of organisation"),
    "post": _l("Post"),
    "name": _l("Full name"),
    "number": _l("Number of the person"),
    "sex": _l("Sex"),
    "age": _l("Age"),
    "unit": _l("Unit (from outside the register)"),
    "since": _l("In the post since"),
    "until": _l("Term until"),
    "way": _l("How it came"),
    "decided": _l("Decided on"),
    "votes": _l("Votes for"),
    "cast": _l("Votes cast"),
    "document": _l("Number of the paper"),
    "state": _l("To look at"),
}


def headings() -> list[Any]:
    return list(COLUMNS.values())


def cells(line: Line, one: Holding) -> list[Any]:
    """A holder as a row."""
    row = one.row
    values = {
        "area": line.area,
        "organisation": line.row.name,
        "kind": line.kind,
        "post": one.post.name,
        "name": one.name,
        "number": row.person_id,
        "sex": SEX.label(str(one.who.sex)) if one.who is not None and one.who.sex else "",
        "age": one.age,
        "unit": row.outsider_unit,
        "since": row.valid_from,
        "until": row.term_until,
        "way": str(policy.WAYS.get(row.way, row.way)),
        "decided": row.decided_on,
        "votes": row.votes,
        "cast": row.votes_cast,
        "document": row.document,
        "state": _state(one),
    }
    return [values[key] for key in COLUMNS]


def _state(one: Holding) -> str:
    return str(GONE.get(one.gone, "")) if one.gone else ""


def empty_cells(line: Line, seats: Seats) -> list[Any]:
    """A post that must be taken and that nobody holds."""
    values = {"area": line.area, "organisation": line.row.name, "kind": line.kind, "post": seats.post.name}
    values["state"] = str(_l("vacant"))
    return [values.get(key) for key in COLUMNS]
