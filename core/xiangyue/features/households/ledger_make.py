"""A ledger made for an area: what the page, the API and the job have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, PurposeNeeded
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import ledger_query, queries
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter
from xiangyue.features.households.ledgers import Ledger, ledgers_of
from xiangyue.features.households.list_query import count_households, count_persons
from xiangyue.features.households.listing import mark_rights
from xiangyue.features.households.models import MarkKind
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import note_export
from xiangyue.features.privacy.access_log import Ids
from xiangyue.files.ledger import LedgerSheet, write_ledger
from xiangyue.files.workbook import Written
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words, ngettext, pick
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.watermark import watermark

#: Called with the number of rows so far; may raise to stop.
Step = Callable[[int], None]
EARLIEST = date(1949, 10, 1)


@dataclass(frozen=True, slots=True)
class LedgerWanted:
    """``ledger``: its key; ``area``: 15 digits, 0 for all that the person may export; ``on``: the day it is as of,
    ISO; ``full``: numbers not masked where the person may see them; the rest as in ``pages.exporting.Wanted``."""

    ledger: str
    area: int
    on: str
    purpose: str
    number: str
    full: bool = False
    reading: str = ""

    def params(self) -> dict[str, Any]:
        """As a job keeps it."""
        return asdict(self)

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> LedgerWanted:
        return cls(**{name: params[name] for name in cls.__slots__})


def offered(uow: Uow) -> dict[str, Ledger]:
    """The county's ledgers by key."""
    with uow.tenant_wide("kinds of marks are the county's"):
        rights = mark_rights(uow)
    return ledgers_of(dict.fromkeys([*rights.normal, *rights.sensitive, *rights.closed]))


def checked(uow: Uow, wanted: LedgerWanted) -> Ledger:
    """The ledger that is wanted. Raises Invalid on ``ledger`` or ``on``, PurposeNeeded."""
    found = offered(uow).get(wanted.ledger)
    if found is None:
        raise Invalid({"ledger": [_l("Choose one of the options.")]})
    try:
        day = date.fromisoformat(wanted.on)
    except ValueError:
        raise Invalid({"on": [_l("“%(value)s” is not a date. Write it as 2026-11-21.", value=wanted.on)]}) from None
    if day > today():
        raise Invalid({"on": [_l("The day cannot be in the future.")]})
    if day < EARLIEST:
        raise Invalid({"on": [_l("There is no ledger from before %(day)s.", day=EARLIEST.isoformat())]})
    if set(found.marks) & set(mark_rights(uow).closed):
        raise PurposeNeeded({"ledger": [_l("This mark is sensitive: say what you need it for (header X-Purpose).")]})
    return found


def most_rows(uow: Uow, wanted: LedgerWanted, ledger: Ledger, *, cap: int) -> int:
    """How many rows it may have at most, up to ``cap`` and one."""
    if ledger.of == "household":
        return count_households(uow, HouseholdFilter(area=wanted.area, state="all"), cap=cap)
    return count_persons(uow, PersonFilter(area=wanted.area, state="all"), cap=cap)


def write(
    uow: Uow, wanted: LedgerWanted, ledger: Ledger, keys: TenantKeys, seen: Ids, step: Step | None = None
) -> Written:
    """The finished ledger; ``seen`` gets the ids of everybody in it."""
    names = {kind.key: pick(kind.name, kind.name_en) for kind in queries.mark_kinds(uow, retired=True)}
    reading = ledger_query.Reading(wanted.area, date.fromisoformat(wanted.on), names, keys, wanted.full, seen)
    lines: Iterator[Any]
    if ledger.of == "household":
        lines = ledger_query.each_household_line(uow, reading)
    else:
        lines = ledger_query.each_person_line(
            uow, reading, basis=ledger.basis, marks=ledger.marks, least_age=ledger.least_age
        )

    def rows() -> Iterator[list[Any]]:
        for number, line in enumerate(lines, 1):
            if step is not None:
                step(number)
            yield ledger.cells(line)

    place = place_name(uow, wanted.area)
    sheet = LedgerSheet(
        title=title(uow, wanted, ledger),
        left=_("Unit: %(place)s (seal)", place=place),
        right=_without(uow, ledger) + _("As of %(day)s", day=wanted.on),
        groups=ledger.groups,
        sign=_("Made by:                    Checked by:                    In charge:                    Date:"),
        total=_households if ledger.of == "household" else _persons,
    )
    return write_ledger(sheet, rows(), watermark=watermark(uow, wanted.purpose, wanted.number))


def _without(uow: Uow, ledger: Ledger) -> str:
    """Says which kinds are not in a ledger because whoever made it may not see them: it must not pass for whole."""
    rights = mark_rights(uow)
    kinds = uow.session.scalars(select(MarkKind).where(MarkKind.key.in_(ledger.marks)).order_by(MarkKind.position))
    hidden = [pick(k.name, k.name_en) for k in kinds if k.key not in (*rights.normal, *rights.sensitive)]
    return _("Not in it: %(kinds)s", kinds=join_words(hidden)) + " · " if hidden else ""


def _persons(count: int) -> str:
    return ngettext("Total: %(n)d person", "Total: %(n)d persons", count)


def _households(count: int) -> str:
    return ngettext("Total: %(n)d household", "Total: %(n)d households", count)


def place_name(uow: Uow, area: int) -> str:
    """The area's name from the town down; without one, all that the actor may export."""
    if area:
        named = areas.breadcrumb(uow, area)
        return "".join(name for _code, name in (named[1:] or named))
    ranges = uow.actor.ranges(HOUSEHOLD_EXPORT)
    own = [uow.actor.tenant_area] if ranges is None else [lo for lo, _hi in ranges]
    found = areas.names(uow, own)
    return " ".join(found[code] for code in own if code in found)


def title(uow: Uow, wanted: LedgerWanted, ledger: Ledger) -> str:
    return _("%(place)s %(ledger)s", place=place_name(uow, wanted.area), ledger=str(ledger.label))


def file_name(uow: Uow, wanted: LedgerWanted, ledger: Ledger) -> str:
    """Without its extension."""
    return f"{title(uow, wanted, ledger)}-{wanted.on}"


def put_on_record(uow: Uow, wanted: LedgerWanted, ledger: Ledger, rows: int, seen: Ids) -> None:
    """The audit entry of a ledger that was made, and a line in the log of everybody in it."""
    sensitive = mark_rights(uow).sensitive
    note_export(
        uow,
        entity="ledger",
        number=wanted.number,
        purpose=wanted.purpose,
        area_code=wanted.area,
        rows=rows,
        columns=(),
        conditions={"ledger": wanted.ledger, "on": wanted.on, **({"full": True} if wanted.full else {})},
        sensitive_marks=[key for key in ledger.marks if key in sensitive],
        seen=seen,
        what="identifiers" if wanted.full else "columns",
    )
