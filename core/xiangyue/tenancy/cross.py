"""The operator among the counties: one greppable door to several tenants, and both trails of what is done in one.

There is no role that reaches all counties: each visit is a unit of work of one tenant. What the operator reads or
does is told in the operator's own trail with its reason; what is changed, in the county's trail as well.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from xiangyue.access.actor import Actor, system_actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import NotFound
from xiangyue.tenancy import operator
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.tenancy.models import OPERATOR, Tenant

if TYPE_CHECKING:
    from xiangyue.runtime import Runtime


def visiting(actor: Actor | None, tenant_id: int) -> Actor:
    """Who acts in a county when the operator's person (None: the system) comes: the system under that person's name.

    An account id of the operator's tenant would be somebody else in the county.
    """
    if actor is None or actor.tenant_id == tenant_id:
        return actor or system_actor(tenant_id)
    return system_actor(tenant_id, name=f"{actor.name or actor.login} @ {operator.SLUG}")


def operator_id(bind: Engine | Connection, actor: Actor | None) -> int | None:
    """Id of the operator's tenant, None before it is made. Raises NotFound for an actor of a county."""
    with Session(bind, join_transaction_mode="create_savepoint") as session:
        found = session.scalars(select(Tenant.id).where(Tenant.kind == OPERATOR)).one_or_none()
    if actor is not None and actor.tenant_id != found:
        raise NotFound("the actor is not of the operator")
    return found


@contextmanager
def each_tenant(
    runtime: Runtime,
    *,
    reason: str,
    actor: Actor | None,
    info: RequestInfo | None = None,
    tenants: Sequence[TenantInfo] | None = None,
) -> Iterator[Iterator[tuple[TenantInfo, Uow]]]:
    """Visit counties one after the other, each in a unit of work of its own; ``tenants`` None means all of them.

    Use: ``with each_tenant(…) as visits: for county, uow in visits: …``. ``reason`` stands in the operator's trail
    before the first county is opened. Each visit is committed when the next begins; leaving the loop early rolls the
    last one back. ``actor`` None is the system. Raises NotFound for an actor of a county.
    """
    assert reason
    chosen = list(tenants) if tenants is not None else runtime.directory.all(counties_only=True)
    home = operator_id(runtime.engine, actor)
    if home is not None and chosen:
        with Uow(runtime.engine, tenant_id=home, actor=actor or system_actor(home), info=info) as uow:
            slugs = [county.slug for county in chosen]
            audit(uow, action="operator.read", object_type="tenant", purpose=reason, after={"counties": slugs})
    with closing(_visits(runtime, chosen, actor, info)) as visits:
        yield visits


def _visits(
    runtime: Runtime, tenants: Sequence[TenantInfo], actor: Actor | None, info: RequestInfo | None
) -> Generator[tuple[TenantInfo, Uow], None, None]:
    for county in tenants:
        with Uow(runtime.engine, tenant_id=county.id, actor=visiting(actor, county.id), info=info) as uow:
            yield county, uow


class Visit:
    """One county being changed: ``uow`` is the county's; ``tell`` adds the entry in the operator's own trail."""

    def __init__(self, uow: Uow) -> None:
        self.uow = uow
        self.told: list[dict[str, Any]] = []

    def tell(self, *, action: str, after: Mapping[str, Any] | None = None, purpose: str = "") -> None:
        self.told.append({"action": action, "after": after, "purpose": purpose})


@contextmanager
def visit(
    runtime: Runtime, county: TenantInfo, *, actor: Actor | None, info: RequestInfo | None = None
) -> Iterator[Visit]:
    """Change something in one county; both trails stand or fall with the change. Raises NotFound for an actor of a
    county."""
    operator_id(runtime.engine, actor)
    with runtime.engine.begin() as connection:
        with Uow(connection, tenant_id=county.id, actor=visiting(actor, county.id), info=info) as uow:
            made = Visit(uow)
            yield made
        # Only now: a connection speaks for one tenant at a time.
        for entry in made.told:
            tell_operator(connection, tenant_id=county.id, slug=county.slug, actor=actor, info=info, **entry)


def tell_operator(
    connection: Connection,
    *,
    action: str,
    tenant_id: int,
    slug: str,
    actor: Actor | None,
    info: RequestInfo | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    purpose: str = "",
) -> None:
    """The entry in the operator's own trail, in the transaction of ``connection``; none before there is a console."""
    home = operator_id(connection, actor)
    if home is None:
        return
    with Uow(connection, tenant_id=home, actor=actor or system_actor(home), info=info) as uow:
        audit(
            uow,
            action=action,
            object_type="tenant",
            object_id=tenant_id,
            label=slug,
            before=before,
            after=after,
            purpose=purpose,
        )
