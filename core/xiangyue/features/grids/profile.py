"""The county's rules for grids as its profile says, until somebody sets them on the page."""

from __future__ import annotations

from dataclasses import asdict

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids import rules
from xiangyue.features.grids.policy import CODE, GRID_SETTINGS, duty_key, rule_key
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_grids import GridsSpec
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change


@acts(GRID_SETTINGS)
def apply_rules(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """Rules that the county has none of yet; one that it set, or had from an earlier profile, stays. Raises Invalid."""
    wanted = profile.grids or GridsSpec()
    changes = []
    values = {}
    for size in wanted.sizes:
        given = asdict(size)
        try:
            values[rule_key(given.pop("level"))] = rules.checked_rule(given).plain()
        except Invalid as invalid:
            raise Invalid({f"grids.sizes.{name}": texts for name, texts in invalid.fields.items()}) from None
    if wanted.code_template:
        template = rules.checked_template({"template": wanted.code_template, "width": wanted.code_width})
        values[CODE] = {"template": template.template, "width": template.width}
    for duties in wanted.duties:
        try:
            values[duty_key(duties.level)] = rules.checked_duties(asdict(duties)).plain()
        except Invalid as invalid:
            raise Invalid({f"grids.duties.{name}": texts for name, texts in invalid.fields.items()}) from None
    for key, value in values.items():
        if rules.setting(uow, key) is None and rules.put_setting(uow, key, value):
            changes.append(Change("add", f"grid rule {key}"))
    uow.session.flush()
    return changes
