"""Towns and villages for a county that is aboard: planned and applied like a profile, of which they are one section."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xiangyue.access.actor import Actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import NotFound, Stale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.counties import minimal_profile
from xiangyue.tenancy.cross import operator_id, tell_operator, visiting
from xiangyue.tenancy.models import COUNTY, Tenant
from xiangyue.tenancy.profile_types import DivisionRow
from xiangyue.tenancy.provision import LOCK_KEY, Change, fingerprint

if TYPE_CHECKING:
    from xiangyue.runtime import Runtime

SECTION = "divisions"
ACTION = "tenant.divisions"
_LEVELS = ("town", "village", "group")


def divide(
    runtime: Runtime,
    slug: str,
    rows: Sequence[DivisionRow],
    *,
    actor: Actor | None = None,
    info: RequestInfo | None = None,
    keep: bool,
    expected: str | None = None,
    file: str = "",
) -> list[Change]:
    """Add these towns and villages to a county, or bring them up to date; what is not among them stays as it is.

    ``keep`` False runs the real thing and rolls it back: the plan. ``expected`` is the fingerprint of the plan that was
    confirmed. Idempotent. Both trails have it. Raises NotFound; Stale when the plan has changed.
    """
    operator_id(runtime.engine, actor)
    with runtime.engine.connect() as connection, connection.begin() as outer:
        directory = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        directory.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
        county = select(Tenant).where(Tenant.slug == slug, Tenant.kind == COUNTY).with_for_update()
        tenant = directory.scalars(county).one_or_none()
        if tenant is None:
            raise NotFound(_l("There is no county with the slug “%(slug)s”.", slug=slug))
        alone = minimal_profile(f"{tenant.area_code // 10**9:06}", slug)
        profile = dataclasses.replace(alone, divisions=(*alone.divisions, *rows))
        sections = [s for s in runtime.registry.profile_sections if s.key == SECTION]
        with Uow(connection, tenant_id=tenant.id, actor=visiting(actor, tenant.id), info=info) as uow:
            changes = [change for s in sections for change in s.apply(uow, profile, runtime.registry)]
            if expected is not None and expected != fingerprint(changes):
                raise Stale(_l("What you confirmed is no longer what would happen. Look at the new plan."))
            after: dict[str, Any] = {"changes": len(changes), "first": [str(c) for c in changes[:50]], "file": file}
            if changes:
                audit(uow, action=ACTION, object_type="tenant", object_id=tenant.id, label=tenant.slug, after=after)
        if changes:
            told = {level: sum(row.level == level for row in rows) for level in _LEVELS}
            before = (tenant.profile or {}).get("divisions") or {}
            tenant.profile = {
                **(tenant.profile or {}),
                "divisions": {level: max(told[level], int(before.get(level) or 0)) for level in _LEVELS},
            }
            tenant.version += 1
        directory.commit()
        directory.close()
        if changes:
            tell_operator(
                connection, action=ACTION, tenant_id=tenant.id, slug=slug, actor=actor, info=info, after=after
            )
        if keep:
            outer.commit()
        else:
            outer.rollback()
    return changes
