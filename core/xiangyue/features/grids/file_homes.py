"""Which household lies in which grid, taken in from a file: moves of households as by hand, with their undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids import codes, queries, service, trying, undoing
from xiangyue.features.grids.file_columns import CODE_ALIASES, HOME
from xiangyue.features.grids.file_reason import by_import, reason
from xiangyue.features.grids.models import GridChange, GridHousehold
from xiangyue.features.grids.policy import GRID_EDIT
from xiangyue.features.grids.standing import WIDE, Divisions
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import CellFault, ImportRegister, RegisterChange, RegisterColumn, RegisterRow, RowOutlook

COLUMNS = (
    RegisterColumn("home_place", HOME["home_place"], "village", required=True),
    RegisterColumn("home", HOME["home"], "household",
                   help=_l("Its number in the village or full code; or leave it empty and give head and address.")),
    RegisterColumn("head_name", HOME["head_name"], help=_l("Needed where the household has no number here.")),
    RegisterColumn("home_address", HOME["home_address"], width=24,
                   help=_l("Needed where several heads have one name.")),
    RegisterColumn("grid_code", HOME["grid_code"], required=True, aliases=CODE_ALIASES, width=20,
                   example="6109211002002001"),
    RegisterColumn("moved_on", HOME["moved_on"], "date", example="2026-01-01", help=_l("Today if empty.")),
)  # fmt: skip
_BY_HEAD = """
SELECT h.id, h.address, h.code FROM household h
 WHERE {scope:h} AND h.state = 'active' AND h.area_code BETWEEN :lo AND :hi AND h.head_name = :head ORDER BY h.code
"""
_AT = {"on": "moved_on", "household_ids": "home", "grid_id": "grid_code"}


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """Where each household lies, and would lie."""
    divisions = Divisions(uow)
    return [_outlook(divisions, row) for row in rows]


def _outlook(divisions: Divisions, row: RegisterRow) -> RowOutlook:
    uow, values = divisions.uow, row.values
    faults: list[CellFault] = []
    id = _household(uow, values, faults)
    grid = codes.find_by_code(uow, values["grid_code"])
    if grid is None:
        faults.append(CellFault("grid_code", _l("No grid has or had this code.")))
    if id is None or grid is None:
        return RowOutlook(row.number, None, str(values.get("head_name", "")), {}, {}, faults)
    home, on = uow.get(Household, id), values.get("moved_on") or today()
    code, _name = queries.name_of(uow, [grid])[grid]
    before = {"grid_code": _lies(uow, id, on)}
    if before["grid_code"] != code:
        try:
            trying.try_move(divisions, grid_id=grid, area_code=home.area_code, household_ids=[id], on=on)
        except Invalid as invalid:
            for field, texts in invalid.fields.items():
                faults.append(CellFault(_at(field, values), " ".join(str(text) for text in texts)))
    return RowOutlook(row.number, id, f"{home.code[-4:]} {home.head_name}", before, {"grid_code": code}, faults)


def _at(field: str, values: Mapping[str, Any]) -> str:
    column = _AT.get(field, "grid_code")
    return "head_name" if column == "home" and "home" not in values else column


def _household(uow: Uow, values: Mapping[str, Any], faults: list[CellFault]) -> int | None:
    """By its number, else by head and address."""
    if "home" in values:
        return int(values["home"])
    if "head_name" not in values:
        faults.append(CellFault("head_name", _l("Give the household's number, or its head and address.")))
        return None
    lo = values["home_place"]
    params = {"lo": lo, "hi": lo + 999, "head": " ".join(str(values["head_name"]).split())}
    found = scoped_rows(uow.session, _BY_HEAD, params)
    if "home_address" in values:
        found = [row for row in found if _plain(row[1]) == _plain(values["home_address"])]
    if len(found) == 1:
        return int(found[0][0])
    column = "home_address" if "home_address" in values and not found else "head_name"
    if not found:
        faults.append(CellFault(column, _l("No household in this village has this head and address.")))
    else:
        text = _l("%(n)d households of this village have this head: give the number (%(numbers)s).", n=len(found),
                  numbers=join_words(code[-4:] for _id, _address, code in found[:5]))  # fmt: skip
        faults.append(CellFault("head_name", text))
    return None


def _plain(text: Any) -> str:
    return "".join(str(text or "").split())


def _lies(uow: Uow, household_id: int, on: date) -> str | None:
    """Code of the grid in which it lies on a day."""
    found = next(
        (
            g
            for g in queries.grids_of(uow, household_id)
            if g["since"] <= on and (g["until"] is None or g["until"] > on)
        ),
        None,
    )
    return found["code"] if found is not None else None


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    """One change for each grid and day."""
    why, divisions = reason(), Divisions(uow)
    moves: dict[tuple[int, date], list[int]] = {}
    for row in rows:
        grid = codes.find_by_code(uow, row.values["grid_code"])
        if grid is None or row.record is None:
            raise LookupError("the grid went between the check and the writing")
        moves.setdefault((grid, row.values.get("moved_on") or today()), []).append(row.record)
    for (grid, on), ids in sorted(moves.items(), key=lambda one: (one[0][1], one[0][0])):
        service.move_households(
            uow, grid_id=grid, household_ids=ids, on=on, reason=why, size_reason=why, divisions=divisions
        )


def _moved(uow: Uow, change: RegisterChange) -> GridChange | None:
    """The change of grids that put a household where the import wanted it; None once it is taken back."""
    grid = codes.find_by_code(uow, str(change.after["grid_code"]))
    wanted = (
        select(GridChange)
        .join(GridHousehold, GridHousehold.opened_by == GridChange.id)
        .where(GridHousehold.household_id == change.record, GridHousehold.grid_id == grid, GridChange.state == "done")
        .order_by(GridChange.id.desc())
        .limit(1)
    )
    return uow.session.scalars(wanted).one_or_none()


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Households that were moved again, or whose move has something built on it."""
    reasons: dict[int, Any] = {}
    against: dict[int, list[str]] = {}
    for change in changes:
        made = _moved(uow, change)
        if made is None:
            # Many households are moved by one change: that of this one may have gone back with another's.
            if _lies(uow, change.record, today()) != (change.before or {}).get("grid_code"):
                reasons[change.record] = _l("The household was moved again, or left the register.")
            continue
        if not by_import(made):
            reasons[change.record] = _l("The household was moved again, or left the register.")
            continue
        if made.id not in against:
            with uow.tenant_wide(WIDE):
                against[made.id] = undoing.built_on(uow, made, alone=False)
        if against[made.id]:
            reasons[change.record] = join_words(against[made.id], "; ")
    return reasons


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    """The moves go back, the last first."""
    found = {made.id: made for change in changes if (made := _moved(uow, change)) is not None}
    for id in sorted(found, reverse=True):
        service.undo_change(uow, change_id=id, version=found[id].version, reason=_("The import was undone"))


REGISTER = ImportRegister(
    "grid_households", _l("Households of grids"), GRID_EDIT, COLUMNS,
    ("home_place", "home", "head_name", "home_address"), check, write, undo, built,
    help=_l("One row for each household, as it is exported from the list of grids. The grids must be on record."),
)  # fmt: skip
