"""The lists of households and persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.households import policy
from xiangyue.features.households.filters import HouseholdFilter
from xiangyue.features.households.list_persons import count_register
from xiangyue.features.households.list_query import count_households, count_persons, list_households, list_persons
from xiangyue.features.households.offered import fill, run
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.addresses import sealed_address
from xiangyue.features.households.pages.common import keys, template_words
from xiangyue.features.households.pages.listings import (
    Listing,
    household_listing,
    note_filter,
    person_listing,
    shown_marks,
    without,
)
from xiangyue.features.households.pages.own_columns import own_text
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.views.listing import with_views
from xiangyue.i18n import TIMEZONE, ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import page

PAGE_SIZE = 50
IMPORT_RIGHT = "import.run"


def _area_of(uow: Uow) -> tuple[int, str | None, str]:
    code, elsewhere = switch.page_area(uow)
    name = names(uow, [code]).get(code, "") if code else ""
    return code, elsewhere, name


@bp.get("/households", endpoint="list_households")
@requires(policy.HOUSEHOLD_VIEW)
def list_households_page() -> Any:
    """Households of the area, filtered, sorted, paged by keyset."""
    if onward := sealed_address():
        return onward
    uow = current_uow()
    code, elsewhere, area_name = _area_of(uow)
    if elsewhere:
        return redirect(elsewhere)
    listing = household_listing(uow)
    wanted = replace(listing.filter, area=code)

    def read(wanted: HouseholdFilter) -> tuple[Any, int | None]:
        found = list_households(
            uow,
            wanted,
            sort=listing.view.order,
            limit=PAGE_SIZE,
            after=listing.view.after,
            before=listing.view.before,
            fields=listing.fields,
            keys=keys(),
        )
        # Of the whole list the register's own figures, which the page shows beside it, are the count.
        whole = wanted == HouseholdFilter(area=code)
        return found, None if whole else count_households(uow, wanted, keys=keys())

    try:
        (found, count), wanted, failed = run(uow, wanted, read)
    except Invalid as invalid:
        return without(listing, invalid)
    failed = [*listing.failed, *failed, *fill(uow, found.items, listing.offered)]
    note_filter(uow, listing, found.items)
    total, persons = count_register(uow, code)
    count = total if count is None else count
    return page(
        "households/list.html",
        view=with_views(
            uow,
            _with_page(listing, found, count, ngettext("%(n)d household", "%(n)d households", count), "household"),
            "households",
            area_name,
        ),
        listing=listing,
        failed=[failure.said for failure in failed],
        rows=found.items,
        own_text=own_text,
        marks_of=lambda row: shown_marks(listing, row.get("marks") or ()),
        area_name=area_name,
        area_value=request.args.get("area", ""),
        total=total,
        persons=persons,
        may_register=current_actor().can(policy.HOUSEHOLD_EDIT),
        import_url=_import_url(),
        **template_words(),
    )


@bp.get("/persons", endpoint="list_persons")
@requires(policy.HOUSEHOLD_VIEW)
def list_persons_page() -> Any:
    """Persons of the area with their household, age and marks."""
    if onward := sealed_address():
        return onward
    uow = current_uow()
    code, elsewhere, area_name = _area_of(uow)
    if elsewhere:
        return redirect(elsewhere)
    listing = person_listing(uow)
    wanted = replace(listing.filter, area=code)
    try:
        found = list_persons(
            uow,
            wanted,
            sort=listing.view.order,
            limit=PAGE_SIZE,
            after=listing.view.after,
            before=listing.view.before,
            fields=listing.fields,
            keys=keys(),
        )
    except Invalid as invalid:
        return without(listing, invalid)
    note_filter(uow, listing, found.items)
    count = count_persons(uow, wanted, keys=keys())
    today = datetime.now(TIMEZONE).date()
    return page(
        "households/persons.html",
        view=with_views(
            uow,
            _with_page(listing, found, count, ngettext("%(n)d person", "%(n)d persons", count), "person"),
            "persons",
            area_name,
        ),
        listing=listing,
        rows=found.items,
        own_text=own_text,
        marks_of=lambda row: shown_marks(listing, row.get("marks") or ()),
        age_of=lambda row: age_on(row.get("birth_date"), today),
        area_name=area_name,
        import_url=_import_url(),
        **template_words(),
    )


def _with_page(listing: Listing, found: Any, count: int, count_text: Any, entity: str) -> ListView:
    endpoint = "households.export_households" if entity == "household" else "households.export_persons"
    may_export = current_actor().can(policy.HOUSEHOLD_EXPORT)
    return replace(
        listing.view,
        count=count,
        count_text=count_text,
        next_cursor=found.next,
        back_cursor=found.back,
        export_url=url_for(endpoint) if may_export else None,
    )


def _import_url() -> str | None:
    """Where a spreadsheet is taken in, for those who may."""
    right = runtime().registry.permissions.get(IMPORT_RIGHT)
    if right is None or not current_actor().can(right):
        return None
    return url_for("imports.list_imports")
