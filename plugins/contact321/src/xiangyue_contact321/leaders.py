"""Who leads a grid by the document: a warning with its clause, where what is on record says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import or_, select

from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import RuleWarning
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.register import PersonMark, holds_post
from xiangyue.sdk.settings import plugin_settings
from xiangyue_contact321 import law, policy

#: 村委班子成员: of the village committee and the village's Party organisation (两委).
COMMITTEES = ("village_committee", "party_branch", "party_general_branch", "party_committee")
GROUP, DEPUTIES = "villager_group", "deputies_group"


def warnings_of(
    uow: Uow, *, level: int, area_code: int, person_id: int | None, role: str, on: date
) -> list[RuleWarning]:
    """What the document has against somebody as leader of a grid; other posts and special grids are not its matter.
    Somebody from outside the register cannot be looked up, so it warns."""
    rule = _RULES.get(level)
    if role != "leader" or rule is None:
        return []
    text, clause, fits = rule
    if person_id is not None and fits(uow, person_id, area_code, on):
        return []
    return [RuleWarning(text, f"{law.LEADERS_SOURCE}：{clause}")]


def _in_committee(uow: Uow, person_id: int, area_code: int, on: date) -> bool:
    village = area_code - area_code % 1000
    return holds_post(uow, person_id, kinds=COMMITTEES, area_code=village, on=on)


def _heads_group(uow: Uow, person_id: int, area_code: int, on: date) -> bool:
    return holds_post(uow, person_id, kinds=(GROUP,), area_code=area_code, on=on, posts=("leader",))


def _heads_homes(uow: Uow, person_id: int, area_code: int, on: date) -> bool:
    """A mark of the settings that holds on the day, or a deputy to the people's congress of the town."""
    wanted = select(PersonMark.id).where(
        PersonMark.person_id == person_id,
        PersonMark.mark_key.in_(plugin_settings(uow, policy.NAME)["lead_marks"]),
        or_(PersonMark.valid_from.is_(None), PersonMark.valid_from <= on),
        or_(PersonMark.valid_to.is_(None), PersonMark.valid_to > on),
    )
    town = area_code - area_code % 1_000_000
    return uow.session.scalars(wanted.limit(1)).first() is not None or holds_post(
        uow, person_id, kinds=(DEPUTIES,), area_code=town, on=on
    )


_Rule = tuple[object, str, Callable[[Uow, int, int, date], bool]]
_RULES: dict[int, _Rule] = {
    1: (
        _l("A grid of level 1 is led by a member of the village's committees; no such post is on record."),
        law.LEADER_VILLAGE,
        _in_committee,
    ),
    2: (
        _l("A grid of level 2 is led by the head of the villager group; no such post is on record."),
        law.LEADER_GROUP,
        _heads_group,
    ),
    3: (
        _l(
            "A grid of level 3 is led by a lead household head, else by a Party member or a deputy to the people's"
            " congress; none of this is on record."
        ),
        law.LEADER_HOMES,
        _heads_homes,
    ),
}
