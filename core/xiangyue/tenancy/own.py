"""The county's own switches, as its profile said them when it was applied."""

from __future__ import annotations

import dataclasses

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.tenancy.models import Tenant
from xiangyue.tenancy.profile_types import ProfileSettings

_KNOWN = {field.name for field in dataclasses.fields(ProfileSettings)}


def own_settings(uow: Uow) -> ProfileSettings:
    """[settings] of the unit of work's county; what was not said when it was applied has its default."""
    statement = select(Tenant.settings).where(Tenant.id == uow.tenant_id)
    stored = uow.session.scalars(statement).one_or_none() or {}
    return ProfileSettings(**{key: value for key, value in stored.items() if key in _KNOWN})
