"""One search over everything a county has, for the page and the API: each kind where the reader may see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.features.areas import policy as area_policy
from xiangyue.features.areas.queries_search import FoundArea, find_areas
from xiangyue.features.households import policy
from xiangyue.features.households.identifiers import is_seal, seal_word
from xiangyue.features.households.queries_search import KINDS, SearchResult, search
from xiangyue.web.points import Hits, hits, own_area

AREAS = "areas"


@dataclass(slots=True)
class Everything:
    """What was found, by kind, best first."""

    own: SearchResult = field(default_factory=SearchResult)
    places: Sequence[FoundArea] = ()
    others: Sequence[Hits] = ()


def search_everywhere(
    uow: Uow, keys: TenantKeys, q: str, limit: int, *, only: Collection[str] | None = None
) -> Everything:
    """At most ``limit`` of each kind: persons, households, areas, and what plugins bring; ``only``: these kinds.

    Persons and households near the area that is looked at come first among equals. A citizen number is looked for by
    its seal, and plugins are not asked for it: it is nobody's business but the register's.
    """
    found, actor = Everything(), uow.actor
    q = seal_word(keys, q)
    own = [kind for kind in KINDS if only is None or kind in only]
    if own and actor.can(policy.HOUSEHOLD_VIEW):
        with uow.scoped(actor.scope(policy.HOUSEHOLD_VIEW)):
            found.own = search(uow, q, limit, keys=keys, kinds=own, near=actor.current_area)
    if is_seal(q):
        return found
    if (only is None or AREAS in only) and actor.can(area_policy.AREA_VIEW):
        with uow.scoped(actor.scope(area_policy.AREA_VIEW)):
            found.places = find_areas(uow, q, limit)
    with uow.scoped(own_area(uow)):
        found.others = hits(uow, q, limit, only=only)
    return found
