"""Search over households, persons, areas, pages and what plugins bring; as a page, and as you type."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.features.areas import queries as areas
from xiangyue.features.households.everywhere import Everything, search_everywhere
from xiangyue.features.households.identifiers import is_seal, seal_word
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, template_words
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_uow, is_fragment
from xiangyue.web.shell import page, pages_named

#: As you type, few are enough; the page shows more, and most where one kind alone is asked for.
BRIEF, FULL, WHOLE = 6, 20, 100
LONGEST = 60
PAGES = "pages"


@bp.get("/search")
@signed_in
def search() -> Any:
    """Best first: the name itself, its beginning, a part of it, pinyin. Each kind only for those who may see it;
    ``kind``: that one alone, with more of it."""
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
    return redirect(url_for("households.search", q=q or None, kind=request.values.get("kind") or None), 303)


def _found(q: str) -> Any:
    uow = current_uow()
    brief = is_fragment() and "brief" in request.args
    kind = "" if brief else request.values.get("kind", "").strip()
    limit = BRIEF if brief else WHOLE if kind else FULL
    found = search_everywhere(uow, keys(), q, limit, only=[kind] if kind else None) if q else Everything()
    named = pages_named(q, limit) if q and not is_seal(q) and kind in ("", PAGES) else []
    paths = areas.paths(uow, [a.area_code for a in found.places])
    template = "search_brief" if brief else "search_results" if is_fragment() else "search"
    return page(
        f"households/{template}.html",
        q="" if is_seal(q) else q,
        sealed=is_seal(q),
        kind=kind,
        limit=limit,
        all_of=lambda kind: url_for("households.search", q=q, kind=kind),
        found=found.own,
        places=found.places,
        path_of=lambda area: " · ".join(name for _code, name in paths.get(area.area_code, [])),
        code_text=areas.code_text,
        others=found.others,
        named=named,
        nothing=not (found.own.households or found.own.persons or found.places or found.others or named),
        **template_words(),
    )
