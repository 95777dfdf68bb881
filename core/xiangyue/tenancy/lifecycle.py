"""Suspending and resuming a county: its data stays, its pages, API and jobs stop at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from xiangyue.access.actor import Actor, system_actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.models import COUNTY, Tenant

if TYPE_CHECKING:
    from xiangyue.runtime import Runtime


def suspend(runtime: Runtime, slug: str, *, reason: str, actor: Actor | None = None) -> None:
    """Stop a county's service. ``reason`` is shown to its people and recorded. Raises NotFound, Conflict, Invalid."""
    if not reason.strip():
        raise Invalid({"reason": [_l("Say why: the county's people will read it.")]})
    _set_state(runtime, slug, "suspended", reason.strip(), actor)


def resume(runtime: Runtime, slug: str, *, actor: Actor | None = None) -> None:
    """Let a suspended county go on. Raises NotFound, Conflict."""
    _set_state(runtime, slug, "active", "", actor)


def _set_state(runtime: Runtime, slug: str, state: str, reason: str, actor: Actor | None) -> None:
    with runtime.engine.connect() as connection, connection.begin():
        directory = Session(connection, join_transaction_mode="create_savepoint")
        tenant = directory.scalars(
            select(Tenant).where(Tenant.slug == slug, Tenant.kind == COUNTY).with_for_update()
        ).one_or_none()
        if tenant is None:
            raise NotFound(_l("There is no county with the slug “%(slug)s”.", slug=slug))
        if tenant.state == state:
            raise Conflict(_l("“%(slug)s” is already in this state.", slug=slug))
        before, tenant.state, tenant.suspended_reason = tenant.state, state, reason
        directory.commit()
        # In the county's own trail: its administrators are to see who stopped them and why.
        with Uow(connection, tenant_id=tenant.id, actor=actor or system_actor(tenant.id)) as uow:
            audit(
                uow,
                action="tenant.suspend" if state == "suspended" else "tenant.resume",
                object_type="tenant",
                object_id=tenant.id,
                label=slug,
                before={"state": before},
                after={"state": state},
                purpose=reason,
            )
        directory.close()
    runtime.directory.forget()
