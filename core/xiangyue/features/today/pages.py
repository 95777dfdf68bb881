"""The first page: what I owe, late first; beside it my area in a few numbers, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, url_for
from markupsafe import Markup

from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.features.accounts.policy import ACCOUNT_MANAGE
from xiangyue.features.areas.queries import code_text, has_villages, names
from xiangyue.features.areas.switch import page_area
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.features.settings.policy import SETTINGS_EDIT
from xiangyue.features.today import queries
from xiangyue.i18n import TIMEZONE, current_locale
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import WorkItem
from xiangyue.text.chinese import has_han
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow
from xiangyue.web.points import work
from xiangyue.web.shell import page

bp = Blueprint("today", __name__, template_folder="templates")

_ORDER = {"late": 0, "soon": 1}
_WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to do in a county that is still empty."""

    title: Any
    text: Any
    url: str
    act: Any
    icon: str


@bp.get("/")
@signed_in
def show_today() -> Any:
    if current_tenant().is_operator:
        return redirect(url_for("console.list_counties"))
    uow = current_uow()
    area, elsewhere = page_area(uow)
    if elsewhere is not None:
        return redirect(elsewhere)
    items = work_items(uow)
    numbers, places = my_area(uow, area)
    return page(
        "today/show.html",
        items=items,
        marked=marked,
        late=sum(item.state == "late" for item in items),
        today=today_text(),
        numbers=numbers,
        places=places,
        area_text=code_text(area) if area else "all",
        may_see_cockpit=current_actor().can(COCKPIT_VIEW),
        steps=next_steps(uow, numbers),
        no_villages=numbers is not None and not numbers.households and not has_villages(uow),
    )


def work_items(uow: Uow) -> list[WorkItem]:
    """What every provider finds for me: late first, then what is due soon, each in its provider's order."""
    return sorted(work(uow), key=lambda item: _ORDER.get(item.state, 2))


def marked(text: Any) -> Any:
    """Words of a work item; the county's own (a file's name) are marked as Chinese."""
    if isinstance(text, Markup) or not has_han(str(text)):
        return text
    return Markup('<span lang="zh-CN">{}</span>').format(str(text))


def my_area(uow: Uow, area: int) -> tuple[queries.Numbers | None, list[str]]:
    """(numbers, names of the places they are of); no numbers without the right to see households there."""
    scope = uow.actor.scope(HOUSEHOLD_VIEW)
    if area:
        scope = scope.narrowed(area)
    if scope.ranges == ():
        return None, []
    with uow.scoped(scope):
        return queries.area_numbers(uow), _places(uow, scope)


def _places(uow: Uow, scope: Scope) -> list[str]:
    lows = [low for low, _high in scope.ranges or ()]
    known = names(uow, lows)
    return [known[low] for low in lows if low in known]


def today_text() -> str:
    """11月21日 星期六, or Saturday, 2026-11-21."""
    now = datetime.now(TIMEZONE)
    weekday = str(_WEEKDAYS[now.weekday()])
    if current_locale() == "en":
        return f"{weekday}, {now.date().isoformat()}"
    return _("%(month)d-%(day)d %(weekday)s", month=now.month, day=now.day, weekday=weekday)


def next_steps(uow: Uow, numbers: queries.Numbers | None) -> list[NextStep]:
    """What a county that is still empty needs next, as far as I may do it."""
    actor = uow.actor
    found = []
    if numbers is not None and not numbers.households and has_villages(uow):
        if actor.can(IMPORT_RUN):
            found.append(
                NextStep(
                    _l("Import the roster"),
                    _l("One spreadsheet brings in households and persons; nothing is taken over before you say so."),
                    "/imports",
                    _l("Import"),
                    "file-import",
                )
            )
        if actor.can(HOUSEHOLD_EDIT):
            found.append(
                NextStep(
                    _l("Register a household"),
                    _l("By hand, one at a time: enough for a new family in the village."),
                    "/households/new",
                    _l("Register"),
                    "home",
                )
            )
    if actor.can(ACCOUNT_MANAGE) and not queries.other_accounts(uow):
        found.append(
            NextStep(
                _l("Invite your colleagues"),
                _l("Each gets an account with a role in an area and sets a password by a one-time link."),
                "/accounts/new",
                _l("Invite"),
                "user-plus",
            )
        )
        if actor.can(SETTINGS_EDIT):
            found.append(
                NextStep(
                    _l("Look through marks and own fields"),
                    _l("What the county records besides the standard: marks on persons, awards, own fields."),
                    "/settings",
                    _l("Look"),
                    "settings",
                )
            )
    return found
