"""Comparing with the yearly official list, and taking lines of it over as changes of areas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas.changes import official, service
from xiangyue.features.areas.changes.official import Line
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.policy import AREA_RESTRUCTURE


@dataclass(slots=True)
class TakenOver:
    """``changes``: a draft, or one at work, for each line that could be taken; ``failed``: the others and why."""

    changes: list[AreaChange] = field(default_factory=list)
    failed: list[tuple[Line, str]] = field(default_factory=list)


@acts(AREA_RESTRUCTURE)
def compare(uow: Uow, *, table: Sequence[Sequence[str]]) -> list[Line]:
    """Differences between a list (rows with a heading for codes and names) and my areas. Raises Invalid (file)."""
    return official.compare(uow, official.read_list(table, uow.actor.tenant_area))


@acts(AREA_RESTRUCTURE)
def take_over(uow: Uow, *, lines: Iterable[Line], on: Any, reason: str, force: bool = False) -> TakenOver:
    """A draft for each line; with ``force`` it is put in force as far as nothing is in the way. Each line by itself:
    what cannot be taken is told and stops no other."""
    made = TakenOver()
    for line in lines:
        try:
            kind, asked = official.request_of(line)
            with uow.session.begin_nested():
                change = service.draft_change(uow, kind=kind, on=on, reason=reason, request=asked)
            made.changes.append(change)
            if force:
                with uow.session.begin_nested():
                    service.request_change(uow, id=change.id, version=change.version)
        except Invalid as error:
            made.failed.append((line, "; ".join(str(text) for texts in error.fields.values() for text in texts)))
        except (Conflict, Stale) as error:
            made.failed.append((line, error.message))
    return made
