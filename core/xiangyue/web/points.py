"""Places in the core's pages where features and plugins come in.

Each registration is asked, and what it shows is drawn, by itself (``plugin.dispatch.guarded``): one that fails takes
nothing else along. What comes back is text and local addresses, never HTML but that of a plugin's own templates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from flask import current_app, g
from markupsafe import Markup

from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Scope, area_range, merge_ranges
from xiangyue.db.uow import Uow
from xiangyue.i18n import current_locale
from xiangyue.plugin.dispatch import guarded
from xiangyue.plugin.offer import Contributor, Offer
from xiangyue.plugin.registry import PanelView, SearchHit, WorkItem
from xiangyue.runtime import offer_of
from xiangyue.web.shell import safe_next

#: What stands for the answer of one that failed.
FAILED: Final = object()
#: Who is told that a plugin failed; the others see the page without it.
_TOLD = "plugin.view"


@dataclass(frozen=True, slots=True)
class Panel:
    """A card of a page. ``body`` None: it failed, which only those see who look after plugins."""

    key: str
    label: Any
    body: Markup | None


@dataclass(frozen=True, slots=True)
class Hits:
    """What one kind of search found."""

    key: str
    label: Any
    hits: Sequence[SearchHit]


def reach(uow: Uow, permission: Permission | None) -> Scope:
    """Where the reader has a right, within what the page itself reaches."""
    if permission is None:
        return uow.scope
    return uow.scope.within(uow.actor.scope(permission))


def own_area(uow: Uow) -> Scope:
    """All areas in which the reader has any right: for pages that every account may open."""
    actor = uow.actor
    codes = actor.area_codes()
    if actor.kind == "system" or actor.tenant_area in codes:
        return Scope(uow.tenant_id)
    return Scope(uow.tenant_id, merge_ranges(area_range(code) for code in codes))


def answers(
    uow: Uow, offer: Offer, attribute: str, call: Callable[[Contributor, Any], Any], *, area_code: int | None = None
) -> Iterator[tuple[Any, Any]]:
    """(registration, answer or FAILED) of each that the reader may see, at ``area_code`` where the page is of a place;
    None answers are left out. Each runs in the area where the reader has its right."""
    for contributor, item in offer.each(attribute):
        scope = reach(uow, item.permission)
        if scope.ranges == () or (area_code is not None and not scope.contains(area_code)):
            continue
        with uow.scoped(scope):
            answer = guarded(
                uow, contributor, f"{attribute}:{item.key}", partial(call, contributor, item), default=FAILED
            )
        if answer is not None:
            yield item, answer


def told(uow: Uow, offer: Offer) -> bool:
    """Whether the reader is one of those who are told of failed plugins."""
    permission = offer.permissions.get(_TOLD)
    return permission is not None and uow.actor.can(permission)


def panels(
    uow: Uow, attribute: str, build: Callable[[Any], PanelView | None], *, area_code: int | None = None
) -> list[Panel]:
    """Cards of household page or cockpit, in their order."""
    offer = offer_of(uow)
    found = []
    for item, body in answers(uow, offer, attribute, partial(_drawn, build), area_code=area_code):
        if body is not FAILED or told(uow, offer):
            found.append((item.position, Panel(item.key, item.label, None if body is FAILED else body)))
    return [panel for _position, panel in sorted(found, key=lambda pair: pair[0])]


def _drawn(build: Callable[[Any], PanelView | None], contributor: Contributor, item: Any) -> Markup | None:
    view = build(item)
    if view is None:
        return None
    if not isinstance(view, PanelView):
        raise TypeError(f"{item.key}: build() returned {type(view).__name__}, not PanelView or None")
    if not contributor.core and not view.template.startswith(f"{contributor.key}/"):
        raise ValueError(f"{item.key}: template {view.template!r} does not stand in {contributor.key}/")
    return drawn(view)


def drawn(view: PanelView) -> Markup:
    """A panel as it stands on a page."""
    # Not by Flask's render_template: that would put the whole shell together again for each panel.
    template = current_app.jinja_env.get_template(view.template)
    shell = {"locale": current_locale(), "site": g.tenant, "actor": g.uow.actor}
    return Markup(template.render({**shell, **view.context}))  # noqa: S704 - a template, escaped by itself


def hits(uow: Uow, q: str, limit: int, *, only: Collection[str] | None = None) -> list[Hits]:
    """What other kinds of things a word finds, best first; of the kinds ``only``, by key, where it is given. Blanks are
    no word: they find nothing."""
    if not q.strip():
        return []

    def find(contributor: Contributor, kind: Any) -> list[SearchHit] | None:
        return None if only is not None and kind.key not in only else _found(contributor, kind, uow, q, limit)

    found = answers(uow, offer_of(uow), "search_kinds", find)
    return [Hits(kind.key, kind.label, some) for kind, some in found if some is not FAILED and some]


def _found(contributor: Contributor, kind: Any, uow: Uow, q: str, limit: int) -> list[SearchHit] | None:
    found = kind.find(uow, q, limit)
    return found and [_plain(contributor, _typed(hit, SearchHit), "title", "detail") for hit in found[:limit]]


def work(uow: Uow) -> list[WorkItem]:
    """What every provider finds for the reader, each provider's together. Plugins look in the reader's areas alone."""
    found: list[WorkItem] = []
    for contributor, provider in offer_of(uow).each("work"):
        with uow.scoped(uow.scope if contributor.core else own_area(uow)):
            call = partial(_owed, contributor, provider, uow)
            found += guarded(uow, contributor, f"work:{provider.key}", call, default=None) or ()
    return found


def _owed(contributor: Contributor, provider: Any, uow: Uow) -> list[WorkItem]:
    items = provider.find(uow) or ()
    return [_plain(contributor, _typed(item, WorkItem), "title", "detail", "act", "due") for item in items]


def _typed(item: Any, kind: type) -> Any:
    if not isinstance(item, kind):
        raise TypeError(f"{type(item).__name__} instead of {kind.__name__}")
    return item


def _plain(contributor: Contributor, item: Any, *texts: str) -> Any:
    """A plugin's item with its words put out and its address looked at: what is wrong with them shows here, not when
    the page is drawn."""
    if contributor.core:
        return item
    if not isinstance(item.url, str) or safe_next(item.url, "") != item.url:
        raise ValueError(f"{item.url!r} is no address within the county")
    return replace(item, **{name: str(getattr(item, name)) for name in texts})
