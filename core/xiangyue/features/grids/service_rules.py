"""Changing the county's rules for grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Forbidden, Invalid
from xiangyue.features.grids import rules
from xiangyue.features.grids.policy import CODE, GRID_SETTINGS, LEVELS, duty_key, rule_key
from xiangyue.i18n import lazy_gettext as _l


@acts(GRID_SETTINGS)
def set_rules(
    uow: Uow,
    *,
    sizes: Mapping[int, Mapping[str, Any]],
    code: Mapping[str, Any] | None = None,
    duties: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Size rules and duty lists by level and the template of codes; what is left out stays. Codes that were given stay
    as they are.

    Raises Invalid by field (``<level>.min_households`` …, ``duties<level>.items`` …, ``template``, ``width``),
    Forbidden without the right in the whole county.
    """
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Settings hold for the whole county: you need the right for the whole county."))
    errors: dict[str, Any] = {}
    wanted: dict[str, Json] = {}
    for level, values in sizes.items():
        if level not in LEVELS:
            raise Invalid({"level": [_l("Choose one of the options.")]})
        try:
            wanted[rule_key(level)] = rules.checked_rule(values, f"{level}.").plain()
        except Invalid as invalid:
            errors |= invalid.fields
    for level, values in (duties or {}).items():
        if level not in LEVELS:
            raise Invalid({"level": [_l("Choose one of the options.")]})
        try:
            wanted[duty_key(level)] = rules.checked_duties(values, f"duties{level}.").plain()
        except Invalid as invalid:
            errors |= invalid.fields
    if code is not None:
        try:
            template = rules.checked_template(code)
            wanted[CODE] = {"template": template.template, "width": template.width}
        except Invalid as invalid:
            errors |= invalid.fields
    if errors:
        raise Invalid(errors)
    for key, value in wanted.items():
        if not any(value.values()) and rules.setting(uow, key) is None:
            continue  # nothing was there and nothing is wanted
        rules.put_setting(uow, key, value)
    uow.session.flush()
