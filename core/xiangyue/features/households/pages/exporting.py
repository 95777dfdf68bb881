"""A list as a file: the same for the page that sends it at once, for the API, and for the job that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.queries import code_text
from xiangyue.features.households.filters import HouseholdFilter
from xiangyue.features.households.list_query import (
    Page,
    count_households,
    count_persons,
    each_household,
    each_person,
    list_households,
)
from xiangyue.features.households.offered import fill, refuse, run_strictly
from xiangyue.features.households.pages.common import code_label, kind_name
from xiangyue.features.households.pages.listings import Listing, household_listing, person_listing, shown_marks
from xiangyue.features.households.pages.own_columns import own_cell
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.households.service_export import note_export
from xiangyue.features.households.words import HOUSEHOLD_STATES, PERSON_STATES
from xiangyue.features.privacy.access_log import Ids
from xiangyue.files.workbook import FORMATS, Written, write_table
from xiangyue.i18n import TIMEZONE, join_words
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.watermark import watermark

#: Called with the number of rows so far; may raise to stop.
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants as a file. ``entity``: household or person; ``query``: the parameters of the list's address;
    ``area``: 15 digits or 0; ``number``: under which it will be on record; ``reading``: what they said they need
    sensitive facts for."""

    entity: str
    query: str
    area: int
    format: str
    purpose: str
    number: str
    reading: str = ""

    def params(self) -> dict[str, Any]:
        """As a job keeps it."""
        return asdict(self)

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> Wanted:
        """From what a job kept. Raises Invalid for what no job of this version asks for."""
        wanted = cls(**{name: params[name] for name in cls.__slots__})
        if wanted.format not in FORMATS:
            raise Invalid({"format": [_l("Choose one of the options.")]})
        return wanted

    def listing(self, uow: Uow) -> Listing:
        """The list, with what is wrong with its parameters."""
        args = MultiDict((name, value) for name, value in parse_qsl(self.query) if (name, value) != ("area", "all"))
        return (person_listing if self.entity == "person" else household_listing)(uow, args)

    @property
    def title(self) -> str:
        return _("All persons") if self.entity == "person" else _("All households")

    @property
    def file_name(self) -> str:
        """Without its extension."""
        place = code_text(self.area) if self.area else ""
        return "-".join(part for part in (self.title, place, today().isoformat()) if part)


def count_rows(uow: Uow, wanted: Wanted, listing: Listing, keys: TenantKeys, *, cap: int | None = None) -> int:
    """How many rows it has. Raises PluginFailed."""
    narrowed = replace(listing.filter, area=wanted.area)
    if wanted.entity == "person":
        return count_persons(uow, narrowed, keys=keys, cap=cap)
    return run_strictly(uow, narrowed, lambda tried: count_households(uow, tried, keys=keys, cap=cap))


def write_export(
    uow: Uow, wanted: Wanted, listing: Listing, keys: TenantKeys, seen: Ids, step: Step | None = None
) -> Written:
    """The file, in memory that does not grow with it; ``seen`` gets the ids of its rows. Raises PluginFailed, and what
    ``step`` raises."""
    narrowed = replace(listing.filter, area=wanted.area)
    columns = listing.view.visible
    options: dict[str, Any] = {"sort": listing.view.order, "fields": listing.fields, "keys": keys}
    if wanted.entity == "person":
        rows = each_person(uow, narrowed, **options)
    else:
        rows = each_household(uow, narrowed, read=partial(_whole_page, listing), **options)

    def cells() -> Iterator[list[Any]]:
        for number, row in enumerate(rows, 1):
            if step is not None:
                step(number)
            seen.add(row["id"])
            yield [_cell(listing, column.key, row) for column in columns]

    mark = watermark(uow, wanted.purpose, wanted.number)
    return write_table(wanted.title, [c.label for c in columns], cells(), format=wanted.format, watermark=mark)


def put_on_record(uow: Uow, wanted: Wanted, listing: Listing, rows: int, seen: Ids) -> None:
    """The audit entry of a file that was made, and a line in the log of everybody in it."""
    known = listing.marks
    note_export(
        uow,
        entity=wanted.entity,
        number=wanted.number,
        purpose=wanted.purpose,
        area_code=wanted.area,
        rows=rows,
        columns=[c.key for c in listing.view.visible],
        seen=seen,
        conditions={n: listing.view.values(n) for n in listing.view.active_names},
        sensitive_marks=[k for k in listing.filter.marks if k in known and known[k].sensitivity != "normal"],
    )


def _whole_page(listing: Listing, uow: Uow, wanted: HouseholdFilter, **options: Any) -> Page:
    """A page of households with the columns of plugins. Raises PluginFailed: a file must be what was asked for."""
    found = run_strictly(uow, wanted, lambda tried: list_households(uow, tried, **options))
    refuse(fill(uow, found.items, listing.offered))
    return found


def _cell(listing: Listing, column: str, row: dict[str, Any]) -> Any:
    """The value of a column as the list shows it."""
    if column in listing.own:
        return own_cell(listing.own[column], row[column])
    if column == "name":
        # A person's row has the head's name too, where the column of the household is shown.
        name: str = row["name" if "name" in row else "head_name"] or ""
        # Nobody is called the head who is not.
        return _("%(name)s (no head of household)", name=name) if name and not row.get("has_head", True) else name
    if column in ("relation", "sex", "nationality"):
        return code_label(column, row[column])
    plain = {"place": "area_name", "size": "person_count", "away": "away_count", "household": "head_name"}
    if column == "marks":
        return join_words(kind_name(k) for k in shown_marks(listing, row["marks"] or ()))
    if column == "state":
        return str({**HOUSEHOLD_STATES, **PERSON_STATES}[row["state"]])
    if column == "updated":
        changed: datetime = row["updated_at"]
        return changed.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")
    if column == "left":
        return " · ".join(str(part) for part in (row["left_on"], row["left_reason"]) if part)
    if column == "birth_date":
        return age_on(row["birth_date"], today())
    if column == "away" and "away" in row:
        return _("Yes") if row["away"] else ""
    return row.get(plain.get(column, column))
