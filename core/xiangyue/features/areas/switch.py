"""The area switcher of the top bar: what I look at, in the URL (``?area=``) and remembered with the account.

A page that knows ``?area=`` is opened with the remembered area when its address names none; looking at another one
by the address makes that the remembered one, ``?area=all`` forgets it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import g, request, url_for
from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.models import Account
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.areas import policy, queries
from xiangyue.features.areas.changes.queries import successor
from xiangyue.features.areas.models import Area
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.i18n import current_locale, join_words
from xiangyue.web.pipeline import current_tenant
from xiangyue.web.shell import here

ALL = "all"


@dataclass(frozen=True, slots=True)
class AreaSwitch:
    """What the shell shows: the area now, those above it, those one step below; urls of each."""

    current: int
    current_label: str
    crumbs: list[tuple[str, str | None]]
    options: list[tuple[str, str, str]]
    url_clear: str | None


def args_without_all() -> Any:
    """The query without ``area=all``, which stands for no area."""
    args = request.args.copy()
    if args.get("area") == ALL:
        args.poplist("area")
    return args


def asked_area(uow: Uow) -> int:
    """15-digit code of ``?area=`` in the present request, 0 for none or all. Raises NotFound outside my areas."""
    text = request.args.get("area", "")
    if text in ("", ALL):
        return 0
    code = queries.parse_code(text)
    if not reaches(uow, code):
        raise NotFound(queries.NO_AREA)
    return code


def reaches(uow: Uow, code: int) -> bool:
    """Whether any of an area is the actor's to look at."""
    lo, hi = area_range(code)
    ranges = uow.actor.ranges(policy.AREA_VIEW)
    return ranges is None or any(a <= hi and lo <= b for a, b in ranges)


def page_area(uow: Uow) -> tuple[int, str | None]:
    """For a list page: the area to show, and an address to go to instead when the remembered area is not yet in it.

    Opening an address with an area makes it the remembered one.
    """
    g.area_in_url = True
    if "area" not in request.args:
        code = uow.actor.current_area
        if code and reaches(uow, code):
            return code, here(area=queries.code_text(code))
        return 0, None
    code = asked_area(uow)
    if code and (now := successor(uow, code)) not in (0, code) and reaches(uow, now):
        return now, here(area=queries.code_text(now))  # a link to what was merged, or has another code
    if uow.actor.kind == "account" and code != uow.actor.current_area:
        remember_area(uow, code=code)
    return code, None


@acts(None)
def remember_area(uow: Uow, *, code: int) -> None:
    """Keep the area I look at with my account (0: all of mine). Raises NotFound for one outside mine."""
    if code and not reaches(uow, code):
        raise NotFound(queries.NO_AREA)
    account = uow.get(Account, uow.actor.account_id or 0)
    account.current_area = code
    uow.actor = replace(uow.actor, current_area=code)
    uow.session.flush()


def area_switch(uow: Uow) -> AreaSwitch | None:
    """The switcher for the present page, None for somebody without areas."""
    actor = uow.actor
    if not actor.can(policy.AREA_VIEW):
        return None
    current = 0
    if g.get("area_in_url"):
        current = 0 if request.args.get("area") == ALL else asked_area(uow) or actor.current_area
    elif actor.current_area and reaches(uow, actor.current_area):
        current = actor.current_area
    with uow.scoped(actor.scope(policy.AREA_VIEW)):
        top = queries.top_code(uow)
        below = _below(uow, current or top)
        chain = _in_words(uow, queries.breadcrumb(uow, current or top)) if current or top else []
    label = chain[-1][1] if chain else (join_words(a.name for a in below[:2]) + (" …" if len(below) > 2 else ""))
    options = [(queries.code_text(a.area_code), a.name, _url(a.area_code)) for a in below]
    crumbs: list[tuple[str, str | None]] = [
        (name, _url(code) if code != top else _url(0)) if actor_reaches_whole(uow, code) else (name, None)
        for code, name in chain[:-1]
    ]
    return AreaSwitch(current, label, crumbs, options, _url(0) if current else None)


def _in_words(uow: Uow, chain: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The county by its English name on English pages, where it has one."""
    english = current_tenant().name_en
    if current_locale() != "en" or not english:
        return chain
    return [(code, english if code == uow.actor.tenant_area else name) for code, name in chain]


def actor_reaches_whole(uow: Uow, code: int) -> bool:
    """Whether the whole subtree of ``code`` is mine, so that choosing it makes sense."""
    ranges = uow.actor.ranges(policy.AREA_VIEW)
    lo, hi = area_range(code)
    return ranges is None or any(a <= lo and hi <= b for a, b in ranges)


def _below(uow: Uow, code: int) -> list[Area]:
    """The areas one may choose: one step below ``code``, or for several areas of one's own, those."""
    if code:
        return sorted(queries.list_areas(uow, parent=code), key=lambda a: (a.position, a.area_code))
    starts = [lo for lo, _hi in uow.scope.ranges or ()]
    return list(uow.session.scalars(select(Area).where(Area.area_code.in_(starts)).order_by(Area.area_code)))


def _url(code: int) -> str:
    """Where a choice leads: this page, or from one that does not know ``?area=`` to a list that the actor may see."""
    value = queries.code_text(code) if code else ALL
    if g.get("area_in_url"):
        return here(area=value, after=None, before=None)
    return url_for(default_endpoint(), area=value)


def default_endpoint() -> str:
    """The list that shows an area to whoever may see its households, else that of the areas."""
    return "households.list_households" if g.uow.actor.can(HOUSEHOLD_VIEW) else "areas.list_areas"
