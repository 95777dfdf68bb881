"""Saved views above a list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.views import queries
from xiangyue.features.views.policy import AREA, LISTS, VIEW_SHARE
from xiangyue.features.views.service import plain_query
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.listview import ListView, SaveView, ViewTab


def with_views(uow: Uow, view: ListView, list: str, area_name: Any = "") -> ListView:
    """The list with the strip of its views, the one that is shown marked, and with the way to save what is shown.

    A view that names no area is shown in the one that is being looked at.
    """
    path = LISTS[list].path
    here = view.value(AREA)
    conditions, shown = _parts(view.url("").removeprefix("?"))
    found = queries.views_of(uow, list)
    tabs = []
    for one in found:
        query, area = _parts(one.query)
        tabs.append(ViewTab(one.name, _address(path, query, area or here), query == conditions and area in ("", here)))
    if tabs:
        tabs.insert(0, ViewTab(_l("The whole list"), _address(path, "", here), not conditions, data=False))
    sealed = any(view.is_seal(value) for values in view.query.values() for value in values)
    save = None
    if uow.actor.account_id is not None and not sealed and (conditions or found):
        save = SaveView(
            url=url_for("views.add_view"),
            list=list,
            query=_known(view, conditions),
            area=shown,
            area_name=area_name,
            may_share=uow.actor.can(VIEW_SHARE),
            manage_url=url_for("views.list_views") if found else None,
        )
    return replace(view, views=tabs, save=save)


def _parts(query: str) -> tuple[str, str]:
    """(the conditions, the area) of an address's parameters."""
    pairs = parse_qsl(plain_query(query))
    area = next((value for name, value in pairs if name == AREA), "")
    return urlencode([(name, value) for name, value in pairs if name != AREA]), area


def _known(view: ListView, query: str) -> str:
    """Without what the list passes over: an address may have picked that up on its way."""
    known = {*view.filter_names, *view.RESERVED}
    return urlencode([(name, value) for name, value in parse_qsl(query) if name in known])


def _address(path: str, conditions: str, area: str) -> str:
    query = "&".join(part for part in (urlencode({AREA: area}) if area else "", conditions) if part)
    return f"{path}?{query}" if query else path
