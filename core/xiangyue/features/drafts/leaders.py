"""From a proposal to a post: who a draft names as leader of a grid, found on the register and put in charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Refused
from xiangyue.features.drafts.queries import LiveDraft
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.posting import give_post, people_called
from xiangyue.features.grids.service_posts import Verdict, WarningReasonNeeded, verdict
from xiangyue.features.grids.standing import division_on
from xiangyue.i18n import lazy_gettext as _l

#: What somebody may answer instead of a person's id: from outside the register; nobody yet.
OUTSIDE, NOBODY = "outside", "nobody"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A part that proposes a leader. ``found``: grown-ups of that name in the village, (id, name and household number);
    ``answer``: who it is where there is no doubt: the one found, OUTSIDE where there is none; "" where it must be
    said."""

    part_id: int
    part_name: str
    name: str
    found: tuple[tuple[int, str], ...]

    @property
    def answer(self) -> str:
        if len(self.found) == 1:
            return str(self.found[0][0])
        return "" if self.found else OUTSIDE

    def knows(self, answer: str) -> bool:
        return answer in (OUTSIDE, NOBODY) or answer in {str(id) for id, _label in self.found}


@dataclass(frozen=True, slots=True)
class Chosen:
    """``answer``: a person's id as text, OUTSIDE or NOBODY. ``reason``: why, where a rule of a plugin warns."""

    answer: str = ""
    office_phone: str = ""
    reason: str = ""


def proposals(uow: Uow, live: LiveDraft, on: date) -> list[Proposal]:
    """Of the parts that propose somebody, in their order."""
    wanted = {" ".join(part.leader.split()) for part in live.parts} - {""}
    if not wanted:
        return []
    found = people_called(uow, live.draft.area_code, wanted, on)
    named = ((part, " ".join(part.leader.split())) for part in live.parts)
    return [Proposal(part.id, part.name, name, tuple(found.get(name, ()))) for part, name in named if name]


def verdicts(uow: Uow, live: LiveDraft, asked: Sequence[Proposal], on: date) -> dict[int, Verdict]:
    """By part what rules of plugins have against whom it proposes, where there is no doubt who that is."""
    parts = {part.id: part for part in live.parts}
    found: dict[int, Verdict] = {}
    for one in asked:
        if one.answer:
            part = parts[one.part_id]
            person = None if one.answer == OUTSIDE else int(one.answer)
            said = verdict(uow, grid_id=0, level=part.level, area_code=part.area_code, person_id=person, role="leader",
                           on=on)  # fmt: skip
            found |= {one.part_id: said} if said else {}
    return found


def put_in_charge(
    uow: Uow, live: LiveDraft, change: GridChange, *, term_until: date | None, chosen: Mapping[int, Chosen]
) -> list[str]:
    """Posts of the change's grids as the draft proposes them; ``chosen`` by part id, where something was said. Returns
    who was put in charge.

    Raises Invalid with what stands against each (``leader.<part id>``): who it is where several have the name, a
    plugin's refusal, a post that cannot end; WarningReasonNeeded, where a rule warns (``reason.<part id>``, each
    warning with its ``part_id``). The caller's transaction goes back then, so that nothing is half done.
    """
    asked = proposals(uow, live, change.on_date)
    if not asked:
        return []
    grids = division_on(uow, live.draft.area_code, change.on_date).homes
    homes = {part.id: part.homes for part in live.parts}
    errors: dict[str, list[Any]] = {}
    warnings: list[dict[str, Any]] = []
    given = []
    for one in asked:
        said = chosen.get(one.part_id, Chosen())
        answer = said.answer or one.answer
        field = f"leader.{one.part_id}"
        if answer == NOBODY:
            continue
        if not one.knows(answer):
            errors[field] = [_l("%(n)d persons are called %(name)s: say who it is.", n=len(one.found), name=one.name)]
            continue
        try:
            with uow.session.begin_nested():
                post = give_post(
                    uow, change=change, grid_id=grids[homes[one.part_id][0].id], name=one.name,
                    person_id=None if answer == OUTSIDE else int(answer), term_until=term_until,
                    office_phone=said.office_phone, reason=said.reason,
                )  # fmt: skip
        except WarningReasonNeeded as needed:
            errors[f"reason.{one.part_id}"] = needed.fields["reason"]
            warnings += [{**warning, "part_id": one.part_id} for warning in needed.details["warnings"]]
        except Invalid as invalid:
            own = {"term_until": "term_until", "reason": f"reason.{one.part_id}"}
            errors |= {own.get(name, field): list(texts) for name, texts in invalid.fields.items()}
        except (Refused, Conflict) as refused:
            errors[field] = [refused.message]
        else:
            given += [one.name] if post is not None else []
    if errors:
        raise WarningReasonNeeded(errors, warnings=warnings) if warnings else Invalid(errors)
    return given
