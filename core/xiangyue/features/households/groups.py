"""Groups of households by the conditions of a list: what a saved view means to a job or a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.queries import parse_code
from xiangyue.features.households.filters import HouseholdFilter, household_filter
from xiangyue.features.households.list_query import Page, each_household, list_households
from xiangyue.features.households.listing import mark_rights
from xiangyue.features.households.offered import asked_conditions, refuse, run_strictly
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.features.households.service_records import note_sensitive_read


def household_ids(uow: Uow, query: str) -> Iterator[int]:
    """Ids of the households that a saved view (``SavedView.query`` of the list ``households``) shows the actor now, in
    the order of their names; read page by page, so that a county of any size fits.

    Conditions of plugins that are on count too. Looking for people by a sensitive mark needs a stated purpose and is
    put on record. Raises Invalid by parameter, PurposeNeeded, PluginFailed.
    """
    args = MultiDict(parse_qsl(query.removeprefix("?")))
    asked = asked_conditions(uow, args)
    if asked.problems:
        raise Invalid(asked.problems)
    refuse(asked.failed)
    area = args.get("area", "")
    wanted = replace(household_filter(args), area=parse_code(area) if area else 0, offered=tuple(asked.conditions))
    sensitive = sorted(set(wanted.marks).intersection(mark_rights(uow).sensitive))
    if sensitive:
        note_sensitive_read(
            uow, object_type="list", object_id=None, label="household_ids", area_code=wanted.area, marks=sensitive
        )
    return (row["id"] for row in each_household(uow, wanted, fields=["id"], read=_page))


def _page(uow: Uow, wanted: HouseholdFilter, **options: object) -> Page:
    # A job's unit of work reaches the whole county; whoever it works for does not.
    with uow.scoped(uow.scope.within(uow.actor.scope(HOUSEHOLD_VIEW))):
        return run_strictly(uow, wanted, lambda tried: list_households(uow, tried, **options))  # type: ignore[arg-type]
