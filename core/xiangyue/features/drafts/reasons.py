"""What the planner could not meet, in sentences."""

from __future__ import annotations

from typing import Any

from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.grids.planning.result import Unmet, Why
from xiangyue.i18n import lazy_gettext as _l

_SENTENCES: dict[Why, Any] = {
    Why.TOO_SMALL: _l(
        "The group has %(households)d households and %(persons)d persons, fewer than one grid needs; it stays one grid."
    ),
    Why.BETWEEN: _l(
        "%(households)d households and %(persons)d persons are too many for %(grids)d and too few for %(more)d grids."
    ),
    Why.DISAGREE: _l(
        "The %(households)d households make %(by_households)d grids, the %(persons)d persons %(by_persons)d:"
        " no number fits both."
    ),
    Why.NO_CUT: _l(
        "The sums would fit, but no cut between neighbours does: this grid has %(households)d households and"
        " %(persons)d persons."
    ),
    Why.LARGE_HOUSEHOLD: _l(
        "A household alone has more persons than a grid may have (%(persons)d persons in %(households)d households)."
    ),
    Why.FIXED: _l(
        "This grid was to stay as it is: %(households)d households and %(persons)d persons are out of the rule."
    ),
    Why.NO_COORDINATES: _l(
        "%(households)d households have no coordinates; each follows the one before it by house number."
    ),
}


def say_unmet(unmet: Unmet) -> str:
    """The sentence, in the reader's language."""
    return str(_SENTENCES[unmet.why]) % unmet.params


def unmet_of(draft: GridDraft) -> list[tuple[Unmet, str]]:
    """What a draft keeps of it, each with its sentence in the reader's language."""
    found = []
    for kept in draft.planned.get("unmet", ()):
        unmet = Unmet(Why(kept["why"]), kept["group"], kept["part"], kept["params"])
        found.append((unmet, say_unmet(unmet)))
    return found
