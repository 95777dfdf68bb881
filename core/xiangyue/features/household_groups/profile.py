"""The county's size of a ten-household group as its profile says, until somebody sets it on the page."""

from __future__ import annotations

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.rules import put_setting, setting
from xiangyue.features.household_groups.policy import GROUP_SETTINGS, SETTING
from xiangyue.features.household_groups.sizes import checked_size
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change


@acts(GROUP_SETTINGS)
def apply_size(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """A county without a size of its own gets the profile's. Raises Invalid."""
    wanted = profile.grids.ten_households if profile.grids is not None else None
    if wanted is None or setting(uow, SETTING) is not None:
        return []
    low, high = wanted
    try:
        size = checked_size({"min_households": low, "max_households": high})
    except Invalid as invalid:
        raise Invalid({f"grids.ten_households.{name}": texts for name, texts in invalid.fields.items()}) from None
    put_setting(uow, SETTING, size.plain())
    uow.session.flush()
    return [Change("add", "ten-household groups")]
