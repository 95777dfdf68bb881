"""Locations of households taken in from a file: a register of its own, one row for each household."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.households import service
from xiangyue.features.households.location import clean_location
from xiangyue.features.households.location_columns import COLUMNS
from xiangyue.features.households.models import Household
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import CellFault, ImportRegister, RegisterChange, RegisterRow, RowOutlook


def _location(values: Mapping[str, Any]) -> str:
    if values.get("location"):
        return clean_location(values["location"])
    return clean_location(f"{values.get('longitude', '')},{values.get('latitude', '')}")


def _households(uow: Uow, ids: Sequence[int]) -> dict[int, Household]:
    return {one.id: one for one in uow.session.scalars(select(Household).where(Household.id.in_(ids)))}


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """What each row would do to its household's location."""
    known = _households(uow, [row.values["household"] for row in rows])
    return [_outlook(row, known[row.values["household"]]) for row in rows]


def _outlook(row: RegisterRow, household: Household) -> RowOutlook:
    values = row.values
    column = "location" if values.get("location") else "longitude"
    faults = []
    if column == "longitude" and not (values.get("longitude") and values.get("latitude")):
        missing = "latitude" if values.get("longitude") else "longitude"
        faults.append(CellFault(missing, _l("Longitude and latitude are needed, or both in one column.")))
    location = ""
    if not faults:
        try:
            location = _location(values)
        except ValueError as error:
            faults.append(CellFault(column, error.args[0]))
    return RowOutlook(
        row.number, household.id, household.head_name or household.code, {"location": household.location},
        {"location": location} if location else {}, faults,
    )  # fmt: skip


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    """Give households their locations, each as an edit of its own in the trail."""
    known = _households(uow, [row.values["household"] for row in rows])
    for row in rows:
        _set(uow, known[row.values["household"]], _location(row.values))


def _set(uow: Uow, household: Household, location: str) -> None:
    service.edit_household(uow, household_id=household.id, version=household.version, changes={"location": location})


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Households that have another location by now."""
    known = _households(uow, [change.record for change in changes])
    return {
        change.record: _l("It has been given another location since.")
        for change in changes
        if change.record not in known or known[change.record].location != change.after.get("location")
    }


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    """The locations that stood before."""
    known = _households(uow, [change.record for change in changes])
    for change in changes:
        _set(uow, known[change.record], str((change.before or {}).get("location") or ""))


LOCATIONS = ImportRegister(
    "household_locations",
    _l("Locations of households"),
    HOUSEHOLD_EDIT,
    COLUMNS,
    ("household",),
    check,
    write,
    undo,
    built,
    help=_l("Longitude and latitude in degrees, for maps and for planning grids."),
)
