"""Stations by spreadsheet: a register with an import of its own, declared by its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import (
    CellFault,
    ImportRegister,
    RegisterChange,
    RegisterChoice,
    RegisterColumn,
    RegisterRow,
    RowOutlook,
)
from xiangyue.sdk.i18n import _l, today
from xiangyue_errands import service, words
from xiangyue_errands.models import Station
from xiangyue_errands.policy import EDIT


def hours(_uow: Uow) -> Sequence[RegisterChoice]:
    """When a station is open."""
    return [RegisterChoice(key, *names) for key, names in words.HOURS.items()]


COLUMNS = (
    RegisterColumn("place", words.PLACE, "village", required=True),
    RegisterColumn(
        "title",
        words.STATION,
        required=True,
        help=_l("What the station is called in the village."),
        example=words.STATION_EXAMPLE,
        aliases=words.STATION_ALIASES,
        width=20,
    ),
    RegisterColumn("hours", words.OPEN, "choice", choices=hours),
    RegisterColumn("opened_on", words.OPENED, "date", example="2024-03-01"),
    RegisterColumn("desk_phone", words.PHONE, "phone", example="15400000017"),
)


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """A village has one station: the row is about that, or about a new one."""
    known = _stations(uow, {row.values["place"] for row in rows})
    return [_outlook(row, known.get(row.values["place"])) for row in rows]


def _outlook(row: RegisterRow, station: Station | None) -> RowOutlook:
    faults = []
    if "opened_on" in row.values and row.values["opened_on"] > today():
        faults.append(CellFault("opened_on", _l("A station is entered when it has opened, not before.")))
    return RowOutlook(
        row.number,
        None if station is None else station.id,
        row.values["title"],
        {} if station is None else standing(station),
        dict(row.values),  # a cell that is empty changes nothing
        faults,
    )


def standing(station: Station) -> Mapping[str, Any]:
    """What stands, by the columns' keys."""
    return {
        "place": station.area_code,
        "title": station.name,
        "hours": station.hours or None,
        "opened_on": station.opened_on,
        "desk_phone": station.desk_phone or None,
    }


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    known = _stations(uow, {row.values["place"] for row in rows})
    service.set_stations(uow, wanted=[(known.get(row.values["place"]), row.values) for row in rows])


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Stations that are no longer as the import left them."""
    now = _by_id(uow, changes)
    reasons: dict[int, Any] = {}
    for change in changes:
        station = now.get(change.record)
        if station is None:
            reasons[change.record] = _l("The station is gone.")
        elif any(standing(station)[key] != value for key, value in change.after.items()):
            reasons[change.record] = _l("The station was changed afterwards.")
    return reasons


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    now = _by_id(uow, changes)
    service.take_stations_back(uow, changes=[(now[change.record], change.before) for change in changes])


def _stations(uow: Uow, places: Iterable[int]) -> dict[int, Station]:
    found = uow.session.scalars(select(Station).where(Station.area_code.in_(places)))
    return {station.area_code: station for station in found}


def _by_id(uow: Uow, changes: Sequence[RegisterChange]) -> dict[int, Station]:
    found = uow.session.scalars(select(Station).where(Station.id.in_([change.record for change in changes])))
    return {station.id: station for station in found}


REGISTER = ImportRegister(
    "errands_station",
    _l("Stations"),
    EDIT,
    COLUMNS,
    ("place",),
    check,
    write,
    undo,
    built,
    help=_l("One row for each village. A village that has a station keeps it; only what the row says is changed."),
)
