"""Writes on areas."""

from __future__ import annotations

from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.features.areas import policy
from xiangyue.features.areas.models import Area
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change
from xiangyue.tenancy.sync import sync_rows
from xiangyue.text.pinyin import sort_key


@acts(policy.AREA_EDIT)
def apply_divisions(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """The county, towns, villages and groups of the profile. Groups made by the county itself are left alone."""
    wanted: dict[Any, dict[str, Any]] = {}
    for position, row in enumerate(profile.divisions):
        wanted[row.code15] = {
            "parent_code": row.parent15 or 0,
            "level": row.level,
            "kind": row.kind,
            "name": row.display_name,
            "official_name": row.name,
            "sort_key": sort_key(row.display_name, person=False),
            "position": position,
        }
    return sync_rows(uow, Area, "area_code", wanted, label="area", retire=False)
