"""What stands on the public boards (网格公示牌) of grids, and the sheets to print. Nothing of households is read.

Boards hang in villages: their words are Chinese whatever the language of who prints them (`print_boards`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.queries import ancestor_codes, names
from xiangyue.features.grids import queries_posts
from xiangyue.features.grids.policy import GRID_PRINT, ROLES, DutyList
from xiangyue.features.grids.rules import duty_lists
from xiangyue.features.grids.words import kind_words
from xiangyue.files.poster import LANDSCAPE, Line, Poster, write_posters
from xiangyue.files.workbook import Written
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.text.dates import parse_date
from xiangyue.text.problems import TextProblem

#: Sheets that are drawn while one waits; more are a job's.
DIRECT = 40
_AT_A_TIME = 100
_STANDING = """
SELECT g.id, g.code, g.kind, g.special_kind, g.token, v.name, v.level, v.area_code
  FROM grid_version v JOIN grid g ON g.id = v.grid_id
 WHERE {scope:v} AND {tenant:g} AND v.valid_from <= CAST(:on AS date)
   AND (v.valid_to IS NULL OR v.valid_to > CAST(:on AS date))
"""
_COLUMNS = ("id", "code", "kind", "special_kind", "token", "name", "level", "area_code")


@dataclass(frozen=True, slots=True)
class Boards:
    """Which boards: of an area (0: all of mine) or one grid, on a day; ``leaf_only``: of grids with households."""

    on: date
    area: int = 0
    grid_id: int | None = None
    leaf_only: bool = False
    orientation: str = LANDSCAPE

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> Boards:
        """As a job keeps it. Raises Invalid (on)."""
        try:
            on = parse_date(str(params["on"]))
        except TextProblem as error:
            raise Invalid({"on": [str(error)]}) from None
        return cls(on, int(params["area"]), params["grid_id"], bool(params["leaf_only"]), str(params["orientation"]))

    def where(self) -> tuple[str, dict[str, Any]]:
        more = " AND v.leaf" if self.leaf_only else ""
        if self.grid_id is not None:
            more += " AND g.id = :grid"
        return more, {"on": self.on, **({"grid": self.grid_id} if self.grid_id is not None else {})}


def standing(uow: Uow, wanted: Boards) -> list[dict[str, Any]]:
    """The grids whose boards these are, by code: id, code, kind, special_kind, token, name, level, area_code."""
    more, params = wanted.where()
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    rows = scoped_rows(uow.session, _STANDING + more + " ORDER BY g.code", params, scope=scope)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def people(uow: Uow, grid_ids: Sequence[int], on: date) -> dict[int, list[dict[str, Any]]]:
    """Who is in charge of each and still can be, as the board names them."""
    found = queries_posts.posts_on(uow, grid_ids, on)
    return {id: [post for post in posts if not post["problem"]] for id, posts in found.items()}


def posters(
    uow: Uow, grids: Sequence[Mapping[str, Any]], on: date, *, county: str, address: Callable[[UUID], str]
) -> Iterator[Poster]:
    """The sheet of each grid, some at a time. ``address``: of the public page with this token."""
    duties = duty_lists(uow)
    for start in range(0, len(grids), _AT_A_TIME):
        some = grids[start : start + _AT_A_TIME]
        posts = people(uow, [grid["id"] for grid in some], on)
        places = names(uow, {code for grid in some for code in ancestor_codes(grid["area_code"])})
        for grid in some:
            owed = duties.get(grid["level"], DutyList())
            above = [places[code] for code in ancestor_codes(grid["area_code"])[1:] if code in places]
            yield Poster(
                kind=_("Grid board"),
                place=" · ".join([county, *above]),
                name=grid["name"],
                url=address(grid["token"]),
                url_caption=_("Scan to see who is in charge now"),
                people_title=_("In charge"),
                people=[_line(post) for post in posts[grid["id"]]],
                nobody=_("Nobody is in charge at present. Ask the village."),
                facts=[
                    (_("Code"), grid["code"]),
                    (_("Level"), str(kind_words(grid))),
                    (_("Village or group"), "".join(above[1:]) or county),
                ],
                items_title=owed.title or _("Duties"),
                items=owed.items,
                items_source=owed.source,
                foot=_("Made known by %(county)s, as of %(day)s", county=county, day=on.isoformat()),
            )


def _line(post: Mapping[str, Any]) -> Line:
    return Line(
        str(ROLES[post["role"]]), post["name"], post["unit"], post["office_phone"],
        strong=post["role"] == "leader" and post["principal"],
    )  # fmt: skip


@acts(GRID_PRINT)
def print_boards(
    uow: Uow, *, wanted: Boards, county: str, address: Callable[[UUID], str], step: Callable[[int], None] | None = None
) -> tuple[Written, str]:
    """The PDF and what it is called; who printed what is put into the audit trail. No grid: a file of no rows."""
    with in_locale("zh"):
        grids = standing(uow, wanted)
        where = names(uow, [wanted.area]).get(wanted.area, county) if wanted.area else county
        title = f"{_('Grid board')} {grids[0]['name'] if wanted.grid_id is not None and grids else where}"
        written = write_posters(
            posters(uow, grids, wanted.on, county=county, address=address),
            title=title, author=county, orientation=wanted.orientation, step=step,
        )  # fmt: skip
    label = f"{grids[0]['name']} {grids[0]['code']}" if wanted.grid_id is not None and grids else where
    audit(
        uow, action="grid.print", object_type="grid", object_id=wanted.grid_id, label=label,
        area_code=grids[0]["area_code"] if wanted.grid_id is not None and grids else wanted.area,
        after={"rows": len(grids), "on": wanted.on},
    )  # fmt: skip
    return written, title.replace(" ", "-") + f"-{wanted.on.isoformat()}"
