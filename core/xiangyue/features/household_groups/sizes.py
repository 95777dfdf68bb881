"""How many households a group should have, and the reason for one that has more or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.rules import setting
from xiangyue.features.grids.sizes import ReasonNeeded
from xiangyue.features.household_groups.policy import MOST, SETTING, GroupSize
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number

REASON_LENGTH = 500


def group_size(uow: Uow) -> GroupSize:
    """The county's, or eight to twelve."""
    row = setting(uow, SETTING)
    return GroupSize(**row.value) if row is not None else GroupSize()


def checked_size(values: Mapping[str, Any]) -> GroupSize:
    """Raises Invalid by field."""
    errors: dict[str, list[Any]] = {}
    found: dict[str, int] = {}
    for name in ("min_households", "max_households"):
        number = whole_number(values.get(name, ""))
        if number is None or not 1 <= number <= MOST:
            errors[name] = [_l("A whole number from 1 to %(n)s.", n=MOST)]
        else:
            found[name] = number
    if not errors and found["min_households"] > found["max_households"]:
        errors["max_households"] = [_l("The upper limit lies below the lower one.")]
    if errors:
        raise Invalid(errors)
    return GroupSize(**found)


def need_reason(sizes: Mapping[str, int], rule: GroupSize, size_reason: str) -> tuple[str, dict[str, int]]:
    """(reason, groups outside the size) by name. Raises ReasonNeeded where one is needed and not given."""
    reason = size_reason.strip()
    if len(reason) > REASON_LENGTH:
        raise Invalid({"size_reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    out = {name: number for name, number in sizes.items() if not rule.fits(number)}
    if out and not reason:
        name, number = next(iter(out.items()))
        raise ReasonNeeded(
            {
                "size_reason": [
                    _l("%(name)s would have %(households)d households; the county says %(low)d to %(high)d. Groups like"
                       " this: %(n)d. Say why, and it is done.", name=name, households=number,
                       low=rule.min_households, high=rule.max_households, n=len(out)),
                ]
            },
            breaches=[{"name": name, "households": number} for name, number in out.items()],
        )  # fmt: skip
    return (reason if out else ""), out
