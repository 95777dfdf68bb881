"""Writes on areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas import policy, queries
from xiangyue.features.areas.models import TOWN, VILLAGE, Area, AreaChangePart
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change
from xiangyue.tenancy.sync import sync_rows
from xiangyue.text.folding import without_spaces
from xiangyue.text.pinyin import sort_key

MOST_NAMES = 20
NAME_LENGTH = 60


@acts(policy.AREA_EDIT)
def apply_divisions(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """The county, towns, villages and groups of the profile. Groups made by the county itself are left alone, so are
    former names that it has written: those of the profile are added to them. An area that the county has changed by a
    change of areas (``changes``) stays as the county has it."""
    wanted: dict[Any, dict[str, Any]] = {}
    told = [row.code15 for row in profile.divisions if row.former_names]
    known = uow.session.scalars(select(Area).where(Area.area_code.in_(told))) if told else ()
    former = {area.area_code: area.former_names for area in known}
    changed = set(uow.session.scalars(select(AreaChangePart.area_code)))
    for position, row in enumerate(profile.divisions):
        if row.code15 in changed:
            continue
        wanted[row.code15] = {
            "parent_code": row.parent15 or 0,
            "level": row.level,
            "kind": row.kind,
            "name": row.display_name,
            "official_name": row.name,
            "sort_key": sort_key(row.display_name, person=False),
            "position": position,
        }
        if row.former_names:
            wanted[row.code15]["former_names"] = list(dict.fromkeys([*former.get(row.code15, ()), *row.former_names]))
    return sync_rows(uow, Area, "area_code", wanted, label="area", retire=False)


@acts(policy.AREA_EDIT)
def set_former_names(uow: Uow, *, code: int, names: Sequence[str], version: int) -> Area:
    """Say what a town or village (15-digit code), or one that was merged into it, was called before: all its former
    names. Imports and searches find it by them where no name of today fits.

    Raises Invalid (former_names) for more than 20, one of more than 60 characters, or one that an area beside it has
    today; Conflict for other areas; Stale.
    """
    area = queries.find_area(uow, code)
    if area.level not in (TOWN, VILLAGE):
        raise Conflict(_l("Former names are kept of towns and villages."))
    area = uow.get_for_update(Area, area.id)
    if area.version != version:
        raise Stale(_l("Somebody changed this area in between."), theirs={"former_names": area.former_names})
    wanted = list(dict.fromkeys(filter(None, map(without_spaces, names))))
    own = {area.name, area.official_name}
    wanted = [name for name in wanted if name not in own]
    if len(wanted) > MOST_NAMES or any(len(name) > NAME_LENGTH or not name.isprintable() for name in wanted):
        limits = _l("At most %(n)d names of at most %(most)d characters.", n=MOST_NAMES, most=NAME_LENGTH)
        raise Invalid({"former_names": [limits]})
    for taken in _names_beside(uow, area) & set(wanted):
        raise Invalid({"former_names": [_l("“%(name)s” is the name of another area here today.", name=taken)]})
    if wanted != area.former_names:
        before = {"former_names": area.former_names}
        area.former_names = wanted
        area.version += 1
        audit(uow, action="area.edit", obj=area, label=area.name, before=before, after={"former_names": wanted})
        uow.session.flush()
    return area


def _names_beside(uow: Uow, area: Area) -> set[str]:
    """What the others of the same level below the same parent are called today."""
    with uow.tenant_wide("names of areas are known to everybody in the county"):
        statement = select(Area.name, Area.official_name).where(
            Area.parent_code == area.parent_code,
            Area.level == area.level,
            Area.active.is_(True),
            Area.area_code != area.area_code,
        )
        return {name for pair in uow.session.execute(statement) for name in pair}
