"""The roster's columns of the award: what stands in them is written by the core's service, for all rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xiangyue.sdk.access import audit
from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import ImportColumn, kept_by_core
from xiangyue.sdk.i18n import _, _l, today
from xiangyue.sdk.register import record_awards
from xiangyue.sdk.settings import plugin_settings
from xiangyue_contact321 import law, policy

_YEARS = "contact321_award_years"


@kept_by_core
def keep_years(uow: Uow, values: Sequence[tuple[int, Any]]) -> None:
    """The column of years stands before those of the awards: kept for them."""
    uow.session.info[_YEARS] = dict(values)


def write_awards(years_before: int) -> Callable[[Uow, Sequence[tuple[int, Any]]], None]:
    """A writer of the column of the award so many years before the one that its row names; without a year, before the
    last year."""

    @kept_by_core
    def write(uow: Uow, values: Sequence[tuple[int, Any]]) -> None:
        years = uow.session.info.get(_YEARS, {})
        last = today().year - 1
        key = plugin_settings(uow, policy.NAME)["award"]
        rows = [(household, years.get(household, last) - years_before, won) for household, won in values]
        written = record_awards(uow, key=key, rows=rows, source=str(_("Roster")))
        after = {"award": key, "rows": len(rows), "changed": written}
        audit(uow, action="contact321.awards", object_type="household", after=after)

    return write


def import_columns() -> tuple[ImportColumn, ...]:
    """The award of three years. Income and its year stand in the core's own roster."""
    year = ImportColumn(
        "contact321_award_year",
        law.AWARD_YEAR,
        "year",
        keep_years,
        help=_l("The year that the next column speaks of, in the row of the head. Left empty: last year."),
        example="2024",
        aliases=law.AWARD_YEAR_ALSO,
    )
    helps = (
        _l("Yes or no, in the row of the head. Left empty: not known, which is never taken for no."),
        _l("The same for the year before that."),
        _l("The same for two years before that."),
    )
    awards = (
        ImportColumn(
            f"contact321_award_{n}",
            names,
            "boolean",
            write_awards(n),
            help=text,
            example=law.AWARD_EXAMPLE,
            aliases=also,
        )
        for n, (names, also, text) in enumerate(zip(law.AWARDS, law.AWARDS_ALSO, helps, strict=True))
    )
    return (year, *awards)
