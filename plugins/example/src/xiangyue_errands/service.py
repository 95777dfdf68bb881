"""Writes on errands. None of them commits; each writes its audit entry in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from xiangyue.sdk.access import acts, audit
from xiangyue.sdk.db import Uow, area_range, scoped_sql, stage_rows
from xiangyue.sdk.errors import Conflict, Invalid, Stale
from xiangyue.sdk.hooks import Change
from xiangyue.sdk.i18n import _l, today
from xiangyue.sdk.register import Area, Household
from xiangyue.sdk.settings import plugin_settings
from xiangyue_errands import policy, queries
from xiangyue_errands.models import Errand, Station


@acts(policy.EDIT)
def open_errand(
    uow: Uow,
    *,
    household_id: int,
    kind: str,
    title: str,
    due_on: date | None = None,
    client_id: uuid.UUID | None = None,
) -> Errand:
    """Take an errand on. With ``client_id`` a repeat is the same errand. Raises NotFound, Invalid (kind,
    title, or "" where the town takes on none)."""
    household = uow.get(Household, household_id)
    title, faults = " ".join(title.split()), {}
    if kind not in policy.KINDS:
        faults["kind"] = [_l("Choose what kind of errand it is.")]
    if not 2 <= len(title) <= policy.TITLE_LENGTH:
        faults["title"] = [_l("Say what is to be done, in 2 to %(n)d characters.", n=policy.TITLE_LENGTH)]
    if faults:
        raise Invalid(faults)
    source = None if client_id is None else f"client:{client_id}"
    if source is not None:
        known = uow.session.scalars(select(Errand).where(Errand.source == source)).one_or_none()
        if known is not None:
            return known
    if _closed(uow, household.area_code):
        raise Invalid({"": [_l("This household's town takes on no errands. The plugin's settings say which do.")]})
    days = plugin_settings(uow, "errands")["days"]
    errand = Errand(
        household_id=household.id,
        area_code=household.area_code,
        kind=kind,
        title=title,
        due_on=due_on or today() + timedelta(days=days),
        source=source,
    )
    uow.session.add(errand)
    audit(
        uow,
        action="errands.open",
        obj=errand,
        label=household.head_name,
        after={"kind": kind, "title": title, "due_on": errand.due_on},
    )
    return errand


def _closed(uow: Uow, area: int) -> bool:
    ranges = [area_range(town) for town in plugin_settings(uow, "errands")["closed_towns"]]
    return any(first <= area <= last for first, last in ranges)


@acts(policy.EDIT)
def finish_errand(uow: Uow, *, id: int, version: int) -> Errand:
    """Mark an errand as done. Raises NotFound, Stale, Conflict for one that is done already."""
    errand = uow.get_for_update(Errand, id)
    if errand.state == "done":
        raise Conflict(_l("This errand is finished already."))
    if errand.version != version:
        raise Stale(_l("Somebody else has changed this errand in the meantime."), theirs={"version": errand.version})
    errand.state, errand.done_on, errand.ask_again = "done", today(), False
    errand.version += 1
    household = uow.get(Household, errand.household_id)
    audit(uow, action="errands.finish", obj=errand, label=household.head_name, after={"done_on": errand.done_on})
    uow.session.flush()
    return errand


@acts(policy.EDIT)
def open_from_roster(uow: Uow, *, wishes: Sequence[tuple[int, str]]) -> int:
    """An errand for each (household, title) of a roster, in one statement; the same wish again is the same errand."""
    stage_rows(uow.session, "stage_errands", {"household_id": "bigint", "title": "text"}, wishes)
    due_on = today() + timedelta(days=plugin_settings(uow, "errands")["days"])
    opened = scoped_sql(
        uow.session,
        "INSERT INTO plugin_errands.errand (tenant_id, area_code, household_id, kind, title, due_on, source)"
        " SELECT DISTINCT h.tenant_id, h.area_code, h.id, 'other', left(s.title, 100), CAST(:due_on AS date),"
        " 'roster:' || h.id || ':' || md5(s.title)"
        " FROM stage_errands s JOIN household h ON h.id = s.household_id WHERE {tenant:s} AND {scope:h}"
        " ON CONFLICT (tenant_id, source) DO NOTHING",
        {"due_on": due_on},
    ).rowcount
    audit(uow, action="errands.import", object_type="errand", after={"errands": opened})
    return opened


@acts(policy.EDIT)
def open_follow_up(uow: Uow, *, household_id: int) -> None:
    """A visit at the home of a household that asks often: once a year, however often it is told; none where the town
    takes on no errands."""
    if _closed(uow, uow.get(Household, household_id).area_code):
        return
    source = f"often:{household_id}:{today().year}"
    if uow.session.scalars(select(Errand.id).where(Errand.source == source)).first() is None:
        errand = open_errand(uow, household_id=household_id, kind="visit", title=str(_l("Visit at home")))
        errand.source = source


@acts(policy.EDIT)
def follow_households(uow: Uow, *, household_id: int = 0) -> None:
    """Errands go where their household went: those of one household, or all. One statement."""
    scoped_sql(
        uow.session,
        "UPDATE plugin_errands.errand e SET area_code = h.area_code FROM household h"
        " WHERE {tenant:e} AND {tenant:h} AND h.id = e.household_id AND e.area_code <> h.area_code"
        " AND (:household = 0 OR h.id = :household)",
        {"household": household_id},
    )


@acts(policy.EDIT)
def ask_again(uow: Uow, *, household_id: int) -> None:
    """Open errands of a household are asked about again: somebody left it."""
    fits = (Errand.household_id == household_id, Errand.state == "open", Errand.ask_again.is_(False))
    uow.session.execute(update(Errand).where(*fits).values(ask_again=True))


@acts(policy.EDIT)
def ask_again_in(uow: Uow, *, village: int) -> None:
    """The same of a whole village: it was divided anew, and somebody else may be in charge now."""
    fits = (Errand.area_code.between(village, village + 999), Errand.state == "open", Errand.ask_again.is_(False))
    uow.session.execute(update(Errand).where(*fits).values(ask_again=True))


@acts(policy.EDIT)
def ask_again_in_grid(uow: Uow, *, grid_id: int) -> None:
    """The same of the households of a grid that has lost who was in charge."""
    scoped_sql(
        uow.session,
        "UPDATE plugin_errands.errand e SET ask_again = true FROM grid_household g"
        " WHERE {tenant:e} AND {tenant:g} AND g.household_id = e.household_id AND g.grid_id = :grid"
        " AND g.valid_to IS NULL AND e.state = 'open'",
        {"grid": grid_id},
    )


@acts(policy.EDIT)
def ask_again_in_group(uow: Uow, *, group_id: int) -> None:
    """The same of the households of a ten-household group that has lost its head."""
    scoped_sql(
        uow.session,
        "UPDATE plugin_errands.errand e SET ask_again = true FROM household_group_member m"
        " WHERE {tenant:e} AND {tenant:m} AND m.household_id = e.household_id AND m.group_id = :group"
        " AND m.valid_to IS NULL AND e.state = 'open'",
        {"group": group_id},
    )


@acts(policy.EDIT)
def ask_again_of(uow: Uow, *, person_ids: Sequence[int]) -> None:
    """The same of the households of these persons, who have other things to do now."""
    scoped_sql(
        uow.session,
        "UPDATE plugin_errands.errand e SET ask_again = true FROM person p"
        " WHERE {tenant:e} AND {tenant:p} AND p.household_id = e.household_id AND p.id = ANY(:persons)"
        " AND e.state = 'open'",
        {"persons": list(person_ids)},
    )


@acts(policy.EDIT)
def recheck_old(uow: Uow) -> int:
    """Mark open errands that are long overdue; returns how many."""
    fits = (Errand.state == "open", Errand.due_on < queries.stale_day(), Errand.ask_again.is_(False))
    marked: Any = uow.session.execute(update(Errand).where(*fits).values(ask_again=True))
    if marked.rowcount:
        audit(uow, action="errands.ask_again", object_type="errand", after={"errands": marked.rowcount})
    return int(marked.rowcount)


@acts(policy.EDIT)
def set_stations(uow: Uow, *, wanted: Sequence[tuple[Station | None, Mapping[str, Any]]]) -> None:
    """Make stations, or change what is said of them: (station or None, values by the columns of `stations`). The
    import that calls it writes the audit entry."""
    for known, values in wanted:
        station = known
        if station is None:
            station = Station(area_code=values["place"], name=values["title"])
            uow.session.add(station)
        _set(station, values)
    uow.session.flush()


@acts(policy.EDIT)
def take_stations_back(uow: Uow, *, changes: Sequence[tuple[Station, Mapping[str, Any] | None]]) -> None:
    """Stations as they were: what stood before, or None for one that goes."""
    for station, before in changes:
        if before is None:
            uow.session.delete(station)
        else:
            _set(station, before)
    uow.session.flush()


def _set(station: Station, values: Mapping[str, Any]) -> None:
    station.name = values.get("title", station.name)
    if "hours" in values:
        station.hours = values["hours"] or ""
    if "opened_on" in values:
        station.opened_on = values["opened_on"]
    if "desk_phone" in values:
        station.desk_phone = values["desk_phone"] or ""


@acts(policy.EDIT)
def open_stations(uow: Uow) -> list[Change]:
    """A station for every village that has none yet; returns what was added."""
    known = set(uow.session.scalars(select(Station.area_code)))
    villages = select(Area).where(Area.level == "village", Area.active.is_(True)).order_by(Area.area_code)
    changes = []
    for village in uow.session.scalars(villages):
        if village.area_code not in known:
            uow.session.add(Station(area_code=village.area_code, name=village.name))
            changes.append(Change("add", f"errands station {village.name}"))
    uow.session.flush()
    return changes
