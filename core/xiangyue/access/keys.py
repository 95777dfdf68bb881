"""Keys of a tenant: kept wrapped in its own table, unwrapped once per process."""

from __future__ import annotations

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys, new_tenant_keys, unwrap_keys, wrap_keys
from xiangyue.access.kek import KekProvider
from xiangyue.access.models import TenantKey
from xiangyue.db.uow import Uow


class TenantKeyRing:
    """Unwrapped keys by tenant, for the life of the process."""

    def __init__(self, kek: KekProvider) -> None:
        self.kek = kek
        self._known: dict[int, TenantKeys] = {}

    def of(self, uow: Uow) -> TenantKeys:
        """The tenant's keys. Provisioning makes them (``ensure``); LookupError when that never happened."""
        known = self._known.get(uow.tenant_id)
        if known is None:
            row = uow.session.scalars(select(TenantKey).order_by(TenantKey.id.desc()).limit(1)).one_or_none()
            if row is None:
                raise LookupError(f"tenant {uow.tenant_id} has no keys; apply its profile first")
            known = self._known[uow.tenant_id] = unwrap_keys(self.kek, uow.tenant_id, row.wrapped)
        return known

    def ensure(self, uow: Uow) -> None:
        """Make the tenant's keys if it has none. Not remembered before the commit stands."""
        if uow.session.scalars(select(TenantKey.id).limit(1)).one_or_none() is None:
            uow.session.add(TenantKey(wrapped=wrap_keys(self.kek, uow.tenant_id, new_tenant_keys())))
            uow.session.flush()
