"""Finds the tenant a host name means. The directory is global, so this runs before any tenant is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from xiangyue.tenancy.models import COUNTY, OPERATOR, Tenant, TenantHost


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """What a request needs to know of its tenant."""

    id: int
    slug: str
    kind: str
    name: str
    name_en: str
    area_code: int
    locale: str
    state: str
    suspended_reason: str = ""
    settings: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_operator(self) -> bool:
        return self.kind == OPERATOR


def info_of(tenant: Tenant) -> TenantInfo:
    return TenantInfo(
        id=tenant.id,
        slug=tenant.slug,
        kind=tenant.kind,
        name=tenant.name,
        name_en=tenant.name_en,
        area_code=tenant.area_code,
        locale=tenant.locale,
        state=tenant.state,
        suspended_reason=tenant.suspended_reason,
        settings=dict(tenant.settings or {}),
    )


class Directory:
    """Host name -> tenant, remembered for a moment (``ttl`` seconds): suspension is seen within it, and sign-in and
    sessions check the state in the database at every request. While the database is away what was known stays."""

    def __init__(self, engine: Engine, base_domain: str, *, ttl: float = 2.0) -> None:
        self.engine = engine
        self.base_domain = base_domain.lower()
        self.ttl = ttl
        self._known: dict[str, tuple[float, TenantInfo | None]] = {}

    def find(self, host: str) -> TenantInfo | None:
        """The tenant of a Host header (port allowed), or None. Suspended ones are found: their page says so."""
        name = host.rsplit(":", 1)[0].rstrip(".").lower()
        known = self._known.get(name)
        now = time.monotonic()
        if known is not None and known[0] > now:
            return known[1]
        try:
            found = self._look_up(name)
        except DBAPIError:
            if known is None:
                raise
            return known[1]  # the page that says the database is away needs to know whose it is
        if len(self._known) > 10_000:  # a flood of invented hosts must not fill the memory
            self._known.clear()
        self._known[name] = (now + self.ttl, found)
        return found

    def forget(self) -> None:
        self._known.clear()

    def _look_up(self, name: str) -> TenantInfo | None:
        statement = select(Tenant)
        if name == self.base_domain:
            statement = statement.where(Tenant.kind == OPERATOR)
        elif name.endswith("." + self.base_domain):
            slug = name[: -len(self.base_domain) - 1]
            statement = statement.where(Tenant.slug == slug, Tenant.kind == COUNTY)
        else:
            statement = statement.join(TenantHost, TenantHost.tenant_id == Tenant.id).where(TenantHost.host == name)
        with Session(self.engine) as session:
            tenant = session.scalars(statement).one_or_none()
            return info_of(tenant) if tenant is not None else None

    def by_slug(self, slug: str) -> TenantInfo | None:
        with Session(self.engine) as session:
            tenant = session.scalars(select(Tenant).where(Tenant.slug == slug)).one_or_none()
            return info_of(tenant) if tenant is not None else None

    def by_id(self, tenant_id: int) -> TenantInfo | None:
        with Session(self.engine) as session:
            tenant = session.get(Tenant, tenant_id)
            return info_of(tenant) if tenant is not None else None

    def all(self, *, counties_only: bool = False) -> list[TenantInfo]:
        with Session(self.engine) as session:
            statement = select(Tenant).order_by(Tenant.id)
            if counties_only:
                statement = statement.where(Tenant.kind == COUNTY)
            return [info_of(t) for t in session.scalars(statement)]
