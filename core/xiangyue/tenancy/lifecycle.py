"""Suspending and resuming a county: its data stays, its pages, API and jobs stop at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from xiangyue.access.actor import Actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.cross import tell_operator, visiting
from xiangyue.tenancy.models import COUNTY, Tenant

if TYPE_CHECKING:
    from xiangyue.runtime import Runtime

LONGEST_REASON = 500


def suspend(
    runtime: Runtime,
    slug: str,
    *,
    reason: str,
    actor: Actor | None = None,
    info: RequestInfo | None = None,
    version: int | None = None,
) -> int:
    """Stop a county's service; returns its new version. ``reason`` is shown to its people and recorded.

    Raises NotFound, Conflict, Invalid, and Stale when ``version`` is given and no longer the county's.
    """
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": [_l("Say why: the county's people will read it.")]})
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [_l("At most %(n)d characters.", n=LONGEST_REASON)]})
    return _set_state(runtime, slug, "suspended", reason, actor, info, version)


def resume(
    runtime: Runtime,
    slug: str,
    *,
    actor: Actor | None = None,
    info: RequestInfo | None = None,
    version: int | None = None,
) -> int:
    """Let a suspended county go on; returns its new version. Raises NotFound, Conflict, Stale."""
    return _set_state(runtime, slug, "active", "", actor, info, version)


def _set_state(
    runtime: Runtime,
    slug: str,
    state: str,
    reason: str,
    actor: Actor | None,
    info: RequestInfo | None,
    version: int | None,
) -> int:
    with runtime.engine.connect() as connection, connection.begin():
        # What it read stays readable after its commit: another read would open a savepoint around the trails.
        directory = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        tenant = directory.scalars(
            select(Tenant).where(Tenant.slug == slug, Tenant.kind == COUNTY).with_for_update()
        ).one_or_none()
        if tenant is None:
            raise NotFound(_l("There is no county with the slug “%(slug)s”.", slug=slug))
        if version is not None and tenant.version != version:
            theirs = {"state": tenant.state, "reason": tenant.suspended_reason, "version": tenant.version}
            raise Stale(_l("Somebody changed this county in between. Look at it again."), theirs=theirs)
        if tenant.state == state:
            raise Conflict(_l("“%(slug)s” is already in this state.", slug=slug))
        before, tenant.state, tenant.suspended_reason = tenant.state, state, reason
        tenant.version += 1
        now = tenant.version
        directory.commit()
        directory.close()
        action = "tenant.suspend" if state == "suspended" else "tenant.resume"
        # In the county's own trail: its administrators are to see who stopped them and why.
        with Uow(connection, tenant_id=tenant.id, actor=visiting(actor, tenant.id), info=info) as uow:
            audit(
                uow,
                action=action,
                object_type="tenant",
                object_id=tenant.id,
                label=slug,
                before={"state": before},
                after={"state": state},
                purpose=reason,
            )
        tell_operator(
            connection,
            action=action,
            tenant_id=tenant.id,
            slug=slug,
            actor=actor,
            info=info,
            before={"state": before},
            after={"state": state},
            purpose=reason,
        )
    runtime.directory.forget()
    return now
