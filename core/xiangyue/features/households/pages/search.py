"""Search over households, persons and areas; as a page, and as you type."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.features.areas import policy as area_policy
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy, queries
from xiangyue.features.households.identifiers import is_seal, seal_word
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, template_words
from xiangyue.features.households.queries import SearchResult
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_actor, current_uow, is_fragment
from xiangyue.web.points import hits, own_area
from xiangyue.web.shell import page

#: As you type, few are enough; the page shows more.
BRIEF, FULL = 6, 20
LONGEST = 60


@bp.get("/search")
@signed_in
def search() -> Any:
    """Best first: the name itself, its beginning, a part of it, pinyin. Each kind only for those who may see it."""
    q = asked()
    return _found(q) if q == request.args.get("q", "").strip()[:LONGEST] else _onward(q)


@bp.post("/search")
@signed_in
def send_search() -> Any:
    """What the search boxes send: answered at once while typing, otherwise at an address without citizen numbers."""
    return _found(asked()) if is_fragment() else _onward(asked())


def asked() -> str:
    """What is looked for, a citizen number as its seal."""
    return seal_word(keys(), request.values.get("q", "").strip()[:LONGEST])


def _onward(q: str) -> Any:
    return redirect(url_for("households.search", q=q or None), 303)


def _found(q: str) -> Any:
    uow, actor = current_uow(), current_actor()
    brief = is_fragment() and "brief" in request.args
    limit = BRIEF if brief else FULL
    if brief and not q:
        return page("households/search_none.html")
    found, places = SearchResult(), []
    if q and actor.can(policy.HOUSEHOLD_VIEW):
        with uow.scoped(actor.scope(policy.HOUSEHOLD_VIEW)):
            found = queries.search(uow, q, limit, keys=keys())
    if q and actor.can(area_policy.AREA_VIEW):
        with uow.scoped(actor.scope(area_policy.AREA_VIEW)):
            places = areas.list_areas(uow, q=q)[:limit]
    # A seal stands for a citizen number, which is nobody's business but the register's.
    with uow.scoped(own_area(uow)):
        others = hits(uow, q, limit) if q and not is_seal(q) else []
    paths = areas.paths(uow, [a.area_code for a in places])
    return page(
        "households/search_results.html" if is_fragment() else "households/search.html",
        q="" if is_seal(q) else q,
        sealed=is_seal(q),
        found=found,
        places=places,
        path_of=lambda area: " · ".join(name for _code, name in paths.get(area.area_code, [])),
        code_text=areas.code_text,
        others=others,
        nothing=not (found.households or found.persons or places or others),
        **template_words(),
    )
